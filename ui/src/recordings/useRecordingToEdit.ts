// A recording's settings as they were when the form was opened: never refreshed beneath somebody who types.
import { useQuery } from '@tanstack/react-query';
import { readRecording } from '../api/recordings';

export function useRecordingToEdit(deviceId: string) {
  return useQuery({
    queryKey: ['recording-to-edit', deviceId],
    queryFn: ({ signal }) => readRecording(deviceId, signal),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}
