// Chooses the ticks of a timeline: as many as fit, at round local times of the zone, also across clock changes.
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, type TimeRange } from './model';
import { instantOf, offsetAt, wallAt } from '../formatting/timeZone';

export type TickUnit = 'clock' | 'day' | 'week' | 'month' | 'year';

export interface TickStep {
  unit: TickUnit;
  /** Number of units; milliseconds for 'clock'. */
  count: number;
  /** Typical length, used to choose a step. */
  spanMs: number;
}

export interface Tick {
  atMs: number;
  /** The start of a larger unit: midnight among hours, January among months. */
  isMajor: boolean;
}

const clock = (spanMs: number): TickStep => ({ unit: 'clock', count: spanMs, spanMs });

export const TICK_STEPS: TickStep[] = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => clock(seconds * SECOND_MS)),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => clock(minutes * MINUTE_MS)),
  ...[1, 2, 3, 6, 12].map((hours) => clock(hours * HOUR_MS)),
  { unit: 'day', count: 1, spanMs: DAY_MS },
  { unit: 'week', count: 1, spanMs: 7 * DAY_MS },
  { unit: 'month', count: 1, spanMs: 30.4 * DAY_MS },
  { unit: 'month', count: 3, spanMs: 91.3 * DAY_MS },
  { unit: 'year', count: 1, spanMs: 365 * DAY_MS },
];

const MAX_TICKS = 200;

/** The finest step whose ticks are at least `minPx` apart. */
export function chooseStep(range: TimeRange, widthPx: number, minPx: (step: TickStep) => number): TickStep {
  const pxPerMs = widthPx / Math.max(1, range.endMs - range.startMs);
  return TICK_STEPS.find((step) => step.spanMs * pxPerMs >= minPx(step)) ?? TICK_STEPS[TICK_STEPS.length - 1]!;
}

/** The larger step that the upper row of labels shows. */
export function contextStep(step: TickStep): TickStep | null {
  if (step.unit === 'clock') return { unit: 'day', count: 1, spanMs: DAY_MS };
  if (step.unit === 'day' || step.unit === 'week') return { unit: 'month', count: 1, spanMs: 30.4 * DAY_MS };
  if (step.unit === 'month') return { unit: 'year', count: 1, spanMs: 365 * DAY_MS };
  return null;
}

function floorWall(wallMs: number, { unit, count }: TickStep): number {
  const wall = new Date(wallMs);
  const [year, month, day] = [wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()];
  if (unit === 'year') return Date.UTC(year - (year % count), 0, 1);
  if (unit === 'month') return Date.UTC(year, month - (month % count), 1);
  if (unit === 'week') return Date.UTC(year, month, day - ((wall.getUTCDay() + 6) % 7));
  return Date.UTC(year, month, day);
}

function nextWall(wallMs: number, { unit, count }: TickStep): number {
  const wall = new Date(wallMs);
  const [year, month, day] = [wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()];
  if (unit === 'year') return Date.UTC(year + count, 0, 1);
  if (unit === 'month') return Date.UTC(year, month + count, 1);
  return Date.UTC(year, month, day + (unit === 'week' ? 7 : 1) * count);
}

function calendarTicks(range: TimeRange, step: TickStep, timeZone: string): number[] {
  const instants: number[] = [];
  let wall = floorWall(wallAt(timeZone, range.startMs), step);
  while (instants.length < MAX_TICKS) {
    const instant = instantOf(timeZone, wall);
    if (instant > range.endMs) break;
    instants.push(instant);
    wall = nextWall(wall, step);
  }
  return instants;
}

/** The next round local time: a repeated hour has two ticks, a skipped hour has none. */
function nextClock(timeZone: string, atMs: number, stepMs: number): number {
  const wall = wallAt(timeZone, atMs);
  const next = (Math.floor(wall / stepMs) + 1) * stepMs;
  const unchanged = atMs + next - wall;
  if (wallAt(timeZone, unchanged) % stepMs === 0) return unchanged;
  const changed = next - offsetAt(timeZone, unchanged);
  if (changed > atMs && wallAt(timeZone, changed) === next) return changed;
  return Math.max(unchanged, changed);
}

function clockTicks(range: TimeRange, step: TickStep, timeZone: string): number[] {
  const instants: number[] = [];
  const wall = wallAt(timeZone, range.startMs);
  let instant = range.startMs - (((wall % step.count) + step.count) % step.count);
  while (instants.length < MAX_TICKS && instant <= range.endMs) {
    instants.push(instant);
    instant = nextClock(timeZone, instant, step.count);
  }
  return instants;
}

/** All ticks of the step in the range and the one before it, so that its label can stay while its position is not visible. */
export function buildTicks(range: TimeRange, step: TickStep, timeZone: string): Tick[] {
  const instants = step.unit === 'clock' ? clockTicks(range, step, timeZone) : calendarTicks(range, step, timeZone);
  const larger = contextStep(step);
  return instants.map((atMs) => {
    const wall = wallAt(timeZone, atMs);
    return { atMs, isMajor: larger !== null && floorWall(wall, larger) === wall };
  });
}
