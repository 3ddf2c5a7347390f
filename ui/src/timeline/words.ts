// A timeline in words: moments in its zone, lengths of time, and what is or is not recorded.
import { CLOCK, CLOCK_TO_THE_SECOND, FULL_HOUR } from '../formatting/clock';
import { HOUR_MS, MINUTE_MS, type TimelineData, type TimelineGap } from './model';
import type { TickStep } from './ticks';
import { offsetAt } from '../formatting/timeZone';

const formatters = new Map<string, Intl.DateTimeFormat>();

function format(timeZone: string, atMs: number, options: Intl.DateTimeFormatOptions): string {
  const key = `${timeZone} ${JSON.stringify(options)}`;
  let formatter = formatters.get(key);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat(undefined, { ...options, timeZone });
    formatters.set(key, formatter);
  }
  return formatter.format(atMs);
}

/** The label below a tick. */
export function tickLabel(step: TickStep, timeZone: string, atMs: number): string {
  if (step.unit === 'year') return format(timeZone, atMs, { year: 'numeric' });
  if (step.unit === 'month') return format(timeZone, atMs, { month: 'short' });
  if (step.unit === 'week') return format(timeZone, atMs, { day: 'numeric', month: 'short' });
  if (step.unit === 'day') return format(timeZone, atMs, { weekday: 'short', day: 'numeric' });
  if (step.count % HOUR_MS === 0) return format(timeZone, atMs, FULL_HOUR);
  return format(timeZone, atMs, step.count < MINUTE_MS ? CLOCK_TO_THE_SECOND : CLOCK);
}

/** The label of the upper row: the day above hours, the month above days, the year above months. */
export function contextLabel(step: TickStep, timeZone: string, atMs: number): string {
  if (step.unit === 'year') return format(timeZone, atMs, { year: 'numeric' });
  if (step.unit === 'month') return format(timeZone, atMs, { month: 'long', year: 'numeric' });
  return format(timeZone, atMs, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
}

/** Clocks are turned within two hours of this moment, so that the time of day alone could mean two moments. */
const isAmbiguous = (timeZone: string, atMs: number): boolean =>
  offsetAt(timeZone, atMs - 7_200_000) !== offsetAt(timeZone, atMs + 7_200_000);

export function formatTime(timeZone: string, atMs: number): string {
  const zone = isAmbiguous(timeZone, atMs) ? ({ timeZoneName: 'short' } as const) : {};
  return format(timeZone, atMs, { ...CLOCK_TO_THE_SECOND, ...zone });
}

export function formatMoment(timeZone: string, atMs: number): string {
  return `${format(timeZone, atMs, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' })}, ${formatTime(timeZone, atMs)}`;
}

/** "2 min 3 s", "1 h 5 min", "3 d 4 h": two units at most, and never "0 s" for something that was. */
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

/** "Not recorded: the camera refuses connections, 2 min 3 s". */
export function gapWords(gap: TimelineGap, nowMs: number): string {
  const lasts = gap.endMs === null;
  const length = formatLength((gap.endMs ?? nowMs) - gap.startMs);
  // Some reasons name the person themselves.
  const by = gap.by && !gap.reason.includes(gap.by) ? ` by ${gap.by}` : '';
  return `${gap.tone === 'lost' ? 'Footage missing' : 'Not recorded'}: ${gap.reason}${by}, ${lasts ? `for ${length} so far` : length}`;
}

export const gapAt = (data: TimelineData, atMs: number, nowMs: number): TimelineGap | null =>
  data.gaps.findLast((gap) => gap.startMs <= atMs && atMs < (gap.endMs ?? nowMs)) ?? null;

/** What is at a moment: footage, a gap with its reason, the future, or nothing known. */
export function stateWords(data: TimelineData, atMs: number, nowMs: number): string {
  if (atMs > nowMs) return 'In the future';
  const span = data.spans.find(({ startMs, endMs }) => startMs <= atMs && atMs < endMs);
  if (span && span.coverage >= 0.995) return 'Recorded';
  const gap = gapAt(data, atMs, nowMs);
  if (gap) return gapWords(gap, nowMs);
  if (span) return `${Math.floor(span.coverage * 100)} % recorded`;
  if (data.newestMs !== null && atMs >= data.newestMs)
    return nowMs - data.newestMs < 15_000 ? 'Being recorded' : 'Nothing recorded since';
  if (data.oldestMs !== null && atMs < data.oldestMs) return 'Before the oldest footage';
  return 'Nothing recorded';
}
