// Snapshots that match a query, read on page by page; and the newest few of one device.
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { listSnapshots, type Snapshot, type SnapshotQuery } from '../api/snapshots';
import { snapshotKeys } from '../api/snapshotKeys';

const PAGE_SIZE = 60;
const INTERVAL_MS = 15_000;

export type SnapshotFilter = Omit<SnapshotQuery, 'page' | 'pageSize'>;

/** Each once: while the list grows at its beginning, pages that are read later repeat what earlier ones told. */
function joinPages(pages: { items: Snapshot[] }[]): Snapshot[] {
  const known = new Map<string, Snapshot>();
  for (const { items } of pages)
    for (const snapshot of items) if (!known.has(snapshot.id)) known.set(snapshot.id, snapshot);
  return [...known.values()];
}

export function useSnapshots(filter: SnapshotFilter) {
  const query = useInfiniteQuery({
    queryKey: snapshotKeys.list(filter),
    queryFn: ({ pageParam, signal }) => listSnapshots({ ...filter, page: pageParam, pageSize: PAGE_SIZE }, signal),
    initialPageParam: 1,
    getNextPageParam: (last) => (last.page < last.totalPages ? last.page + 1 : undefined),
    placeholderData: keepPreviousData,
    // Who has read on looks at older ones, and asking again would read every page.
    refetchInterval: ({ state }) => (state.data && state.data.pages.length > 1 ? false : INTERVAL_MS),
  });
  const pages = query.data?.pages;
  const snapshots = useMemo(() => pages && joinPages(pages), [pages]);
  return { ...query, snapshots, total: pages?.[0]?.total ?? 0 };
}

export function useRecentSnapshots(deviceId: string, count: number) {
  return useQuery({
    queryKey: snapshotKeys.recent(deviceId, count),
    queryFn: ({ signal }) => listSnapshots({ deviceId, order: 'newest', page: 1, pageSize: count }, signal),
    refetchInterval: INTERVAL_MS,
  });
}
