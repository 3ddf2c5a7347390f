// The newest picture of a device, refreshed while it is visible, and polled rarely while there is none.
import { useQuery } from '@tanstack/react-query';
import { ApiError } from '../api/http';
import { fetchPoster } from '../api/snapshots';
import { snapshotKeys } from '../api/snapshotKeys';

const INTERVAL_MS = 10_000;
const NONE_INTERVAL_MS = 30_000;
const LATE_INTERVAL_MS = 3_000;

/** Milliseconds until the next request: short if the server was busy, long if there is no picture. */
export function pauseAfter(error: Error | null): number {
  if (error === null) return INTERVAL_MS;
  return error instanceof ApiError && error.status === 404 ? NONE_INTERVAL_MS : LATE_INTERVAL_MS;
}

/** `width` in pixels, one of the sizes of the server: 160, 320, 480, 640, 960, 1280 or 1920. */
export function usePoster(deviceId: string, width: number, isVisible: boolean) {
  const { data, isPending } = useQuery({
    queryKey: snapshotKeys.poster(deviceId, width),
    queryFn: ({ signal }) => fetchPoster(deviceId, width, signal),
    enabled: isVisible,
    retry: false,
    staleTime: INTERVAL_MS / 2,
    refetchInterval: ({ state }) => pauseAfter(state.error),
  });
  return { picture: data?.picture ?? null, takenAt: data?.takenAt ?? null, isPending };
}
