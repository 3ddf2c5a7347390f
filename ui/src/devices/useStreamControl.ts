// Starts and stops a stream; errors are shown as notifications.
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/http';
import { startStream, stopStream } from '../api/streams';
import type { Stream } from '../api/types';
import { sentence } from '../formatting/sentence';
import { queryKeys } from '../api/queryKeys';

interface StreamCommand {
  id: string;
  name: string;
  desired: 'running' | 'stopped';
}

function explain(error: Error, command: StreamCommand): string {
  if (error instanceof ApiError && error.reason === 'device_disabled') {
    return `“${command.name}” is disabled. Enable it under Edit before you start it.`;
  }
  return sentence(error.message);
}

export function useStreamControl() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (command: StreamCommand) =>
      command.desired === 'running' ? startStream(command.id) : stopStream(command.id),
    onSuccess: (stream: Stream, command) => {
      client.setQueryData(queryKeys.stream(command.id), stream);
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
      void client.invalidateQueries({ queryKey: queryKeys.streams });
      void client.invalidateQueries({ queryKey: queryKeys.devices });
    },
  });
}
