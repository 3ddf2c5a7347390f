// The footage of each day in a range of dates, in a time zone.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { listRecordedDates } from '../api/recordings';
import { recordingKeys } from '../api/recordingKeys';

export function useRecordedDates(deviceId: string, timeZone: string, from: string, to: string) {
  return useQuery({
    queryKey: recordingKeys.dates(deviceId, timeZone, from, to),
    queryFn: ({ signal }) => listRecordedDates(deviceId, { timeZone, from, to }, signal),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    refetchInterval: 60_000,
  });
}
