// Starts, stops and resumes a recording manually, and marks events in it.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { addRecordingEvent, resumeRecordingPlan, startRecording, stopRecording } from '../api/recordings';
import type { RecordingEvent, Recording } from '../api/recordingTypes';
import { recordingKeys } from '../api/recordingKeys';
import { notifyFailure } from '../widgets/notifyFailure';

export type RecordingAction =
  | { kind: 'start'; forMinutes?: number }
  | { kind: 'stop'; forMinutes?: number }
  | { kind: 'resume' }
  | { kind: 'event'; label: string; note: string; duration_seconds: number };

const FAILED: Record<RecordingAction['kind'], string> = {
  start: 'Recording was not started',
  stop: 'Recording was not stopped',
  resume: 'Recording was not set back to automatic',
  event: 'The event was not marked',
};

function send(deviceId: string, action: RecordingAction): Promise<Recording | RecordingEvent> {
  if (action.kind === 'start' || action.kind === 'stop') {
    const until = action.forMinutes ? new Date(Date.now() + action.forMinutes * 60_000).toISOString() : undefined;
    return action.kind === 'start' ? startRecording(deviceId, until) : stopRecording(deviceId, until);
  }
  if (action.kind === 'resume') return resumeRecordingPlan(deviceId);
  const { label, note, duration_seconds } = action;
  return addRecordingEvent(deviceId, { label, duration_seconds, ...(note ? { note } : {}) });
}

export function useRecordingControl(deviceId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (action: RecordingAction) => send(deviceId, action),
    onError: (error, action) => {
      // The event dialog shows its own errors.
      if (action.kind !== 'event') notifyFailure(FAILED[action.kind], error);
    },
    onSettled: () => client.invalidateQueries({ queryKey: recordingKeys.all }),
  });
}
