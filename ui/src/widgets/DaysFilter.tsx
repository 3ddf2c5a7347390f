// A filter by a range of dates, both inclusive.
import { TextInput } from '@mantine/core';
import classes from './CaptureFilters.module.css';

interface DaysFilterProps {
  /** Dates ("2026-11-22"); empty for no limit. */
  from: string;
  to: string;
  today: string;
  onChange: (patch: { from?: string; to?: string }) => void;
}

export function DaysFilter({ from, to, today, onChange }: DaysFilterProps) {
  return (
    <div className={classes.days} role="group" aria-label="Date range">
      <TextInput
        type="date"
        aria-label="From date"
        max={to || today}
        value={from}
        onChange={(event) => onChange({ from: event.currentTarget.value })}
      />
      <span aria-hidden>–</span>
      <TextInput
        type="date"
        aria-label="To date"
        min={from || undefined}
        max={today}
        value={to}
        onChange={(event) => onChange({ to: event.currentTarget.value })}
      />
    </div>
  );
}
