// Selects a time zone by its IANA name, searchable by any part of it, with its offset from UTC.
import { Group, Select, Text } from '@mantine/core';
import { useMemo, useState, type ReactNode } from 'react';
import { isTimeZone, offsetAt, ownTimeZone } from '../formatting/timeZone';

interface TimeZoneSelectProps {
  value: string;
  onChange: (timeZone: string) => void;
  error?: ReactNode;
  description?: ReactNode;
}

const MAX_SHOWN = 60;

/** "UTC+01:00" */
export function formatOffset(timeZone: string, atMs: number): string {
  const minutes = Math.round(offsetAt(timeZone, atMs) / 60_000);
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '−' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

/** Browsers list some zones by outdated names (Asia/Calcutta); people search for the present ones. */
const PRESENT_NAMES = [
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Ho_Chi_Minh',
  'Asia/Yangon',
  'Europe/Kyiv',
  'America/Nuuk',
  'Atlantic/Faroe',
  'America/Argentina/Buenos_Aires',
  'Africa/Asmara',
];

function listZones(own: string): string[] {
  const known = typeof Intl.supportedValuesOf === 'function' ? Intl.supportedValuesOf('timeZone') : [];
  return [
    ...new Set([
      'UTC',
      ownTimeZone(),
      ...(isTimeZone(own) ? [own] : []),
      ...known,
      ...PRESENT_NAMES.filter(isTimeZone),
    ]),
  ];
}

export function TimeZoneSelect({ value, onChange, error, description }: TimeZoneSelectProps) {
  const [now] = useState(() => Date.now());
  const zones = useMemo(() => listZones(value), [value]);
  return (
    <Select
      label="Time zone"
      description={description}
      data={zones}
      value={value}
      onChange={(zone) => onChange(zone ?? 'UTC')}
      error={error}
      searchable
      renderOption={({ option }) => (
        <Group justify="space-between" gap="sm" flex={1} wrap="nowrap">
          <span>{option.value.replaceAll('_', ' ')}</span>
          <Text span size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
            {formatOffset(option.value, now)}
          </Text>
        </Group>
      )}
      allowDeselect={false}
      limit={MAX_SHOWN}
      nothingFoundMessage="No such time zone. Try the nearest large city."
      maw={420}
      data-path="time_zone"
    />
  );
}
