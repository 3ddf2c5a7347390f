// What the gallery shows: search, camera, time, kind, tag and order.
import { ActionIcon, CloseButton, Select, TextInput, Tooltip } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconCalendar, IconPhoto, IconSearch, IconSortAscending, IconSortDescending, IconTag, IconVideo } from '@tabler/icons-react';
import { useState } from 'react';
import type { DeviceChoice } from '../hooks/useDeviceChoices';
import type { GalleryQuery } from '../hooks/useSnapshotQuery';
import { KIND_LOOKS } from './snapshotWords';
import classes from './SnapshotFilters.module.css';

interface SnapshotFiltersProps {
  query: GalleryQuery;
  today: string;
  devices: DeviceChoice[];
  tags: string[];
  /** The name of the camera that is filtered by, where a snapshot tells it: a deleted one is in no other list. */
  deviceName: string | null;
  onChange: (patch: Partial<GalleryQuery>) => void;
}

const TIMES = [
  { value: 'today', label: 'Today' },
  { value: 'yesterday', label: 'Yesterday' },
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
  { value: 'custom', label: 'Days…' },
];
const KINDS = Object.entries(KIND_LOOKS).map(([value, { word }]) => ({ value, label: word }));

const withCurrent = <T extends { value: string; label: string }>(choices: T[], value: string, label: string) =>
  value && !choices.some((choice) => choice.value === value) ? [{ value, label }, ...choices] : choices;

export function SnapshotFilters({ query, today, devices, tags, deviceName, onChange }: SnapshotFiltersProps) {
  const [text, setText] = useState(query.q);
  const [seen, setSeen] = useState(query.q);
  const search = useDebouncedCallback((q: string) => onChange({ q }), 250);
  if (seen !== query.q) {
    setSeen(query.q);
    if (text.trim() !== query.q) setText(query.q);
  }
  const type = (value: string) => {
    setText(value);
    search(value.trim());
  };
  const isOldestFirst = query.order === 'oldest';
  return (
    <div className={classes.filters} role="search" aria-label="Snapshots">
      <TextInput
        className={classes.search}
        type="search"
        aria-label="Search snapshots"
        placeholder="Note, tag or camera"
        leftSection={<IconSearch size={16} stroke={1.7} />}
        rightSection={text ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => type('')} /> : null}
        value={text}
        onChange={(event) => type(event.currentTarget.value)}
      />
      <Select
        aria-label="Show only one camera"
        placeholder="Any camera"
        leftSection={<IconVideo size={16} stroke={1.7} />}
        data={withCurrent(devices, query.deviceId, deviceName ?? 'A deleted camera')}
        value={query.deviceId || null}
        onChange={(deviceId) => onChange({ deviceId: deviceId ?? '' })}
        clearable
        searchable
        nothingFoundMessage="No such camera"
      />
      <Select
        aria-label="Show only a time"
        placeholder="Any time"
        leftSection={<IconCalendar size={16} stroke={1.7} />}
        data={TIMES}
        value={query.span || null}
        onChange={(span) => onChange({ span: (span ?? '') as GalleryQuery['span'], from: '', to: '' })}
        clearable
      />
      {query.span === 'custom' && (
        <div className={classes.days} role="group" aria-label="Days">
          <TextInput type="date" aria-label="From day" max={query.to || today} value={query.from} onChange={(event) => onChange({ from: event.currentTarget.value })} />
          <span aria-hidden>–</span>
          <TextInput type="date" aria-label="To day" min={query.from || undefined} max={today} value={query.to} onChange={(event) => onChange({ to: event.currentTarget.value })} />
        </div>
      )}
      <Select
        aria-label="Show only one kind"
        placeholder="Any kind"
        leftSection={<IconPhoto size={16} stroke={1.7} />}
        data={KINDS}
        value={query.kind || null}
        onChange={(kind) => onChange({ kind: kind ?? '' })}
        clearable
      />
      {(tags.length > 0 || query.tag) && (
        <Select
          aria-label="Show only one tag"
          placeholder="Any tag"
          leftSection={<IconTag size={16} stroke={1.7} />}
          data={query.tag && !tags.includes(query.tag) ? [query.tag, ...tags] : tags}
          value={query.tag || null}
          onChange={(tag) => onChange({ tag: tag ?? '' })}
          clearable
          searchable
          nothingFoundMessage="No such tag"
        />
      )}
      <Tooltip label={isOldestFirst ? 'Oldest first' : 'Newest first'}>
        <ActionIcon
          className={classes.order}
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
