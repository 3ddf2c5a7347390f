// One device's present recording with its ETag.
import { useQuery } from '@tanstack/react-query';
import { readRecording } from '../api/recordings';
import { recordingKeys } from '../api/recordingKeys';

export function useRecording(deviceId: string) {
  return useQuery({
    queryKey: recordingKeys.one(deviceId),
    queryFn: ({ signal }) => readRecording(deviceId, signal),
    // Polled more often while the observed state differs from the desired one.
    refetchInterval: ({ state }) => {
      const recording = state.data?.recording;
      return recording && recording.is_wanted !== (recording.observed === 'recording') ? 1_500 : 4_000;
    },
  });
}
