// Exports of a device: the newest, followed closely while one is at work; start, cancel, remove.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { cancelJob, isUnfinished, listJobs, removeJob, type Job } from '../api/jobs';
import { startExport, type ExportCut, type Range } from '../api/recordings';

const exportsKey = (deviceId: string) => ['jobs', 'export', deviceId] as const;
const BUSY_INTERVAL_MS = 1_000;
const IDLE_INTERVAL_MS = 20_000;

export function useExports(deviceId: string) {
  return useQuery({
    queryKey: exportsKey(deviceId),
    queryFn: ({ signal }) => listJobs({ kind: 'export', deviceId }, signal),
    refetchInterval: (query) => (query.state.data?.some(isUnfinished) ? BUSY_INTERVAL_MS : IDLE_INTERVAL_MS),
  });
}

export function useExportControl(deviceId: string) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: exportsKey(deviceId) });
  const start = useMutation({
    mutationFn: ({ range, cut }: { range: Range; cut: ExportCut }) => startExport(deviceId, range, cut),
    onSuccess: (job) => {
      client.setQueryData<Job[]>(exportsKey(deviceId), (jobs = []) => [job, ...jobs.filter(({ id }) => id !== job.id)]);
    },
    onSettled: refresh,
  });
  const cancel = useMutation({ mutationFn: cancelJob, onSettled: refresh });
  const remove = useMutation({ mutationFn: removeJob, onSettled: refresh });
  return { start, cancel, remove };
}
