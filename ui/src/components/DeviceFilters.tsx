// Search, tag and order of the device list.
import { CloseButton, Group, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch, IconTag } from '@tabler/icons-react';
import { useState } from 'react';
import type { DeviceListQuery } from '../api/devices';

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
    <Group gap="xs" grow={hasSort} preventGrowOverflow={false}>
      <TextInput
        type="search"
        aria-label="Search cameras"
        placeholder="Search name, place, description"
        leftSection={<IconSearch size={16} stroke={1.7} />}
        rightSection={text ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => type('')} /> : null}
        value={text}
        onChange={(event) => type(event.currentTarget.value)}
        miw={hasSort ? '100%' : 270}
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
          w={hasSort ? undefined : 170}
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
    </Group>
  );
}
