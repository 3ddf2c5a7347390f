// Search for a camera, and a day to look at across all of them.
import { ActionIcon, Button, CloseButton, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconChevronLeft, IconChevronRight, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { addDays } from './calendarDates';
import classes from './RecordingList.module.css';

interface RecordingFiltersProps {
  q: string;
  date: string | null;
  today: string;
  onSearch: (q: string) => void;
  onDate: (date: string | null) => void;
}

export function RecordingFilters({ q, date, today, onSearch, onDate }: RecordingFiltersProps) {
  const [text, setText] = useState(q);
  const [seen, setSeen] = useState(q);
  const search = useDebouncedCallback(onSearch, 250);
  if (seen !== q) {
    setSeen(q);
    if (text.trim() !== q) setText(q);
  }
  const type = (value: string) => {
    setText(value);
    search(value.trim());
  };
  return (
    <div className={classes.controls}>
      <TextInput
        className={classes.search}
        type="search"
        aria-label="Search cameras"
        placeholder="Search cameras"
        leftSection={<IconSearch size={16} stroke={1.7} />}
        rightSection={text ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => type('')} /> : null}
        value={text}
        onChange={(event) => type(event.currentTarget.value)}
      />
      <div className={classes.date} role="group" aria-label="Day">
        <Button px="sm" flex="none" variant={date ? 'default' : 'light'} aria-pressed={!date} onClick={() => onDate(null)}>
          Last 14 days
        </Button>
        <ActionIcon variant="default" size={36} aria-label="Day before" onClick={() => onDate(addDays(date ?? today, -1))}>
          <IconChevronLeft size={18} />
        </ActionIcon>
        <TextInput
          type="date"
          className={classes.picked}
          aria-label="One day"
          max={today}
          value={date ?? ''}
          onChange={(event) => {
            const picked = event.currentTarget.value;
            if (!picked || picked <= today) onDate(picked || null);
          }}
        />
        <ActionIcon variant="default" size={36} aria-label="Day after" disabled={!date || date >= today} onClick={() => onDate(addDays(date ?? today, 1))}>
          <IconChevronRight size={18} />
        </ActionIcon>
      </div>
    </div>
  );
}
