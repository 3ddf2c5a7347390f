// Input fields for a moment: date and time to the second, in a time zone.
import { Group, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { instantOf, wallAt } from '../formatting/timeZone';

interface MomentFieldsProps {
  timeZone: string;
  /** Initial value of the fields. */
  firstMs: number;
  /** Called with null if date and time are invalid. */
  onChange: (momentMs: number | null) => void;
  labels?: [string, string];
  error?: ReactNode;
  hasFocus?: boolean;
}

/** Null if date and time are invalid. */
export function readMoment(timeZone: string, date: string, time: string): number | null {
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$/.exec(time.trim());
  const wallMs = clock
    ? Date.parse(`${date}T${clock[1]?.padStart(2, '0')}:${clock[2]}:${clock[3] ?? '00'}Z`)
    : Number.NaN;
  return Number.isFinite(wallMs) ? instantOf(timeZone, wallMs) : null;
}

export function MomentFields({
  timeZone,
  firstMs,
  onChange,
  labels = ['Date', 'Time'],
  error = null,
  hasFocus = false,
}: MomentFieldsProps) {
  const wall = new Date(wallAt(timeZone, firstMs)).toISOString();
  const [date, setDate] = useState(wall.slice(0, 10));
  const [time, setTime] = useState(wall.slice(11, 19));
  const [today] = useState(() => new Date(wallAt(timeZone, Date.now())).toISOString().slice(0, 10));
  const change = (nextDate: string, nextTime: string) => {
    setDate(nextDate);
    setTime(nextTime);
    onChange(readMoment(timeZone, nextDate, nextTime));
  };
  return (
    <Group grow align="flex-start" gap="sm">
      <TextInput
        type="date"
        label={labels[0]}
        value={date}
        max={today}
        onChange={(event) => change(event.currentTarget.value, time)}
        error={error}
      />
      <TextInput
        type="time"
        step={1}
        label={labels[1]}
        {...(hasFocus ? { 'data-autofocus': true } : {})}
        value={time}
        onChange={(event) => change(date, event.currentTarget.value)}
      />
    </Group>
  );
}
