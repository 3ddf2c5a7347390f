// Recordings, coverage, timelines and storage for tests.
import type {
  CoverageDay,
  Recording,
  RecordedDate,
  RecordingTimeline,
  StorageStatistics,
} from '../src/api/recordingTypes';

export function buildRecording(change: Partial<Recording> = {}): Recording {
  return {
    device_id: 'd1',
    device_name: 'Main gate',
    mode: 'continuous',
    time_zone: 'Europe/Berlin',
    plan: {},
    pre_roll_seconds: 5,
    post_roll_seconds: 10,
    keep_days: null,
    keep_bytes: null,
    archive_keep_days: null,
    waits_for_copy: true,
    archived_by: null,
    override: null,
    is_wanted: true,
    cause: 'continuous',
    observed: 'recording',
    reason: null,
    since: '2026-11-20T08:00:00Z',
    oldest: '2026-11-10T00:00:00Z',
    newest: '2026-11-22T12:00:00Z',
    bytes: 146_000_000_000,
    local_bytes: 146_000_000_000,
    archived_bytes: 0,
    seconds: 900_000,
    retention: {
      keep_days: 14,
      keep_bytes: null,
      archive_keep_days: null,
      free_bytes_floor: 2_000_000_000,
      expected_seconds: 14 * 86_400,
      limit: 'age',
      bin_hours: 24,
    },
    ...change,
  };
}

export function buildRecordedDate(date: string, change: Partial<RecordedDate> = {}): RecordedDate {
  return {
    date,
    seconds: 86_400,
    wanted_seconds: 86_400,
    coverage: 1,
    bytes: 43_200_000_000,
    segments: 1440,
    archived_bytes: 0,
    away_bytes: 0,
    gaps: 0,
    ...change,
  };
}

export function buildCoverageDay(date: string, change: Partial<CoverageDay> = {}): CoverageDay {
  return {
    device_id: 'd1',
    device_name: 'Main gate',
    date,
    recorded_seconds: 86_400,
    wanted_seconds: 86_400,
    coverage: 1,
    gaps: [],
    ...change,
  };
}

export function buildTimeline(change: Partial<RecordingTimeline> = {}): RecordingTimeline {
  return {
    start: '2026-11-22T00:00:00Z',
    end: '2026-11-23T00:00:00Z',
    resolution_seconds: 60,
    spans: [{ start: '2026-11-22T00:00:00Z', end: '2026-11-22T10:00:00Z', coverage: 1 }],
    gaps: [],
    events: [],
    protections: [],
    places: [],
    oldest: '2026-11-10T00:00:00Z',
    newest: '2026-11-22T12:00:00Z',
    ...change,
  };
}

export function buildStorage(change: Partial<StorageStatistics> = {}): StorageStatistics {
  return {
    state: 'ok',
    reason: null,
    total_bytes: 1_000_000_000_000,
    free_bytes: 400_000_000_000,
    used_by_recordings_bytes: 500_000_000_000,
    archive: null,
    floor_bytes: 10_000_000_000,
    bytes_per_day: 40_000_000_000,
    days_left: 9.75,
    keep_bytes: null,
    tenant_keep_bytes: null,
    ...change,
  };
}
