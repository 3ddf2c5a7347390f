// Formats moments in an IANA time zone.
import { CLOCK_TO_THE_SECOND } from './clock';
import { isForeignZone } from './shownZone';
import { offsetAt } from './timeZone';

const formatters = new Map<string, Intl.DateTimeFormat>();

export function formatInZone(timeZone: string, atMs: number, options: Intl.DateTimeFormatOptions): string {
  const key = `${timeZone} ${JSON.stringify(options)}`;
  let formatter = formatters.get(key);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat(undefined, { ...options, timeZone });
    formatters.set(key, formatter);
  }
  return formatter.format(atMs);
}

/** Clocks change within two hours of this moment, so the time of day alone could mean two moments. */
const isAmbiguous = (timeZone: string, atMs: number): boolean =>
  offsetAt(timeZone, atMs - 7_200_000) !== offsetAt(timeZone, atMs + 7_200_000);

export function formatTime(timeZone: string, atMs: number): string {
  const zone = isForeignZone(timeZone, atMs) || isAmbiguous(timeZone, atMs) ? ({ timeZoneName: 'short' } as const) : {};
  return formatInZone(timeZone, atMs, { ...CLOCK_TO_THE_SECOND, ...zone });
}

export function formatMoment(timeZone: string, atMs: number): string {
  return `${formatInZone(timeZone, atMs, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' })}, ${formatTime(timeZone, atMs)}`;
}
