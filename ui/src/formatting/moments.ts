// Formats moments and durations.
import { CLOCK, CLOCK_TO_THE_SECOND } from './clock';

const clock = new Intl.DateTimeFormat(undefined, CLOCK_TO_THE_SECOND);
const TO_THE_SECOND = { month: 'short', day: 'numeric', ...CLOCK_TO_THE_SECOND } as const;
const thisYear = new Intl.DateTimeFormat(undefined, TO_THE_SECOND);
const anyYear = new Intl.DateTimeFormat(undefined, { ...TO_THE_SECOND, year: 'numeric' });

export const formatClock = (at: string): string => clock.format(new Date(at));
/** Includes the year only when it is not the current one. */
export function formatDateTime(at: string): string {
  const moment = new Date(at);
  return (moment.getFullYear() === new Date().getFullYear() ? thisYear : anyYear).format(moment);
}

const shortThisYear = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', ...CLOCK });
const dateOnly = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', year: 'numeric' });

/** Date and time to the minute; only the date for another year. */
export function formatShortMoment(at: string): string {
  const moment = new Date(at);
  return (moment.getFullYear() === new Date().getFullYear() ? shortThisYear : dateOnly).format(moment);
}

export const formatUtc = (at: string): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** "12 s", "4 min", "3 h 20 min", "5 d 2 h": at most two units. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/** "2 min 3 s", "1 h 5 min", "3 d 4 h": at most two units, and never "0 s". */
export function formatLength(ms: number): string {
  if (ms < 1_000) return `${Math.max(0.1, Math.round(ms / 100) / 10)} s`;
  const seconds = Math.round(ms / 1000);
  const units: [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = units.findIndex(([size]) => seconds >= size);
  const [size, unit] = units[first] ?? [1, 's'];
  const rest = units[first + 1];
  const remainder = rest ? Math.floor((seconds % size) / rest[0]) : 0;
  return `${Math.floor(seconds / size)} ${unit}${remainder && rest ? ` ${remainder} ${rest[1]}` : ''}`;
}
