// Events that match a filter, loaded page by page. What comes later waits until the reader asks for it; events of the
// list that go on are kept up to date in their places.
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo } from 'react';
import {
  followEvents,
  listEvents,
  readEvent,
  readEventValues,
  type CameraEvent,
  type EventFilter,
} from '../api/events';
import { eventKeys } from '../api/eventKeys';
import { paced } from '../live/liveState';
import { applyChanges, joinPages, mergeChanges, type EventPage } from './eventList';

const PAGE_SIZE = 60;
/** As many changes as the API sends at once; after more the list is read again. */
const MOST_CHANGES = 200;
/** A list that could not be read is read again. */
const RETRY_MS = 5_000;
const interval = paced(10_000, 60_000);
const NONE: CameraEvent[] = [];

export function useEvents(filter: EventFilter) {
  const client = useQueryClient();
  const key = eventKeys.list(filter);
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: async ({ pageParam, signal }): Promise<EventPage> => {
      const { events, cursor } = await listEvents(filter, { before: pageParam, pageSize: PAGE_SIZE }, signal);
      return { events, cursor, hasMore: events.length === PAGE_SIZE };
    },
    initialPageParam: null as number | null,
    getNextPageParam: ({ hasMore, events }) => (hasMore ? events.at(-1)?.id : undefined),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    refetchInterval: ({ state }) => (state.data ? false : RETRY_MS),
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const { data, isPlaceholderData, hasNextPage, isFetchNextPageError, fetchNextPage } = list;
  useEffect(() => {
    if (!isFetchNextPageError) return undefined;
    const timer = setTimeout(() => void fetchNextPage(), RETRY_MS);
    return () => clearTimeout(timer);
  }, [isFetchNextPageError, fetchNextPage]);
  const pages = data?.pages;
  const cursor = isPlaceholderData ? null : (pages?.[0]?.cursor ?? null);
  const { data: changes } = useQuery({
    queryKey: eventKeys.changes(filter, cursor),
    queryFn: ({ signal }) => followEvents(filter, { after: cursor ?? 0, pageSize: MOST_CHANGES }, signal),
    enabled: cursor !== null,
    refetchInterval: interval,
    gcTime: 10_000,
  });

  const read = useMemo(() => pages && joinPages(pages), [pages]);
  const { events, added } = useMemo(
    () => (read ? applyChanges(read, changes?.events ?? NONE, hasNextPage) : { events: undefined, added: NONE }),
    [read, changes, hasNextPage],
  );
  const hasMoreAdded = (changes?.events.length ?? 0) >= MOST_CHANGES;
  const showAdded = useCallback(() => {
    if (hasMoreAdded || !changes) return void client.resetQueries({ queryKey: key });
    client.setQueryData<InfiniteData<EventPage, number | null>>(key, (current) =>
      current ? { pages: mergeChanges(current.pages, changes.events, changes.cursor), pageParams: [null] } : current,
    );
    return undefined;
  }, [client, key, changes, hasMoreAdded]);
  return { ...list, events, addedCount: added.length, hasMoreAdded, showAdded };
}

/** One event, for an address that opens one that is not in the list. */
export function useEvent(id: number | null) {
  return useQuery({
    queryKey: eventKeys.one(id ?? 0),
    queryFn: ({ signal }) => readEvent(id ?? 0, signal),
    enabled: id !== null,
  });
}

export function useEventValues() {
  return useQuery({
    queryKey: eventKeys.values,
    queryFn: ({ signal }) => readEventValues(signal),
    staleTime: 60_000,
  });
}
