// Coverage by day, of one device or, with null, of all.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { readCoverage, type CoverageQuery } from '../api/recordings';
import { recordingKeys } from '../api/recordingKeys';

export function useCoverage(deviceId: string | null, query: CoverageQuery) {
  return useQuery({
    queryKey: recordingKeys.coverage(deviceId, query),
    queryFn: ({ signal }) => readCoverage(deviceId, query, signal),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    refetchInterval: 60_000,
  });
}
