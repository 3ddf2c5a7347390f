// Search, tag filter and sort order of the device list.
import { Select } from '@mantine/core';
import type { DeviceListQuery } from '../api/devices';
import { SearchField } from '../widgets/SearchField';
import { TagFilter } from '../widgets/TagFilter';
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
  return (
    <div className={classes.filters}>
      <SearchField
        className={classes.search}
        label="Search cameras"
        placeholder="Search cameras"
        q={query.q}
        onSearch={(q) => onChange({ q })}
      />
      {(tags.length > 0 || query.tag) && (
        <TagFilter tags={tags} tag={query.tag} onChange={(tag) => onChange({ tag })} />
      )}
      {hasSort && (
        <Select
          aria-label="Sort order"
          data={ORDERS}
          value={query.sort}
          onChange={(sort) => onChange({ sort: sort ?? 'name' })}
          allowDeselect={false}
        />
      )}
    </div>
  );
}
