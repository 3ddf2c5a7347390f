// Health of the service.
import { useQuery } from '@tanstack/react-query';
import { readHealth } from '../api/health';
import { queryKeys } from '../api/queryKeys';
import { paced } from '../live/liveState';

export function useHealth() {
  return useQuery({
    queryKey: queryKeys.health,
    queryFn: ({ signal }) => readHealth(signal),
    refetchInterval: paced(5_000, 30_000),
  });
}
