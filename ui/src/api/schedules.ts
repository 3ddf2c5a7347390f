// Schedules of snapshots, and time-lapses made of snapshots or recordings.
import { request } from './http';
import type { Job } from './jobs';
import { readPage } from './pagination';
import type { Range } from './recordings';
import type { Weekday } from './recordingTypes';
import type { Reason } from './types';

/** What a person may set; PUT replaces all of it. Exactly one of `every_seconds` and `times` says when. */
export interface ScheduleFields {
  device_id: string;
  name: string;
  enabled: boolean;
  every_seconds: number | null;
  /** Times of day, "08:30". */
  times: string[];
  /** None: all of them. */
  weekdays: Weekday[];
  time_zone: string;
  tags: string[];
  /** null: without a limit. */
  keep_days: number | null;
  keep_count: number | null;
}

export interface Schedule extends ScheduleFields {
  id: number;
  device_name: string;
  next_at: string | null;
  /** When it was last due. */
  last_at: string | null;
  last_taken_at: string | null;
  /** Why the last one was not taken. */
  reason: Reason | null;
}

export interface VersionedSchedule {
  schedule: Schedule;
  etag: string | null;
}

const MOST = 200;
const pathOf = (id: number): string => `/snapshots/schedules/${id}`;

export async function listSchedules(deviceId: string, signal?: AbortSignal): Promise<Schedule[]> {
  return readPage(
    await request<Schedule[]>('/snapshots/schedules', { query: { device_id: deviceId, page_size: MOST }, signal }),
  ).items;
}

export async function readSchedule(id: number, signal?: AbortSignal): Promise<VersionedSchedule> {
  const answer = await request<Schedule>(pathOf(id), { signal });
  return { schedule: answer.data, etag: answer.headers.get('ETag') };
}

export async function createSchedule(fields: ScheduleFields): Promise<Schedule> {
  return (await request<Schedule>('/snapshots/schedules', { method: 'POST', body: fields })).data;
}

/** `etag` null overwrites whatever is there. */
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
  /** Between two pictures; null: as many as the film has room for. */
  every_seconds: number | null;
  /** How long the film plays. */
  length_seconds: number;
  fps: number;
  /** In pixels; null: as recorded. */
  width: number | null;
  /** Only the snapshots that this schedule has taken. */
  schedule_id?: number;
  name?: string;
}

export async function startTimeLapse(deviceId: string, wish: TimeLapseRequest): Promise<Job> {
  return (
    await request<Job>(`/snapshots/devices/${encodeURIComponent(deviceId)}/time-lapse`, { method: 'POST', body: wish })
  ).data;
}
