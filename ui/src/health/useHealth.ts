// Health of the service, every five seconds.
import { useQuery } from '@tanstack/react-query';
import { readHealth } from '../api/health';
import { queryKeys } from '../api/queryKeys';

export function useHealth() {
  return useQuery({
    queryKey: queryKeys.health,
    queryFn: ({ signal }) => readHealth(signal),
    refetchInterval: 5_000,
  });
}
