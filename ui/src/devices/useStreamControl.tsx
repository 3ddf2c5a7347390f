// Starts and stops a stream; a stop can be undone for some seconds, errors are shown as notifications.
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/http';
import { recordingKeys } from '../api/recordingKeys';
import { startStream, stopStream } from '../api/streams';
import type { Stream } from '../api/types';
import { sentence } from '../formatting/sentence';
import { queryKeys } from '../api/queryKeys';
import { UndoMessage } from '../widgets/UndoMessage';

interface StreamCommand {
  id: string;
  name: string;
  desired: 'running' | 'stopped';
  /** Whether footage is lost by a stop. */
  isRecorded?: boolean;
}

const UNDO_SHOWN_MS = 10_000;

function explain(error: Error, command: StreamCommand): string {
  if (error instanceof ApiError && error.reason === 'device_disabled') {
    return `“${command.name}” is disabled. Enable it under Edit before you start it.`;
  }
  return sentence(error.message);
}

export function useStreamControl() {
  const client = useQueryClient();
  const control = useMutation({
    mutationFn: (command: StreamCommand) =>
      command.desired === 'running' ? startStream(command.id) : stopStream(command.id),
    onSuccess: (stream: Stream, command) => {
      client.setQueryData(queryKeys.stream(command.id), stream);
      const id = `stopped-${command.id}`;
      notifications.hide(id);
      if (command.desired === 'running') return;
      const undo = () => {
        notifications.hide(id);
        control.mutate({ ...command, desired: 'running' });
      };
      const text = `“${command.name}” was stopped${command.isRecorded ? ', and its recording with it' : ''}.`;
      notifications.show({ id, message: <UndoMessage text={text} onUndo={undo} />, autoClose: UNDO_SHOWN_MS });
    },
    onError: (error, command) => {
      notifications.show({
        color: 'red',
        title: command.desired === 'running' ? 'The camera was not started' : 'The camera was not stopped',
        message: explain(error, command),
        autoClose: 8_000,
      });
    },
    onSettled: () => {
      for (const queryKey of [queryKeys.streams, queryKeys.devices, recordingKeys.all])
        void client.invalidateQueries({ queryKey });
    },
  });
  return control;
}
