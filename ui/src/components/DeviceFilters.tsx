// Search, tag and order of the device list.
import { CloseButton, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch, IconTag } from '@tabler/icons-react';
import { useState } from 'react';
import type { DeviceListQuery } from '../api/devices';
import classes from './DeviceFilters.module.css';

interface DeviceFiltersProps {
  query: DeviceListQuery;
  tags: string[];
  onChange: (patch: Partial<DeviceListQuery>) => void;
  hasSort: boolean;
}

const ORDERS = [
  { value: 'name', label: 'Name, A to Z' },
  { value: '-name', label: 'Name, Z to A' },
  { value: 'state', label: 'State' },
  { value: '-created_at', label: 'Newest first' },
  { value: 'created_at', label: 'Oldest first' },
];

export function DeviceFilters({ query, tags, onChange, hasSort }: DeviceFiltersProps) {
  const [text, setText] = useState(query.q);
  const [seenQuery, setSeenQuery] = useState(query.q);
  const search = useDebouncedCallback((q: string) => onChange({ q }), 250);
  if (seenQuery !== query.q) {
    // The address changed from elsewhere: going back, or all filters cleared.
    setSeenQuery(query.q);
    if (text.trim() !== query.q) setText(query.q);
  }
  const type = (value: string) => {
    setText(value);
    search(value.trim());
  };
  const known = query.tag && !tags.includes(query.tag) ? [query.tag, ...tags] : tags;
  return (
    <div className={classes.filters}>
      <TextInput
        type="search"
        aria-label="Search cameras"
        placeholder="Search cameras"
        leftSection={<IconSearch size={16} stroke={1.7} />}
        rightSection={text ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => type('')} /> : null}
        value={text}
        onChange={(event) => type(event.currentTarget.value)}
        className={classes.search}
      />
      {known.length > 0 && (
        <Select
          aria-label="Show only one tag"
          placeholder="Any tag"
          leftSection={<IconTag size={16} stroke={1.7} />}
          data={known}
          value={query.tag || null}
          onChange={(tag) => onChange({ tag: tag ?? '' })}
          clearable
          searchable
        />
      )}
      {hasSort && (
        <Select
          aria-label="Order"
          data={ORDERS}
          value={query.sort}
          onChange={(sort) => onChange({ sort: sort ?? 'name' })}
          allowDeselect={false}
        />
      )}
    </div>
  );
}
