// The texts of a timeline: labels of ticks in its time zone, gaps, and the recording state of a moment.
import { CLOCK, CLOCK_TO_THE_SECOND, FULL_HOUR } from '../formatting/clock';
import { formatLength } from '../formatting/moments';
import { formatInZone, formatTime } from '../formatting/zonedTimes';
import type { LaneRun } from './lanes';
import { HOUR_MS, MINUTE_MS, type TimelineData, type TimelineGap, type TimelinePlace, type Where } from './model';
import type { TickStep } from './ticks';

/** The label below a tick. */
export function tickLabel(step: TickStep, timeZone: string, atMs: number): string {
  if (step.unit === 'year') return formatInZone(timeZone, atMs, { year: 'numeric' });
  if (step.unit === 'month') return formatInZone(timeZone, atMs, { month: 'short' });
  if (step.unit === 'week') return formatInZone(timeZone, atMs, { day: 'numeric', month: 'short' });
  if (step.unit === 'day') return formatInZone(timeZone, atMs, { weekday: 'short', day: 'numeric' });
  if (step.count % HOUR_MS === 0) return formatInZone(timeZone, atMs, FULL_HOUR);
  return formatInZone(timeZone, atMs, step.count < MINUTE_MS ? CLOCK_TO_THE_SECOND : CLOCK);
}

/** The label of the upper row: the day above hours, the month above days, the year above months. */
export function contextLabel(step: TickStep, timeZone: string, atMs: number): string {
  if (step.unit === 'year') return formatInZone(timeZone, atMs, { year: 'numeric' });
  if (step.unit === 'month') return formatInZone(timeZone, atMs, { month: 'long', year: 'numeric' });
  return formatInZone(timeZone, atMs, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
}

/** "Not recorded: the camera refuses connections, 2 min 3 s". */
export function formatGap(gap: TimelineGap, nowMs: number): string {
  const isOpen = gap.endMs === null;
  const length = formatLength((gap.endMs ?? nowMs) - gap.startMs);
  // Some reasons already name the user.
  const by = gap.by && !gap.reason.includes(gap.by) ? ` by ${gap.by}` : '';
  return `${gap.tone === 'lost' ? 'Footage missing' : 'Not recorded'}: ${gap.reason}${by}, ${isOpen ? `for ${length} so far` : length}`;
}

export const gapAt = (data: TimelineData, atMs: number, nowMs: number): TimelineGap | null =>
  data.gaps.findLast((gap) => gap.startMs <= atMs && atMs < (gap.endMs ?? nowMs)) ?? null;

const WHERE: Record<Where, string> = {
  local: 'On the local disk',
  waiting: 'On the local disk, waiting for the archive',
  both: 'On the local disk and in the archive',
  archive: 'In the archive',
};

/** The place of a moment, to a quarter of an hour; null without an archive. */
export const placeAt = (data: TimelineData, atMs: number): TimelinePlace | null =>
  data.places.find(({ startMs, endMs }) => startMs <= atMs && atMs < endMs) ?? null;

/** Where the footage of a moment lies; null without an archive, or without footage. */
export function formatWhere(data: TimelineData, atMs: number): string | null {
  const place = placeAt(data, atMs);
  return place && data.spans.some(({ startMs, endMs }) => startMs <= atMs && atMs < endMs) ? WHERE[place.where] : null;
}

/** The state at a moment: footage, a gap with its reason, the future, or unknown. */
export function formatState(data: TimelineData, atMs: number, nowMs: number): string {
  if (atMs > nowMs) return 'In the future';
  const span = data.spans.find(({ startMs, endMs }) => startMs <= atMs && atMs < endMs);
  if (span && span.coverage >= 0.995) return 'Recorded';
  const gap = gapAt(data, atMs, nowMs);
  if (gap) return formatGap(gap, nowMs);
  if (span) return `${Math.floor(span.coverage * 100)} % recorded`;
  if (data.newestMs !== null && atMs >= data.newestMs)
    return nowMs - data.newestMs < 15_000 ? 'Being recorded' : 'Nothing recorded since';
  if (data.oldestMs !== null && atMs < data.oldestMs) return 'Before the oldest footage';
  return 'Nothing recorded';
}

/** "Person, 10:00:05, 12 s" or "Person, 3 events from 10:00:05 to 10:01:20". */
export function formatRun(name: string, run: LaneRun, timeZone: string): string {
  const start = formatTime(timeZone, run.startMs);
  if (run.events > 1) return `${name}, ${run.events} events from ${start} to ${formatTime(timeZone, run.endMs)}`;
  return run.endMs > run.startMs ? `${name}, ${start}, ${formatLength(run.endMs - run.startMs)}` : `${name}, ${start}`;
}
