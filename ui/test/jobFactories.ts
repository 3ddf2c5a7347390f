// Jobs for tests.
import type { Job } from '../src/api/jobs';

export function buildJob(change: Partial<Job> = {}): Job {
  return {
    id: 'j1',
    kind: 'export',
    title: null,
    device_id: 'd1',
    device_name: 'Main gate',
    state: 'running',
    progress: 0.1,
    stage: null,
    result: null,
    error: null,
    created_at: '2026-03-01T12:00:00Z',
    started_at: null,
    finished_at: null,
    expires_at: null,
    ...change,
  };
}
