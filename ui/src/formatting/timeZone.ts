// Arithmetic in an IANA time zone. "Wall time" is the local time in milliseconds, represented as if it were UTC.
const QUARTER_MS = 900_000;
const MAX_REMEMBERED = 5_000;

const formatters = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, Map<number, number>>();

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formatters.set(timeZone, formatter);
  }
  return formatter;
}

export function isTimeZone(name: string): boolean {
  try {
    formatterOf(name);
    return true;
  } catch {
    return false;
  }
}

/** UTC offset of the zone at an instant. Zones change only at quarters of an hour, so offsets are cached per quarter. */
export function offsetAt(timeZone: string, atMs: number): number {
  let known = offsets.get(timeZone);
  if (!known || known.size > MAX_REMEMBERED) {
    known = new Map();
    offsets.set(timeZone, known);
  }
  const quarter = Math.floor(atMs / QUARTER_MS);
  let offset = known.get(quarter);
  if (offset === undefined) {
    const instant = quarter * QUARTER_MS;
    const parts: Record<string, number> = {};
    for (const { type, value } of formatterOf(timeZone).formatToParts(instant)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    offset = Date.UTC(year, month - 1, day, hour, minute, second) - instant;
    known.set(quarter, offset);
  }
  return offset;
}

export const wallAt = (timeZone: string, atMs: number): number => atMs + offsetAt(timeZone, atMs);

/** The instant of a wall time: the first of two when clocks go back, the moment of the change when it is skipped. */
export function instantOf(timeZone: string, wallMs: number): number {
  const before = wallMs - offsetAt(timeZone, wallMs - 86_400_000);
  const after = wallMs - offsetAt(timeZone, wallMs + 86_400_000);
  const fits = [before, after].filter((instant) => wallAt(timeZone, instant) === wallMs);
  if (fits.length > 0) return Math.min(...fits);
  return firstInstantAfter(timeZone, wallMs, Math.min(before, after), Math.max(before, after));
}

function firstInstantAfter(timeZone: string, wallMs: number, low: number, high: number): number {
  let from = Math.floor(low / QUARTER_MS);
  let to = Math.ceil(high / QUARTER_MS);
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (wallAt(timeZone, middle * QUARTER_MS) >= wallMs) to = middle;
    else from = middle + 1;
  }
  return from * QUARTER_MS;
}

/** The date ("2026-11-22") of an instant in the zone. */
export const dateOf = (timeZone: string, atMs: number): string =>
  new Date(wallAt(timeZone, atMs)).toISOString().slice(0, 10);

/** The instants at which a date ("2026-11-22") begins and ends in the zone: 23, 24 or 25 hours apart. */
export function dayBounds(timeZone: string, date: string): { startMs: number; endMs: number } {
  const wall = Date.parse(`${date}T00:00:00Z`);
  return { startMs: instantOf(timeZone, wall), endMs: instantOf(timeZone, wall + 86_400_000) };
}

export const ownTimeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
