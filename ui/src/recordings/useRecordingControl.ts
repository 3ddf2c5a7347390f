// Start, stop and resume a recording by hand, and mark an event in it.
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { addRecordingEvent, resumeRecordingPlan, startRecording, stopRecording } from '../api/recordings';
import type { RecordingEvent, Recording } from '../api/recordingTypes';
import { sentence } from '../formatting/sentence';
import { recordingKeys } from '../api/recordingKeys';

export type RecordingDeed =
  | { kind: 'start'; forMinutes?: number }
  | { kind: 'stop'; forMinutes?: number }
  | { kind: 'resume' }
  | { kind: 'event'; label: string; note: string; duration_seconds: number };

const FAILED: Record<RecordingDeed['kind'], string> = {
  start: 'Recording was not started',
  stop: 'Recording was not stopped',
  resume: 'Recording could not go back to its mode',
  event: 'The event was not marked',
};

function send(deviceId: string, deed: RecordingDeed): Promise<Recording | RecordingEvent> {
  if (deed.kind === 'start' || deed.kind === 'stop') {
    const until = deed.forMinutes ? new Date(Date.now() + deed.forMinutes * 60_000).toISOString() : undefined;
    return deed.kind === 'start' ? startRecording(deviceId, until) : stopRecording(deviceId, until);
  }
  if (deed.kind === 'resume') return resumeRecordingPlan(deviceId);
  const { label, note, duration_seconds } = deed;
  return addRecordingEvent(deviceId, { label, duration_seconds, ...(note ? { note } : {}) });
}

export function useRecordingControl(deviceId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (deed: RecordingDeed) => send(deviceId, deed),
    onError: (error, deed) => {
      // The dialog of an event says itself what is wrong with it.
      if (deed.kind !== 'event')
        notifications.show({
          color: 'red',
          title: FAILED[deed.kind],
          message: sentence(error.message),
          autoClose: 8_000,
        });
    },
    onSettled: () => client.invalidateQueries({ queryKey: recordingKeys.all }),
  });
}
