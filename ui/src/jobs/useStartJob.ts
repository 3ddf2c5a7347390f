// Starts an export or a time-lapse and adds it to the device's jobs immediately.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Job } from '../api/jobs';
import { startExport, type ExportCut, type Range } from '../api/recordings';
import { startTimeLapse, type TimeLapseRequest } from '../api/schedules';
import { jobsKey, type FileJobKind } from './useJobs';

function useStartJob<T>(kind: FileJobKind, deviceId: string, start: (request: T) => Promise<Job>) {
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
  useStartJob('time_lapse', deviceId, (request: TimeLapseRequest) => startTimeLapse(deviceId, request));
