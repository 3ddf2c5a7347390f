// Statistics of the recordings disk.
import { useQuery } from '@tanstack/react-query';
import { readStorage } from '../api/recordings';
import { recordingKeys } from '../api/recordingKeys';
import type { Retention } from '../api/recordingTypes';
import { paced } from '../live/liveState';

export function useStorageStatistics(isWanted = true) {
  return useQuery({
    queryKey: recordingKeys.storage,
    queryFn: ({ signal }) => readStorage(signal),
    refetchInterval: paced(10_000, 30_000),
    enabled: isWanted,
  });
}

/** The bytes of the limit that this retention shares with other cameras; null if another limit takes effect first. */
export function useSharedLimit(retention: Retention | undefined): number | null {
  const { data } = useStorageStatistics(retention?.limit === 'store' || retention?.limit === 'tenant');
  if (retention?.limit === 'store') return data?.keep_bytes ?? null;
  return retention?.limit === 'tenant' ? (data?.tenant_keep_bytes ?? null) : null;
}
