// Tags in use on snapshots or bookmarks, for filters and forms.
import { useQuery } from '@tanstack/react-query';
import { listTags, type Tagged } from '../api/tags';
import { bookmarkKeys } from '../api/bookmarkKeys';
import { snapshotKeys } from '../api/snapshotKeys';

const KEYS = { snapshots: snapshotKeys.all, bookmarks: bookmarkKeys.all };

export function useTagsInUse(of: Tagged): string[] {
  const { data } = useQuery({
    queryKey: [...KEYS[of], 'tags'],
    queryFn: ({ signal }) => listTags(of, signal),
    staleTime: 60_000,
  });
  return data ?? [];
}
