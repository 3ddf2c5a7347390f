// A device's newest jobs that produce a file, polled more often while one is unfinished; cancelling and removing them.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { cancelJob, isUnfinished, listJobs, removeJob } from '../api/jobs';

export type FileJobKind = 'export' | 'time_lapse';

export const jobsKey = (kind: FileJobKind, deviceId: string) => ['jobs', kind, deviceId] as const;
const BUSY_INTERVAL_MS = 1_000;
const IDLE_INTERVAL_MS = 20_000;

export function useJobs(kind: FileJobKind, deviceId: string) {
  return useQuery({
    queryKey: jobsKey(kind, deviceId),
    queryFn: ({ signal }) => listJobs({ kind, deviceId }, signal),
    refetchInterval: (query) => (query.state.data?.some(isUnfinished) ? BUSY_INTERVAL_MS : IDLE_INTERVAL_MS),
  });
}

export function useJobControl(kind: FileJobKind, deviceId: string) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: jobsKey(kind, deviceId) });
  const cancel = useMutation({ mutationFn: cancelJob, onSettled: refresh });
  const remove = useMutation({ mutationFn: removeJob, onSettled: refresh });
  return { cancel, remove };
}
