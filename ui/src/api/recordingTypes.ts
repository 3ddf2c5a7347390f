// The shapes of recordings in the REST API. Times are RFC 3339 in UTC; `start` and `end` of a request accept any offset.
import type { Reason } from './types';

export type RecordingMode = 'off' | 'continuous' | 'scheduled' | 'event';
export type RecordingState = 'off' | 'waiting' | 'recording' | 'interrupted';
export type RecordingCause = 'continuous' | 'schedule' | 'event' | 'manual';
export type Weekday = 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday';

/** Spans of a week as ["08:00", "18:00"]; "24:00" may end one, an end before its start lies on the next day. */
export type WeeklyPlan = Partial<Record<Weekday, [string, string][]>>;

/** What a person may set on a device's recording; PUT replaces all of it. */
export interface RecordingSettings {
  mode: RecordingMode;
  time_zone: string;
  plan: WeeklyPlan;
  pre_roll_seconds: number;
  post_roll_seconds: number;
  /** null: as the server does for every device. */
  keep_days: number | null;
  keep_bytes: number | null;
}

/** Somebody started or stopped recording by hand, whatever the mode says. */
export interface RecordingOverride {
  wish: 'on' | 'off';
  by: string | null;
  at: string;
  until: string | null;
}

export interface Recording extends RecordingSettings {
  device_id: string;
  device_name: string;
  override: RecordingOverride | null;
  is_wanted: boolean;
  cause: RecordingCause | null;
  observed: RecordingState;
  reason: Reason | null;
  since: string | null;
  oldest: string | null;
  newest: string | null;
  bytes: number;
  seconds: number;
  /** What holds in effect, with the server's own limits. */
  retention: { keep_days: number | null; keep_bytes: number | null; free_bytes_floor: number };
}

export interface RecordedDate {
  /** YYYY-MM-DD in the time zone asked for. */
  date: string;
  seconds: number;
  wanted_seconds: number | null;
  /** 0 up to 1 of what was wanted; null when nothing was. */
  coverage: number | null;
  bytes: number;
  segments: number;
  gaps: number;
}

export interface SegmentFile {
  id: number;
  start: string;
  end: string;
  duration_seconds: number;
  size: number;
  frames: number;
  run: number;
  sequence: number;
  is_open: boolean;
  url: string;
}

export interface TimelineSpan {
  start: string;
  end: string;
  /** 0 up to 1: below 1 where pieces finer than the resolution are missing. */
  coverage: number;
}

export interface TimelineGap {
  start: string;
  /** null: still open. */
  end: string | null;
  reason: Reason;
  by: string | null;
  /** false where nobody wanted footage: off, outside the plan, stopped by a person. */
  is_wanted: boolean;
}

export interface TimelineEvent {
  kind: 'recording' | 'stream';
  at: string;
  end: string | null;
  label: string;
  note: string | null;
}

export interface Protection {
  id: number;
  start: string;
  end: string;
  kind: 'hold' | 'export' | 'bookmark';
  note: string | null;
}

export interface RecordingTimeline {
  start: string;
  end: string;
  resolution_seconds: number;
  spans: TimelineSpan[];
  gaps: TimelineGap[];
  events: TimelineEvent[];
  protections: Protection[];
  oldest: string | null;
  newest: string | null;
}

export interface CoverageGap {
  start: string;
  end: string | null;
  seconds: number;
  reason: Reason;
  by: string | null;
  /** false where nobody wanted footage. */
  is_wanted: boolean;
}

export interface CoverageDay {
  device_id?: string;
  device_name?: string;
  date: string;
  recorded_seconds: number;
  wanted_seconds: number;
  coverage: number | null;
  gaps: CoverageGap[];
}

export interface RecordingEvent {
  id: number;
  at: string;
  end: string | null;
  label: string;
  note: string | null;
  source: string;
}

/** What a deletion takes, or would take. */
export interface FootageDeletion {
  segments: number;
  bytes: number;
  seconds: number;
  kept_protected: number;
}

export interface StorageStatistics {
  state: string;
  reason: Reason | null;
  total_bytes: number | null;
  free_bytes: number | null;
  used_by_recordings_bytes: number | null;
  floor_bytes: number | null;
  bytes_per_day: number | null;
  days_left: number | null;
}
