// Formats moments and durations.
import { CLOCK, CLOCK_TO_THE_SECOND } from './clock';
import { isForeignZone, shownZone } from './shownZone';
import { dateOf } from './timeZone';
import { formatInZone } from './zonedTimes';

const YEAR = 4;

/** Formats in the zone, and names the zone where its clocks differ from the viewer's own. */
function format(at: string, timeZone: string, options: Intl.DateTimeFormatOptions): string {
  const ms = Date.parse(at);
  const zone = isForeignZone(timeZone, ms) ? ({ timeZoneName: 'short' } as const) : {};
  return formatInZone(timeZone, ms, { ...options, ...zone });
}

const isThisYear = (at: string, timeZone: string): boolean =>
  dateOf(timeZone, Date.parse(at)).slice(0, YEAR) === dateOf(timeZone, Date.now()).slice(0, YEAR);

export const formatClock = (at: string, timeZone = shownZone()): string => format(at, timeZone, CLOCK_TO_THE_SECOND);

/** Includes the year only when it is not the current one. */
export function formatDateTime(at: string, timeZone = shownZone()): string {
  const options = { month: 'short', day: 'numeric', ...CLOCK_TO_THE_SECOND } as const;
  return format(at, timeZone, isThisYear(at, timeZone) ? options : { ...options, year: 'numeric' });
}

/** Date and time to the minute; only the date for another year. */
export function formatShortMoment(at: string, timeZone = shownZone()): string {
  if (isThisYear(at, timeZone)) return format(at, timeZone, { month: 'short', day: 'numeric', ...CLOCK });
  return formatInZone(timeZone, Date.parse(at), { month: 'short', day: 'numeric', year: 'numeric' });
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
