// Search, camera, tag, days and order of the bookmarks.
import { CloseButton, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch, IconTag, IconVideo } from '@tabler/icons-react';
import { useState } from 'react';
import type { BookmarkFilter } from '../hooks/useBookmarkQuery';
import type { DeviceChoice } from '../hooks/useDeviceChoices';
import { dateOf, ownTimeZone } from '../timeline/timeZone';
import classes from './Bookmarks.module.css';

interface BookmarkFiltersProps {
  filter: BookmarkFilter;
  devices: DeviceChoice[];
  tags: string[];
  onChange: (patch: Partial<BookmarkFilter>) => void;
}

const ORDERS = [
  { value: 'newest', label: 'Newest first' },
  { value: 'oldest', label: 'Oldest first' },
];

export function BookmarkFilters({ filter, devices, tags, onChange }: BookmarkFiltersProps) {
  const [text, setText] = useState(filter.q);
  const [seen, setSeen] = useState(filter.q);
  const [today] = useState(() => dateOf(ownTimeZone(), Date.now()));
  const search = useDebouncedCallback((q: string) => onChange({ q }), 250);
  if (seen !== filter.q) {
    setSeen(filter.q);
    if (text.trim() !== filter.q) setText(filter.q);
  }
  const type = (value: string) => {
    setText(value);
    search(value.trim());
  };
  // What was filtered by stays a choice, though its camera or its last bookmark is gone.
  const cameras = filter.device && !devices.some(({ value }) => value === filter.device) ? [{ value: filter.device, label: 'A deleted camera' }, ...devices] : devices;
  const knownTags = filter.tag && !tags.includes(filter.tag) ? [filter.tag, ...tags] : tags;
  return (
    <div className={classes.filters} role="search" aria-label="Bookmarks">
      <TextInput
        className={classes.search}
        type="search"
        aria-label="Search bookmarks"
        placeholder="Title, note, tag or camera"
        leftSection={<IconSearch size={16} stroke={1.7} />}
        rightSection={text ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => type('')} /> : null}
        value={text}
        onChange={(event) => type(event.currentTarget.value)}
      />
      <Select
        aria-label="Show only one camera"
        placeholder="Any camera"
        leftSection={<IconVideo size={16} stroke={1.7} />}
        data={cameras}
        value={filter.device || null}
        onChange={(device) => onChange({ device: device ?? '' })}
        clearable
        searchable
        nothingFoundMessage="No such camera"
      />
      <Select
        aria-label="Show only one tag"
        placeholder="Any tag"
        leftSection={<IconTag size={16} stroke={1.7} />}
        data={knownTags}
        value={filter.tag || null}
        onChange={(tag) => onChange({ tag: tag ?? '' })}
        clearable
        searchable
        nothingFoundMessage="No such tag"
      />
      <div className={classes.days} role="group" aria-label="Days">
        <TextInput type="date" aria-label="From day" max={filter.to || today} value={filter.from} onChange={(event) => onChange({ from: event.currentTarget.value })} />
        <span aria-hidden>–</span>
        <TextInput type="date" aria-label="To day" min={filter.from || undefined} max={today} value={filter.to} onChange={(event) => onChange({ to: event.currentTarget.value })} />
      </div>
      <Select className={classes.order} aria-label="Order" data={ORDERS} value={filter.order} onChange={(order) => onChange({ order: order === 'oldest' ? 'oldest' : 'newest' })} allowDeselect={false} />
    </div>
  );
}
