// A page of bookmarks, or one bookmark; polled more often while a clip is being created.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { listBookmarks, readBookmark, type Bookmark, type BookmarkQuery } from '../api/bookmarks';
import { bookmarkKeys } from '../api/bookmarkKeys';

const BUSY_INTERVAL_MS = 1_500;
const IDLE_INTERVAL_MS = 15_000;

const intervalFor = (bookmarks: Bookmark[]): number =>
  bookmarks.some(({ clip }) => clip.state === 'pending') ? BUSY_INTERVAL_MS : IDLE_INTERVAL_MS;

export function useBookmarks(query: BookmarkQuery) {
  return useQuery({
    queryKey: bookmarkKeys.list(query),
    queryFn: ({ signal }) => listBookmarks(query, signal),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => intervalFor(state.data?.items ?? []),
  });
}

/** No request while `id` is null. */
export function useBookmark(id: string | null) {
  return useQuery({
    queryKey: bookmarkKeys.one(id ?? ''),
    queryFn: ({ signal }) => readBookmark(id ?? '', signal),
    enabled: id !== null,
    refetchInterval: ({ state }) => (state.data ? intervalFor([state.data.bookmark]) : IDLE_INTERVAL_MS),
  });
}
