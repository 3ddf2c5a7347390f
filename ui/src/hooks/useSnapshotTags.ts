// Tags in use on snapshots, for filters and forms: those of the newest.
import { useQuery } from '@tanstack/react-query';
import { listSnapshots } from '../api/snapshots';
import { snapshotKeys } from './snapshotKeys';

const LOOKED_AT = 200;

export function useSnapshotTags(): string[] {
  const { data } = useQuery({
    queryKey: [...snapshotKeys.all, 'tags'],
    queryFn: async ({ signal }) => {
      const { items } = await listSnapshots({ page: 1, pageSize: LOOKED_AT }, signal);
      return [...new Set(items.flatMap(({ tags }) => tags))].sort((a, b) => a.localeCompare(b));
    },
    staleTime: 60_000,
  });
  return data ?? [];
}
