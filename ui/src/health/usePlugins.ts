// The installed plugins; they change only when the service restarts.
import { useQuery } from '@tanstack/react-query';
import { listPlugins } from '../api/health';
import { queryKeys } from '../api/queryKeys';

export function usePlugins() {
  return useQuery({ queryKey: queryKeys.plugins, queryFn: ({ signal }) => listPlugins(signal), staleTime: 60_000 });
}
