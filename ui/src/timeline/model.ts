// The data of a timeline. All times are milliseconds since 1970, UTC.

export interface TimeRange {
  startMs: number;
  endMs: number;
}

/** Footage. `coverage` (0 to 1) is below 1 where a coarse resolution has merged short gaps into it. */
export interface TimelineSpan extends TimeRange {
  coverage: number;
}

export type GapTone = 'lost' | 'unwanted';

/** Time without footage; `endMs` is null while the gap is open. */
export interface TimelineGap {
  startMs: number;
  endMs: number | null;
  /** A readable reason: "no route to the camera". */
  reason: string;
  /** The user who caused the gap, if any. */
  by: string | null;
  /** 'lost': footage is missing. 'unwanted': recording was not desired. */
  tone: GapTone;
}

/** An event at a moment or over a period. */
export interface TimelineEvent {
  atMs: number;
  endMs: number | null;
  /** 'recording', 'stream' or 'bookmark': each is drawn in its own shape. */
  kind: string;
  label: string;
}

/** Footage that retention may not delete. */
export interface TimelineProtection extends TimeRange {
  id: string;
  kind: string;
  note: string;
}

/** Where footage lies: on the local disk, there until an archive has a copy, on both, or in an archive only. */
export type Where = 'local' | 'waiting' | 'both' | 'archive';

export interface TimelinePlace extends TimeRange {
  where: Where;
}

export interface TimelineData {
  spans: TimelineSpan[];
  gaps: TimelineGap[];
  events: TimelineEvent[];
  protections: TimelineProtection[];
  /** Empty without an archive. */
  places: TimelinePlace[];
  /** First and last recorded moments of the device, independent of the visible range; null without footage. */
  oldestMs: number | null;
  newestMs: number | null;
}

export const NO_TIMELINE: TimelineData = {
  spans: [],
  gaps: [],
  events: [],
  protections: [],
  places: [],
  oldestMs: null,
  newestMs: null,
};

/** The moment of the bookmark nearest to `atMs`; null when none is within `reachMs`. */
export function bookmarkNear(data: TimelineData, atMs: number, reachMs: number): number | null {
  let nearest: number | null = null;
  for (const event of data.events) {
    if (event.kind !== 'bookmark' || Math.abs(event.atMs - atMs) > reachMs) continue;
    if (nearest === null || Math.abs(event.atMs - atMs) < Math.abs(nearest - atMs)) nearest = event.atMs;
  }
  return nearest;
}

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
