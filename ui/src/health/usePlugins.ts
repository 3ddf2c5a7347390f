// The installed plugins with their states.
import { useQuery } from '@tanstack/react-query';
import { listPlugins } from '../api/health';
import { queryKeys } from '../api/queryKeys';

export function usePlugins(isWanted = true) {
  return useQuery({
    queryKey: queryKeys.plugins,
    queryFn: ({ signal }) => listPlugins(signal),
    enabled: isWanted,
    staleTime: 10_000,
    refetchInterval: 15_000,
  });
}
