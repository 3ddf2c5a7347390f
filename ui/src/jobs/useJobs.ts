// A device's newest jobs that produce a file, polled more often while one is unfinished; cancelling and removing them.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { cancelJob, isUnfinished, listJobs, removeJob } from '../api/jobs';
import { paced } from '../live/liveState';

export type FileJobKind = 'export' | 'time_lapse';

export const jobsKey = (kind: FileJobKind, deviceId: string) => ['jobs', kind, deviceId] as const;
const busyInterval = paced(1_000, 10_000);
const idleInterval = paced(20_000, 60_000);

export function useJobs(kind: FileJobKind, deviceId: string) {
  return useQuery({
    queryKey: jobsKey(kind, deviceId),
    queryFn: ({ signal }) => listJobs({ kind, deviceId }, signal),
    refetchInterval: (query) => (query.state.data?.some(isUnfinished) ? busyInterval() : idleInterval()),
  });
}

export function useJobControl(kind: FileJobKind, deviceId: string) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: jobsKey(kind, deviceId) });
  const cancel = useMutation({ mutationFn: cancelJob, onSettled: refresh });
  const remove = useMutation({ mutationFn: removeJob, onSettled: refresh });
  return { cancel, remove };
}
