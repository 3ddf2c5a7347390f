// A recording's settings as they were when the form was opened.
import { useQuery } from '@tanstack/react-query';
import { readRecording } from '../api/recordings';
import { FROZEN_WHILE_EDITING } from '../widgets/editQuery';

export function useRecordingToEdit(deviceId: string) {
  return useQuery({
    queryKey: ['recording-to-edit', deviceId],
    queryFn: ({ signal }) => readRecording(deviceId, signal),
    ...FROZEN_WHILE_EDITING,
  });
}
