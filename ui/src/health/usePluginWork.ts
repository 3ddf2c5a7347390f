// The work of one plugin and its newest jobs, read while they are shown; cancelling a job and trying it again.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { cancelJob, listJobs, retryJob } from '../api/jobs';
import { readPlugin } from '../api/plugins';
import { queryKeys } from '../api/queryKeys';
import { notifyFailure } from '../widgets/notifyFailure';

const INTERVAL_MS = 5_000;

export function usePluginWork(name: string) {
  return useQuery({
    queryKey: queryKeys.plugin(name),
    queryFn: ({ signal }) => readPlugin(name, signal),
    refetchInterval: INTERVAL_MS,
  });
}

export function usePluginJobs(kind: string) {
  const client = useQueryClient();
  const queryKey = queryKeys.pluginJobs(kind);
  const jobs = useQuery({
    queryKey,
    queryFn: ({ signal }) => listJobs({ kind }, signal),
    refetchInterval: INTERVAL_MS,
  });
  const onSettled = () => client.invalidateQueries({ queryKey });
  const cancel = useMutation({
    mutationFn: cancelJob,
    onSettled,
    onError: (error) => notifyFailure('The job could not be cancelled', error),
  });
  const retry = useMutation({
    mutationFn: retryJob,
    onSettled,
    onError: (error) => notifyFailure('The job could not be tried again', error),
  });
  return { jobs, cancel, retry };
}
