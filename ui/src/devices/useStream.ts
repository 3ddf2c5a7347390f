// One stream's state and statistics, every two seconds.
import { useQuery } from '@tanstack/react-query';
import { readStream } from '../api/streams';
import { queryKeys } from '../api/queryKeys';

export function useStream(id: string) {
  return useQuery({
    queryKey: queryKeys.stream(id),
    queryFn: ({ signal }) => readStream(id, signal),
    refetchInterval: 2_000,
  });
}
