// A device's bookmarks as a timeline shows them: read for a whole stretch of time, so that panning asks nothing.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { listBookmarks } from '../api/bookmarks';
import { MINUTE_MS, type TimelineEvent, type TimeRange } from '../timeline/model';
import { bookmarkKeys } from '../api/bookmarkKeys';

const MAX_SHOWN = 200;
const INTERVAL_MS = 30_000;
const NONE: TimelineEvent[] = [];

/** Two or three stretches of a power of two in minutes that cover a range: the same for all ranges near it. */
export function stretchOf({ startMs, endMs }: TimeRange): TimeRange {
  const stepMs = MINUTE_MS * 2 ** Math.max(1, Math.ceil(Math.log2(Math.max(1, endMs - startMs) / MINUTE_MS)));
  return { startMs: Math.max(0, Math.floor(startMs / stepMs) * stepMs), endMs: Math.ceil(endMs / stepMs) * stepMs };
}

export function useBookmarkMarks(deviceId: string, range: TimeRange): TimelineEvent[] {
  const stretch = stretchOf(range);
  const [start, end] = [new Date(stretch.startMs).toISOString(), new Date(stretch.endMs).toISOString()];
  const { data } = useQuery({
    queryKey: bookmarkKeys.ofTimeline(deviceId, start, end),
    queryFn: async ({ signal }) => {
      const { items } = await listBookmarks({ page: 1, pageSize: MAX_SHOWN, deviceId, start, end }, signal);
      return items.map(({ at, title }): TimelineEvent => ({
        atMs: Date.parse(at),
        endMs: null,
        kind: 'bookmark',
        label: title,
      }));
    },
    placeholderData: keepPreviousData,
    staleTime: INTERVAL_MS / 2,
    refetchInterval: INTERVAL_MS,
  });
  return data ?? NONE;
}
