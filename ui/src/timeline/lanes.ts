// Lanes of events below the track of a timeline: pure.
import type { TimeRange } from './model';

/** Events that are one mark at the resolution of the lane. */
export interface LaneRun extends TimeRange {
  events: number;
}

export interface TimelineLane {
  /** What happened: "Person". */
  name: string;
  /** Index of its colour, less than LANE_COLORS. */
  color: number;
  events: number;
  /** In order, without overlaps. */
  runs: LaneRun[];
}

export const LANE_COLORS = 8;
/** More lanes are drawn as one, "Other". */
export const MAX_LANES = 6;
export const LANE_PX = 7;
const LANE_STEP_PX = LANE_PX + 3;
/** A press this near to a mark means it. */
const REACH_PX = 8;

export const lanesHeight = (lanes: TimelineLane[]): number =>
  lanes.length === 0 ? 0 : lanes.length * LANE_STEP_PX + 3;

/** The top of a lane, from the upper edge of all lanes. */
export const laneTop = (index: number): number => index * LANE_STEP_PX + 1;

/** A name has the same colour on every camera, unless another lane of the camera has it already. */
export function withColors<Lane extends { name: string }>(lanes: Lane[]): (Lane & { color: number })[] {
  const taken = new Set<number>();
  return lanes.map((lane) => {
    let color = [...lane.name].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 9973, 7) % LANE_COLORS;
    while (taken.has(color) && taken.size < LANE_COLORS) color = (color + 1) % LANE_COLORS;
    taken.add(color);
    return { ...lane, color };
  });
}

/** The lanes with the most events in the order of their names, the rest as one lane. */
export function limitLanes(lanes: Omit<TimelineLane, 'color'>[]): Omit<TimelineLane, 'color'>[] {
  const byEvents = [...lanes].sort((a, b) => b.events - a.events);
  const shown = byEvents.length > MAX_LANES ? byEvents.slice(0, MAX_LANES - 1) : byEvents;
  const rest = byEvents.slice(shown.length);
  const named = shown.sort((a, b) => a.name.localeCompare(b.name));
  if (rest.length === 0) return named;
  const events = rest.reduce((sum, lane) => sum + lane.events, 0);
  return [...named, { name: 'Other', events, runs: joinRuns(rest.flatMap(({ runs }) => runs)) }];
}

/** Overlapping runs as one. */
function joinRuns(runs: LaneRun[]): LaneRun[] {
  const joined: LaneRun[] = [];
  for (const run of runs.sort((a, b) => a.startMs - b.startMs)) {
    const last = joined.at(-1);
    if (last && run.startMs <= last.endMs) {
      last.endMs = Math.max(last.endMs, run.endMs);
      last.events += run.events;
    } else joined.push({ ...run });
  }
  return joined;
}

/** The index of the first run that ends at or after a moment. */
export function firstRunFrom(runs: LaneRun[], atMs: number): number {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[middle]!.endMs < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The run nearest to a moment, at most `reachMs` away. */
export function runNear(runs: LaneRun[], atMs: number, reachMs: number): LaneRun | null {
  const index = firstRunFrom(runs, atMs);
  const distance = (run: LaneRun | undefined) =>
    run ? Math.max(0, run.startMs - atMs, atMs - run.endMs) : Number.POSITIVE_INFINITY;
  const [before, after] = [runs[index - 1], runs[index]];
  const nearest = distance(before) < distance(after) ? before : after;
  return nearest && distance(nearest) <= reachMs ? nearest : null;
}

/** The mark at a position; `y` from the upper edge of all lanes. */
export function runAt(
  lanes: TimelineLane[],
  place: { atMs: number; y: number; msPerPx: number },
): { lane: TimelineLane; run: LaneRun } | null {
  if (place.y < 0) return null;
  const lane = lanes[Math.min(lanes.length - 1, Math.floor(place.y / LANE_STEP_PX))];
  const run = lane && runNear(lane.runs, place.atMs, REACH_PX * place.msPerPx);
  return lane && run ? { lane, run } : null;
}
