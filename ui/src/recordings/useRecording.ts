// One device's present recording with its ETag.
import { useQuery } from '@tanstack/react-query';
import { readRecording } from '../api/recordings';
import { recordingKeys } from '../api/recordingKeys';
import { paced } from '../live/liveState';

export function useRecording(deviceId: string) {
  return useQuery({
    queryKey: recordingKeys.one(deviceId),
    queryFn: ({ signal }) => readRecording(deviceId, signal),
    // Polled more often while the observed state differs from the desired one.
    refetchInterval: ({ state }) => {
      const recording = state.data?.recording;
      return recording && recording.is_wanted !== (recording.observed === 'recording')
        ? paced(1_500, 5_000)()
        : paced(4_000, 15_000)();
    },
  });
}
