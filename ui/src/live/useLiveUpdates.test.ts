// Queries are refreshed once in a while however many events come, and the progress of a job needs no request.
import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Job } from '../api/jobs';
import { Refresher, showProgress } from './useLiveUpdates';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a burst of events refreshes each query once a second', () => {
  const client = new QueryClient();
  const invalidate = vi.spyOn(client, 'invalidateQueries').mockResolvedValue();
  const refresher = new Refresher(client);
  for (let count = 0; count < 1000; count += 1) refresher.add([['streams', 'list'], ['jobs']]);
  vi.advanceTimersByTime(100);
  expect(invalidate).toHaveBeenCalledTimes(2);
  refresher.add([['jobs']]);
  vi.advanceTimersByTime(500);
  expect(invalidate).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(600);
  expect(invalidate).toHaveBeenCalledTimes(3);
});

test('the progress of a running job is shown without a request', () => {
  const client = new QueryClient();
  const job = (id: string, state: string) => ({ id, state, progress: 0.1, stage: null }) as Job;
  client.setQueryData(['jobs', 'export', 'a'], [job('one', 'running'), job('two', 'done')]);
  const passing = { kind: 'job', change: 'passing' as const, device_id: 'a', plugin: null };
  showProgress(client, { ...passing, data: { job_id: 'one', progress: 0.5, stage: 'copying' } });
  showProgress(client, { ...passing, data: { job_id: 'two', progress: 0.5, stage: 'copying' } });
  const jobs = client.getQueryData<Job[]>(['jobs', 'export', 'a'])!;
  expect(jobs.map(({ progress }) => progress)).toEqual([0.5, 0.1]);
  expect(jobs[0]!.stage).toBe('copying');
});
