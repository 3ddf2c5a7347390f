// Snapshot schedules, and time-lapses of snapshots or recordings.
import { request } from './http';
import type { Job } from './jobs';
import { readPage } from './pagination';
import type { Range } from './recordings';
import type { Weekday } from './recordingTypes';
import type { Reason } from './types';

/** The editable fields; PUT replaces all of them. Exactly one of `every_seconds` and `times` is set. */
export interface ScheduleFields {
  device_id: string;
  name: string;
  enabled: boolean;
  every_seconds: number | null;
  /** Times of day, "08:30". */
  times: string[];
  /** Empty: every day. */
  weekdays: Weekday[];
  time_zone: string;
  tags: string[];
  /** null: no limit. */
  keep_days: number | null;
  keep_count: number | null;
}

export interface Schedule extends ScheduleFields {
  id: number;
  device_name: string;
  next_at: string | null;
  /** When the last snapshot was due. */
  last_at: string | null;
  last_taken_at: string | null;
  /** Why the last snapshot was not taken. */
  reason: Reason | null;
}

export interface VersionedSchedule {
  schedule: Schedule;
  etag: string | null;
}

const MAX_SCHEDULES = 200;
const pathOf = (id: number): string => `/snapshots/schedules/${id}`;

export async function listSchedules(deviceId: string, signal?: AbortSignal): Promise<Schedule[]> {
  return readPage(
    await request<Schedule[]>('/snapshots/schedules', {
      query: { device_id: deviceId, page_size: MAX_SCHEDULES },
      signal,
    }),
  ).items;
}

export async function readSchedule(id: number, signal?: AbortSignal): Promise<VersionedSchedule> {
  const response = await request<Schedule>(pathOf(id), { signal });
  return { schedule: response.data, etag: response.headers.get('ETag') };
}

export async function createSchedule(fields: ScheduleFields): Promise<Schedule> {
  return (await request<Schedule>('/snapshots/schedules', { method: 'POST', body: fields })).data;
}

/** With `etag` null the version is not checked. */
export async function replaceSchedule(id: number, fields: ScheduleFields, etag: string | null): Promise<Schedule> {
  const headers: Record<string, string> = etag ? { 'If-Match': etag } : {};
  return (await request<Schedule>(pathOf(id), { method: 'PUT', body: fields, headers })).data;
}

export async function deleteSchedule(id: number): Promise<void> {
  await request(pathOf(id), { method: 'DELETE' });
}

export type TimeLapseSource = 'snapshots' | 'recordings';

export interface TimeLapseRequest extends Range {
  source: TimeLapseSource;
  /** Seconds between two pictures; null: as many pictures as the movie has frames. */
  every_seconds: number | null;
  /** Duration of the movie. */
  length_seconds: number;
  fps: number;
  /** In pixels; null: as recorded. */
  width: number | null;
  /** Use only the snapshots of this schedule. */
  schedule_id?: number;
  name?: string;
}

export async function startTimeLapse(deviceId: string, fields: TimeLapseRequest): Promise<Job> {
  return (
    await request<Job>(`/snapshots/devices/${encodeURIComponent(deviceId)}/time-lapse`, {
      method: 'POST',
      body: fields,
    })
  ).data;
}
