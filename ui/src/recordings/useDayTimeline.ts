// The timeline of one day of one device at low resolution, for a strip in a list.
import { useQuery } from '@tanstack/react-query';
import { readTimeline } from '../api/recordings';
import { dayBounds } from '../formatting/timeZone';
import { recordingKeys } from '../api/recordingKeys';
import { parseTimeline } from './useTimelineData';

const RESOLUTION_SECONDS = 120;

export function useDayTimeline(deviceId: string, date: string, timeZone: string) {
  const { startMs, endMs } = dayBounds(timeZone, date);
  return useQuery({
    queryKey: recordingKeys.day(deviceId, timeZone, date),
    queryFn: async ({ signal }) => {
      const range = { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
      return parseTimeline(await readTimeline(deviceId, { ...range, resolutionSeconds: RESOLUTION_SECONDS }, signal));
    },
    staleTime: 30_000,
    refetchInterval: 60_000,
  });
}
