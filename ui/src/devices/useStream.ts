// One stream's state and statistics.
import { useQuery } from '@tanstack/react-query';
import { readStream } from '../api/streams';
import { queryKeys } from '../api/queryKeys';
import { paced } from '../live/liveState';

export function useStream(id: string) {
  return useQuery({
    queryKey: queryKeys.stream(id),
    queryFn: ({ signal }) => readStream(id, signal),
    refetchInterval: paced(2_000, 5_000),
  });
}
