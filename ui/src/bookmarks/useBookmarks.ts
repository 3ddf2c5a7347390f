// A page of bookmarks, or one bookmark; polled more often while a clip is being created.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { listBookmarks, readBookmark, type Bookmark, type BookmarkQuery } from '../api/bookmarks';
import { bookmarkKeys } from '../api/bookmarkKeys';
import { paced } from '../live/liveState';

const busyInterval = paced(1_500, 10_000);
const idleInterval = paced(15_000, 60_000);

const intervalFor = (bookmarks: Bookmark[]): number =>
  bookmarks.some(({ clip }) => clip.state === 'pending') ? busyInterval() : idleInterval();

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
    refetchInterval: ({ state }) => (state.data ? intervalFor([state.data.bookmark]) : idleInterval()),
  });
}
