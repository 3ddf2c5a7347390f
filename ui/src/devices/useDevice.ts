// One device with its ETag.
import { useQuery } from '@tanstack/react-query';
import { readDevice } from '../api/devices';
import { queryKeys } from '../api/queryKeys';
import { paced } from '../live/liveState';

export function useDevice(id: string) {
  return useQuery({
    queryKey: queryKeys.device(id),
    queryFn: ({ signal }) => readDevice(id, signal),
    refetchInterval: paced(10_000, 60_000),
  });
}
