// Testing the connection of an archive, and copying again at once after failures.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { isUnfinished, readJob, type Job } from '../api/jobs';
import { retryArchive, testArchive } from '../api/recordings';
import { recordingKeys } from '../api/recordingKeys';
import { notifyFailure } from '../widgets/notifyFailure';

export interface TestOutcome {
  kind: 'running' | 'good' | 'bad';
  reason?: { message: string; remedy: string } | null;
}

const POLL_MS = 1_000;

/** What the job of a test has found: the first step that failed, or that the job itself did. */
export function outcomeOf(job: Job): TestOutcome {
  if (isUnfinished(job)) return { kind: 'running' };
  const data = job.result?.data;
  if (data?.is_ok === true) return { kind: 'good' };
  const step = data?.steps?.find(({ is_ok }) => !is_ok);
  const error = job.error && { message: job.error.message, remedy: job.error.remedy ?? '' };
  return { kind: 'bad', reason: step?.reason ?? error };
}

export function useArchiveControl(name: string) {
  const client = useQueryClient();
  const onError = (error: Error) => notifyFailure('The archive could not be asked', error);
  const test = useMutation({ mutationFn: () => testArchive(name), onError });
  const retry = useMutation({
    mutationFn: () => retryArchive(name),
    onError,
    onSettled: () => client.invalidateQueries({ queryKey: recordingKeys.storage }),
  });
  const jobId = test.data ?? null;
  const job = useQuery({
    queryKey: [...recordingKeys.storage, 'test', jobId],
    queryFn: ({ signal }) => readJob(jobId ?? '', signal),
    enabled: jobId !== null,
    refetchInterval: ({ state }) => (state.data && !isUnfinished(state.data) ? false : POLL_MS),
  });
  const outcome: TestOutcome | null = jobId === null ? null : job.data ? outcomeOf(job.data) : { kind: 'running' };
  return { test, retry, outcome };
}
