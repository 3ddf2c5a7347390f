// One device's recording as it is now, with its ETag.
import { useQuery } from '@tanstack/react-query';
import { readRecording } from '../api/recordings';
import { recordingKeys } from './recordingKeys';

export function useRecording(deviceId: string) {
  return useQuery({
    queryKey: recordingKeys.one(deviceId),
    queryFn: ({ signal }) => readRecording(deviceId, signal),
    refetchInterval: 4_000,
  });
}
