// Device tags in use, for the filter and the form: those of the first hundred devices.
import { useQuery } from '@tanstack/react-query';
import { listDevices } from '../api/devices';
import { queryKeys } from '../api/queryKeys';

export function useKnownTags(): string[] {
  const { data } = useQuery({
    queryKey: queryKeys.tags,
    queryFn: async ({ signal }) => {
      const { items } = await listDevices({ page: 1, pageSize: 100, sort: 'name', q: '', tag: '', state: '' }, signal);
      return [...new Set(items.flatMap((device) => device.tags))].sort((a, b) => a.localeCompare(b));
    },
    staleTime: 60_000,
  });
  return data ?? [];
}
