// Jobs: work that takes longer than a request, such as an export: list, read, cancel, remove, and the result.
import { API_ROOT, request } from './http';
import type { Reason } from './types';

export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

export interface JobResult {
  url: string;
  name: string;
  size: number;
  content_type: string;
  start: string;
  end: string;
  duration_seconds: number;
  /** Remarks about the file, such as gaps in it. */
  notes: string[];
  /** The snapshot that a capture job took. */
  snapshot_id?: string | null;
  /** Of the test of an archive. */
  data?: { is_ok?: boolean; steps?: { is_ok: boolean; reason: { message: string; remedy: string } | null }[] } | null;
}

export interface Job {
  id: string;
  kind: string;
  /** The name of the kind; for jobs of plugins alone. */
  title: string | null;
  device_id: string | null;
  device_name: string | null;
  state: JobState;
  /** 0 to 1. */
  progress: number;
  stage: string | null;
  result: JobResult | null;
  error: Reason | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** When the result is removed. */
  expires_at: string | null;
}

export interface JobQuery {
  kind?: string;
  deviceId?: string;
  state?: JobState;
}

export const isUnfinished = (job: Job): boolean => job.state === 'queued' || job.state === 'running';

/** Newest first. */
export async function listJobs({ kind, deviceId, state }: JobQuery, signal?: AbortSignal): Promise<Job[]> {
  return (await request<Job[]>('/jobs', { query: { kind, device_id: deviceId, state }, signal })).data;
}

export async function readJob(id: string, signal?: AbortSignal): Promise<Job> {
  return (await request<Job>(`/jobs/${encodeURIComponent(id)}`, { signal })).data;
}

export async function cancelJob(id: string): Promise<Job> {
  return (await request<Job>(`/jobs/${encodeURIComponent(id)}/cancel`, { method: 'POST' })).data;
}

/** Queues a failed or cancelled job again. */
export async function retryJob(id: string): Promise<Job> {
  return (await request<Job>(`/jobs/${encodeURIComponent(id)}/retry`, { method: 'POST' })).data;
}

/** Cancels the job if it is still running, and removes its result. */
export async function removeJob(id: string): Promise<void> {
  await request(`/jobs/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

/** Download address of the result; resumable. */
export const jobResultUrl = (id: string): string => `${API_ROOT}/jobs/${encodeURIComponent(id)}/result`;
