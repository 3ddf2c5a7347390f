// The shapes of recordings in the REST API. Times are RFC 3339 in UTC; `start` and `end` of a request accept any offset.
import type { Reason } from './types';

export type RecordingMode = 'off' | 'continuous' | 'scheduled' | 'event';
export type RecordingState = 'off' | 'waiting' | 'recording' | 'interrupted';
export type RecordingCause = 'continuous' | 'schedule' | 'event' | 'manual';
export type Weekday = 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday';

/** Spans of a week as ["08:00", "18:00"]; the end may be "24:00", an end before the start lies on the next day. */
export type WeeklyPlan = Partial<Record<Weekday, [string, string][]>>;

/** The editable recording settings of a device; PUT replaces all of them. */
export interface RecordingSettings {
  mode: RecordingMode;
  time_zone: string;
  plan: WeeklyPlan;
  pre_roll_seconds: number;
  post_roll_seconds: number;
  /** null: the server's default for all devices. */
  keep_days: number | null;
  keep_bytes: number | null;
  /** Of footage that is in an archive only; null: the server's default for all cameras. */
  archive_keep_days: number | null;
  /** Whether the limits of the local disk wait for a verified copy, where an archive takes the footage. */
  waits_for_copy: boolean;
}

/** Recording was started or stopped manually, overriding the mode. */
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
  local_bytes: number;
  archived_bytes: number;
  /** The archive that takes the footage. */
  archived_by: string | null;
  seconds: number;
  /** The effective limits, including the server's own. */
  retention: Retention;
}

/** The limits in effect, and how long footage lasts at the current growth. */
export interface Retention {
  keep_days: number | null;
  keep_bytes: number | null;
  archive_keep_days: number | null;
  free_bytes_floor: number | null;
  /** null without growth, or without any limit. */
  expected_seconds: number | null;
  /** The limit that takes effect first: of the device, of its tenant, of all devices, or the disk's size. */
  limit: 'age' | 'size' | 'tenant' | 'store' | 'disk' | null;
  /** For this time a deleted device can be restored with its footage. */
  bin_hours: number;
}

/** The unprotected footage that other limits would delete. */
export interface ExpiringFootage {
  bytes: number;
  seconds: number;
  days: number;
  oldest: string | null;
  newest: string | null;
  /** Local files that would go, of footage that stays in the archive, and those that would wait for their copy. */
  archived_bytes: number;
  waiting_bytes: number;
}

export interface RecordedDate {
  /** YYYY-MM-DD in the requested time zone. */
  date: string;
  seconds: number;
  wanted_seconds: number | null;
  /** 0 to 1 of the desired recording time; null when no recording was desired. */
  coverage: number | null;
  bytes: number;
  segments: number;
  archived_bytes: number;
  away_bytes: number;
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
  place: FootagePlace;
  url: string;
}

/** Where footage lies: on the local disk, there until an archive has a copy, on both, or in an archive only. */
export type FootagePlace = 'local' | 'waiting' | 'both' | 'archive';

export interface TimelinePlace {
  start: string;
  end: string;
  place: FootagePlace;
}

export interface TimelineSpan {
  start: string;
  end: string;
  /** 0 to 1: below 1 where gaps shorter than the resolution are merged into the span. */
  coverage: number;
}

export interface TimelineGap {
  start: string;
  /** null: the gap is still open. */
  end: string | null;
  reason: Reason;
  by: string | null;
  /** false where no recording was desired: off, outside the plan, stopped manually. */
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
  /** Empty without an archive. */
  places: TimelinePlace[];
  oldest: string | null;
  newest: string | null;
}

export interface CoverageGap {
  start: string;
  end: string | null;
  seconds: number;
  reason: Reason;
  by: string | null;
  /** false where no recording was desired. */
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

/** The amount of footage that a deletion removes, or would remove. */
export interface FootageDeletion {
  segments: number;
  bytes: number;
  seconds: number;
  kept_protected: number;
}

export interface ArchiveFailure {
  code: string;
  message: string;
  remedy: string;
}

/** What the plugin of an archive does with footage that waits for a copy. */
export interface ArchiveState {
  name: string;
  state: string;
  reason: ArchiveFailure | null;
  failing_since: string | null;
  next_try_at: string | null;
  bytes_per_second: number;
  /** When nothing waits any more at this rate. */
  ends_at: string | null;
  is_testable: boolean;
}

/** Footage of a device that waits for its copy. */
export interface ArchiveBacklog {
  device_id: string;
  device_name: string;
  waiting_bytes: number;
  oldest: string | null;
}

export interface Archives {
  archived_bytes: number;
  away_bytes: number;
  waiting_bytes: number;
  devices: number;
  archives: ArchiveState[];
  /** The devices of which most waits, most first. */
  backlogs: ArchiveBacklog[];
}

export interface StorageStatistics {
  state: string;
  reason: Reason | null;
  total_bytes: number | null;
  free_bytes: number | null;
  used_by_recordings_bytes: number | null;
  /** null without an archive. */
  archive: Archives | null;
  floor_bytes: number | null;
  bytes_per_day: number | null;
  days_left: number | null;
  /** Limits of all footage, and of the tenant's; null without one. */
  keep_bytes: number | null;
  tenant_keep_bytes: number | null;
}
