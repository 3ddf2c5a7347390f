// What a timeline shows. All times are milliseconds since 1970, UTC.

export interface TimeRange {
  startMs: number;
  endMs: number;
}

/** Footage. `coverage` (0 to 1) is below 1 where a coarse answer has merged short gaps into it. */
export interface TimelineSpan extends TimeRange {
  coverage: number;
}

export type GapTone = 'lost' | 'unwanted';

/** Time without footage; `endMs` null while it lasts. */
export interface TimelineGap {
  startMs: number;
  endMs: number | null;
  /** Why, in words for a person: "no route to the camera". */
  reason: string;
  /** Whose doing it was, where it was a person's. */
  by: string | null;
  /** 'lost': footage should be there. 'unwanted': nobody asked for any. */
  tone: GapTone;
}

/** Something that happened, at a moment or for a while. */
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

export interface TimelineData {
  spans: TimelineSpan[];
  gaps: TimelineGap[];
  events: TimelineEvent[];
  protections: TimelineProtection[];
  /** First and last recorded moments of the device, whatever is visible; null when there is none. */
  oldestMs: number | null;
  newestMs: number | null;
}

export const NO_TIMELINE: TimelineData = {
  spans: [],
  gaps: [],
  events: [],
  protections: [],
  oldestMs: null,
  newestMs: null,
};

/** The moment of the bookmark nearest to another moment; null where none is within reach. */
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
