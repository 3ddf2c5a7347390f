// Statistics of the recordings disk.
import { useQuery } from '@tanstack/react-query';
import { readStorage } from '../api/recordings';
import { recordingKeys } from '../api/recordingKeys';

export function useStorageStatistics() {
  return useQuery({
    queryKey: recordingKeys.storage,
    queryFn: ({ signal }) => readStorage(signal),
    refetchInterval: 10_000,
  });
}
