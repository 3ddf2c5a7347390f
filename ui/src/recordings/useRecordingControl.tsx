// Starts, stops and resumes a recording manually, and marks events in it; a stop can be undone for some seconds.
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { addRecordingEvent, resumeRecordingPlan, startRecording, stopRecording } from '../api/recordings';
import type { RecordingEvent, Recording } from '../api/recordingTypes';
import { recordingKeys } from '../api/recordingKeys';
import { notifyFailure } from '../widgets/notifyFailure';
import { UndoMessage } from '../widgets/UndoMessage';

export type RecordingAction =
  | { kind: 'start'; forMinutes?: number; until?: string }
  | { kind: 'stop'; forMinutes?: number }
  | { kind: 'resume' }
  | { kind: 'event'; label: string; note: string; duration_seconds: number };

const FAILED: Record<RecordingAction['kind'], string> = {
  start: 'Recording was not started',
  stop: 'Recording was not stopped',
  resume: 'Recording was not set back to automatic',
  event: 'The event was not marked',
};
const UNDO_SHOWN_MS = 10_000;

function send(deviceId: string, action: RecordingAction): Promise<Recording | RecordingEvent> {
  if (action.kind === 'start' || action.kind === 'stop') {
    const until = action.forMinutes ? new Date(Date.now() + action.forMinutes * 60_000).toISOString() : undefined;
    if (action.kind === 'stop') return stopRecording(deviceId, until);
    return startRecording(deviceId, until ?? action.until);
  }
  if (action.kind === 'resume') return resumeRecordingPlan(deviceId);
  const { label, note, duration_seconds } = action;
  return addRecordingEvent(deviceId, { label, duration_seconds, ...(note ? { note } : {}) });
}

/** What brings back the state before: the manual start, with its end, or the mode. */
function inverseOf(before: Recording): RecordingAction {
  const { override } = before;
  if (override?.wish !== 'on') return { kind: 'resume' };
  return override.until ? { kind: 'start', until: override.until } : { kind: 'start' };
}

/** `before`: the recording as it is shown, which Undo brings back. */
export function useRecordingControl(deviceId: string, before: Recording | undefined) {
  const client = useQueryClient();
  const control = useMutation({
    mutationFn: (action: RecordingAction) => send(deviceId, action),
    onMutate: () => before,
    onSuccess: (after, action, shown) => {
      const id = `recording-stopped-${deviceId}`;
      notifications.hide(id);
      const isEnded = 'is_wanted' in after && !after.is_wanted && (action.kind === 'stop' || action.kind === 'resume');
      if (!isEnded || !shown?.is_wanted) return;
      const undo = () => {
        notifications.hide(id);
        control.mutate(inverseOf(shown));
      };
      const text = `Recording of “${after.device_name}” was stopped.`;
      notifications.show({ id, message: <UndoMessage text={text} onUndo={undo} />, autoClose: UNDO_SHOWN_MS });
    },
    onError: (error, action) => {
      // The event dialog shows its own errors.
      if (action.kind !== 'event') notifyFailure(FAILED[action.kind], error);
    },
    onSettled: () => client.invalidateQueries({ queryKey: recordingKeys.all }),
  });
  return control;
}
