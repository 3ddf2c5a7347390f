// Filters of the recordings: search for cameras, and one date for all of them.
import { ActionIcon, Button, TextInput } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { addDays } from '../formatting/calendarDates';
import { SearchField } from '../widgets/SearchField';
import classes from './RecordingList.module.css';

interface RecordingFiltersProps {
  q: string;
  date: string | null;
  today: string;
  onSearch: (q: string) => void;
  onDate: (date: string | null) => void;
}

export function RecordingFilters({ q, date, today, onSearch, onDate }: RecordingFiltersProps) {
  return (
    <div className={classes.controls}>
      <SearchField
        className={classes.search}
        label="Search cameras"
        placeholder="Search cameras"
        q={q}
        onSearch={onSearch}
      />
      <div className={classes.date} role="group" aria-label="Date">
        <Button
          px="sm"
          flex="none"
          variant={date ? 'default' : 'light'}
          aria-pressed={!date}
          onClick={() => onDate(null)}
        >
          Last 14 days
        </Button>
        <ActionIcon
          variant="default"
          size={36}
          aria-label="Previous day"
          onClick={() => onDate(addDays(date ?? today, -1))}
        >
          <IconChevronLeft size={18} />
        </ActionIcon>
        <TextInput
          type="date"
          className={classes.picked}
          aria-label="Date to show"
          max={today}
          value={date ?? ''}
          onChange={(event) => {
            const picked = event.currentTarget.value;
            if (!picked || picked <= today) onDate(picked || null);
          }}
        />
        <ActionIcon
          variant="default"
          size={36}
          aria-label="Next day"
          disabled={!date || date >= today}
          onClick={() => onDate(addDays(date ?? today, 1))}
        >
          <IconChevronRight size={18} />
        </ActionIcon>
      </div>
    </div>
  );
}
