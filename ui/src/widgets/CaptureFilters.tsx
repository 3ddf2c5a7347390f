// The filters that snapshots and bookmarks share: search, camera, tag and order. `children` are their own filters.
import { ActionIcon, Select, Tooltip } from '@mantine/core';
import { IconSortAscending, IconSortDescending, IconVideo } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { DeviceChoice } from './useDeviceChoices';
import { SearchField } from './SearchField';
import { TagFilter } from './TagFilter';
import classes from './CaptureFilters.module.css';

export interface CaptureFilter {
  q: string;
  deviceId: string;
  tag: string;
  order: 'newest' | 'oldest';
}

interface CaptureFiltersProps {
  /** The plural of the items: "Snapshots". */
  label: string;
  placeholder: string;
  filter: CaptureFilter;
  devices: DeviceChoice[];
  /** Name of the selected camera, if known: a deleted camera is not among `devices`. */
  deviceName?: string | null;
  tags: string[];
  onChange: (patch: Partial<CaptureFilter>) => void;
  children: ReactNode;
}

export function CaptureFilters({
  label,
  placeholder,
  filter,
  devices,
  deviceName,
  tags,
  onChange,
  children,
}: CaptureFiltersProps) {
  const { q, deviceId, tag, order } = filter;
  const isListed = !deviceId || devices.some(({ value }) => value === deviceId);
  const isOldestFirst = order === 'oldest';
  return (
    <div className={classes.filters} role="search" aria-label={label}>
      <SearchField
        className={classes.search}
        label={`Search ${label.toLowerCase()}`}
        placeholder={placeholder}
        q={q}
        onSearch={(text) => onChange({ q: text })}
      />
      <Select
        aria-label="Filter by camera"
        placeholder="Any camera"
        leftSection={<IconVideo size={16} stroke={1.7} />}
        data={isListed ? devices : [{ value: deviceId, label: deviceName ?? 'Deleted camera' }, ...devices]}
        value={deviceId || null}
        onChange={(next) => onChange({ deviceId: next ?? '' })}
        clearable
        searchable
        nothingFoundMessage="No matching camera"
      />
      {children}
      {(tags.length > 0 || tag) && <TagFilter tags={tags} tag={tag} onChange={(next) => onChange({ tag: next })} />}
      <Tooltip label={isOldestFirst ? 'Oldest first' : 'Newest first'}>
        <ActionIcon
          className={classes.order ?? ''}
          variant="default"
          size={36}
          aria-label="Oldest first"
          aria-pressed={isOldestFirst}
          onClick={() => onChange({ order: isOldestFirst ? 'newest' : 'oldest' })}
        >
          {isOldestFirst ? <IconSortAscending size={18} stroke={1.7} /> : <IconSortDescending size={18} stroke={1.7} />}
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
