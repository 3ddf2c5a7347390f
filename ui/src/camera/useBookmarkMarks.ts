// A device's bookmarks as timeline events, read for a contiguous range wider than the view, so that panning needs no request.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { listBookmarks } from '../api/bookmarks';
import { MINUTE_MS, type TimelineEvent, type TimeRange } from '../timeline/model';
import { bookmarkKeys } from '../api/bookmarkKeys';

const MAX_SHOWN = 200;
const INTERVAL_MS = 30_000;
const NONE: TimelineEvent[] = [];

/** Extends a range to multiples of a step that is a power of two in minutes: all ranges nearby give the same result. */
export function roundedRange({ startMs, endMs }: TimeRange): TimeRange {
  const stepMs = MINUTE_MS * 2 ** Math.max(1, Math.ceil(Math.log2(Math.max(1, endMs - startMs) / MINUTE_MS)));
  return { startMs: Math.max(0, Math.floor(startMs / stepMs) * stepMs), endMs: Math.ceil(endMs / stepMs) * stepMs };
}

export function useBookmarkMarks(deviceId: string, range: TimeRange): TimelineEvent[] {
  const rounded = roundedRange(range);
  const [start, end] = [new Date(rounded.startMs).toISOString(), new Date(rounded.endMs).toISOString()];
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
