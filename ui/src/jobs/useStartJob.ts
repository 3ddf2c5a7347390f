// Starts an export or a time-lapse, and shows it at once among the device's jobs.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Job } from '../api/jobs';
import { startExport, type ExportCut, type Range } from '../api/recordings';
import { startTimeLapse, type TimeLapseRequest } from '../api/schedules';
import { jobsKey, type FileJobKind } from './useJobs';

function useStartJob<T>(kind: FileJobKind, deviceId: string, start: (wish: T) => Promise<Job>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: start,
    onSuccess: (job) => {
      client.setQueryData<Job[]>(jobsKey(kind, deviceId), (jobs = []) => [
        job,
        ...jobs.filter(({ id }) => id !== job.id),
      ]);
    },
    onSettled: () => client.invalidateQueries({ queryKey: jobsKey(kind, deviceId) }),
  });
}

export const useStartExport = (deviceId: string) =>
  useStartJob('export', deviceId, ({ range, cut }: { range: Range; cut: ExportCut }) =>
    startExport(deviceId, range, cut),
  );

export const useStartTimeLapse = (deviceId: string) =>
  useStartJob('time_lapse', deviceId, (wish: TimeLapseRequest) => startTimeLapse(deviceId, wish));
