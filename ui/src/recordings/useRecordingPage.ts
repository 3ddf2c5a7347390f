// One page of recordings that match a search; the previous page stays until the next one is loaded.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { listRecordings } from '../api/recordings';
import { recordingKeys } from '../api/recordingKeys';
import { paced } from '../live/liveState';

export function useRecordingPage(query: { page: number; pageSize: number; q: string }) {
  return useQuery({
    queryKey: recordingKeys.list(query),
    queryFn: ({ signal }) => listRecordings(query, signal),
    placeholderData: keepPreviousData,
    refetchInterval: paced(5_000, 30_000),
  });
}
