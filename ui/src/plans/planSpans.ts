// A weekly plan as spans of minutes for drawing and dragging: pure.
import type { Weekday, WeeklyPlan } from '../api/recordingTypes';
import { clockText, formatClockOf, parseClock } from '../formatting/clock';

/** Minutes since the day's midnight; `end` is beyond 1440 where it lies on the next day. */
export interface PlanSpan {
  day: number;
  start: number;
  end: number;
}

export const WEEKDAYS: Weekday[] = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
export const WEEKDAY_NAMES = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
export const DAY_MINUTES = 1440;
export const SNAP_MINUTES = 15;
const MIN_MINUTES = 5;

/** The time of day of a span's end, which may lie on the next day. */
export const onClock = (minutes: number): number => (minutes > DAY_MINUTES ? minutes - DAY_MINUTES : minutes);

export function spansOf(plan: WeeklyPlan): PlanSpan[] {
  return WEEKDAYS.flatMap((weekday, day) =>
    (plan[weekday] ?? []).flatMap(([from, to]): PlanSpan[] => {
      const [start, end] = [parseClock(from), parseClock(to)];
      if (start === null || end === null) return [];
      return [{ day, start, end: end > start ? end : end + DAY_MINUTES }];
    }),
  );
}

/** A whole day is always written as 00:00 to 24:00: 24 hours that start later become two spans. */
function cutDays(span: PlanSpan): PlanSpan[] {
  const { day, start, end } = span;
  if (end - start < DAY_MINUTES || start === 0)
    return [{ ...span, end: start === 0 ? Math.min(end, DAY_MINUTES) : end }];
  return [
    { day, start, end: DAY_MINUTES },
    { day: (day + 1) % 7, start: 0, end: start },
  ];
}

/** Sorts the spans and merges adjacent ones of the same day. */
export function tidy(spans: PlanSpan[]): PlanSpan[] {
  const merged: PlanSpan[] = [];
  for (const span of spans.flatMap(cutDays).sort((a, b) => a.day - b.day || a.start - b.start)) {
    const last = merged.at(-1);
    if (last && last.day === span.day && span.start <= last.end)
      last.end = Math.min(Math.max(last.end, span.end), last.start + DAY_MINUTES);
    else merged.push({ ...span });
  }
  return merged.flatMap(cutDays);
}

export function planOf(spans: PlanSpan[]): WeeklyPlan {
  const plan: WeeklyPlan = {};
  for (const { day, start, end } of tidy(spans)) {
    const weekday = WEEKDAYS[day];
    if (weekday) (plan[weekday] ??= []).push([clockText(start), clockText(onClock(end))]);
  }
  return plan;
}

export const snap = (minutes: number): number => Math.round(minutes / SNAP_MINUTES) * SNAP_MINUTES;

/** Moves a span within its day and keeps its length. */
export function shift(span: PlanSpan, byMinutes: number): PlanSpan {
  const start = Math.min(DAY_MINUTES - SNAP_MINUTES, Math.max(0, span.start + byMinutes));
  return { ...span, start, end: start + span.end - span.start };
}

/** Moves one end of a span; its length stays between a few minutes and a day. */
export function resize(span: PlanSpan, edge: 'start' | 'end', minutes: number): PlanSpan {
  if (edge === 'start') {
    const start = Math.min(Math.max(0, minutes), DAY_MINUTES - MIN_MINUTES, span.end - MIN_MINUTES);
    return { ...span, start: Math.max(start, span.end - DAY_MINUTES) };
  }
  return { ...span, end: Math.min(Math.max(minutes, span.start + MIN_MINUTES), span.start + DAY_MINUTES) };
}

/** Sets the typed times of a span: an end that is not after its start lies on the next day. */
export function retime(span: PlanSpan, start: number, end: number): PlanSpan {
  const kept = start >= DAY_MINUTES ? 0 : start;
  return { ...span, start: kept, end: end > kept ? end : end + DAY_MINUTES };
}

/** The pieces to draw in a day's row: its own spans up to midnight, and the remainder of the previous day. */
export function pieces(
  spans: PlanSpan[],
  day: number,
): { index: number; start: number; end: number; isRemainder: boolean }[] {
  return spans.flatMap((span, index) => {
    const drawn = [];
    if (span.day === day)
      drawn.push({ index, start: span.start, end: Math.min(span.end, DAY_MINUTES), isRemainder: false });
    if ((span.day + 1) % 7 === day && span.end > DAY_MINUTES)
      drawn.push({ index, start: 0, end: span.end - DAY_MINUTES, isRemainder: true });
    return drawn;
  });
}

export function formatPlanSpan({ day, start, end }: PlanSpan): string {
  const next = end > DAY_MINUTES ? ` on ${WEEKDAY_NAMES[(day + 1) % 7]}` : '';
  return `${WEEKDAY_NAMES[day]}, ${formatClockOf(start)} to ${formatClockOf(onClock(end))}${next}`;
}

const everyDay = (days: number[], start: number, end: number): PlanSpan[] => days.map((day) => ({ day, start, end }));

export const PLAN_PRESETS: { label: string; spans: PlanSpan[] }[] = [
  { label: 'Working hours', spans: everyDay([0, 1, 2, 3, 4], 8 * 60, 18 * 60) },
  {
    label: 'Outside working hours',
    spans: [
      ...everyDay([0, 1, 2, 3], 18 * 60, 32 * 60),
      { day: 4, start: 18 * 60, end: DAY_MINUTES },
      ...everyDay([5, 6], 0, DAY_MINUTES),
      { day: 0, start: 0, end: 8 * 60 },
    ],
  },
  { label: 'Every night', spans: everyDay([0, 1, 2, 3, 4, 5, 6], 20 * 60, 30 * 60) },
];
