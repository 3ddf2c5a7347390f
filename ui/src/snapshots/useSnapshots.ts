// Snapshots that match a query, loaded page by page; and the newest snapshots of one device.
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { listSnapshots, type Snapshot, type SnapshotQuery } from '../api/snapshots';
import { snapshotKeys } from '../api/snapshotKeys';
import { paced } from '../live/liveState';

const PAGE_SIZE = 60;
const interval = paced(15_000, 60_000);

export type SnapshotFilter = Omit<SnapshotQuery, 'page' | 'pageSize'>;

/** Without duplicates: while new snapshots arrive, later pages repeat items of earlier ones. */
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
    // After further pages are loaded the user views older snapshots, and a refetch would read every page.
    refetchInterval: ({ state }) => (state.data && state.data.pages.length > 1 ? false : interval()),
  });
  const pages = query.data?.pages;
  const snapshots = useMemo(() => pages && joinPages(pages), [pages]);
  return { ...query, snapshots, total: pages?.[0]?.total ?? 0 };
}

export function useRecentSnapshots(deviceId: string, count: number) {
  return useQuery({
    queryKey: snapshotKeys.recent(deviceId, count),
    queryFn: ({ signal }) => listSnapshots({ deviceId, order: 'newest', page: 1, pageSize: count }, signal),
    refetchInterval: interval,
  });
}
