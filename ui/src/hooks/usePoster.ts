// The newest picture of a device, renewed while somebody looks; where there is none it is asked for seldom.
import { useQuery } from '@tanstack/react-query';
import { fetchPoster } from '../api/snapshots';
import { snapshotKeys } from './snapshotKeys';

const INTERVAL_MS = 10_000;
const NONE_INTERVAL_MS = 30_000;

/** `width` in pixels, as the server makes them: 160, 320, 480, 640, 960, 1280 or 1920. */
export function usePoster(deviceId: string, width: number, isSeen: boolean) {
  const { data } = useQuery({
    queryKey: snapshotKeys.poster(deviceId, width),
    queryFn: ({ signal }) => fetchPoster(deviceId, width, signal),
    enabled: isSeen,
    retry: false,
    staleTime: INTERVAL_MS / 2,
    refetchInterval: ({ state }) => (state.error ? NONE_INTERVAL_MS : INTERVAL_MS),
  });
  return { picture: data?.picture ?? null, takenAt: data?.takenAt ?? null };
}
