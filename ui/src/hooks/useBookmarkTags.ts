// Tags in use on bookmarks, for filters and forms: those of the newest.
import { useQuery } from '@tanstack/react-query';
import { listBookmarks } from '../api/bookmarks';
import { bookmarkKeys } from './bookmarkKeys';

const LOOKED_AT = 200;

export function useBookmarkTags(isWanted = true): string[] {
  const { data } = useQuery({
    queryKey: [...bookmarkKeys.all, 'tags'],
    queryFn: async ({ signal }) => {
      const { items } = await listBookmarks({ page: 1, pageSize: LOOKED_AT }, signal);
      return [...new Set(items.flatMap(({ tags }) => tags))].sort((a, b) => a.localeCompare(b));
    },
    staleTime: 60_000,
    enabled: isWanted,
  });
  return data ?? [];
}
