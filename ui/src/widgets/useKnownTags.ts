// Device tags in use, for the filter and the form.
import { useQuery } from '@tanstack/react-query';
import { listDevices } from '../api/devices';
import { queryKeys } from '../api/queryKeys';

const PAGE_SIZE = 100;

export function useKnownTags(): string[] {
  const { data } = useQuery({
    queryKey: queryKeys.tags,
    queryFn: async ({ signal }) => {
      const tags = new Set<string>();
      for (let page = 1, last = 1; page <= last; page += 1) {
        const query = { page, pageSize: PAGE_SIZE, sort: 'name', q: '', tag: '', state: '' } as const;
        const { items, totalPages } = await listDevices(query, signal);
        for (const tag of items.flatMap((device) => device.tags)) tags.add(tag);
        last = totalPages;
      }
      return [...tags].sort((a, b) => a.localeCompare(b));
    },
    staleTime: 60_000,
  });
  return data ?? [];
}
