// Start and stop, said at once on the screen and confirmed by the server's answer.
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/http';
import { startStream, stopStream } from '../api/streams';
import type { Stream } from '../api/types';
import { sentence } from '../formatting/sentence';
import { queryKeys } from '../api/queryKeys';

interface Wish {
  id: string;
  name: string;
  desired: 'running' | 'stopped';
}

function explain(error: Error, wish: Wish): string {
  if (error instanceof ApiError && error.reason === 'device_disabled') {
    return `“${wish.name}” is disabled. Enable it under Edit, then start it.`;
  }
  return sentence(error.message);
}

export function useStreamControl() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) => (wish.desired === 'running' ? startStream(wish.id) : stopStream(wish.id)),
    onSuccess: (stream: Stream, wish) => {
      client.setQueryData(queryKeys.stream(wish.id), stream);
    },
    onError: (error, wish) => {
      notifications.show({
        color: 'red',
        title: wish.desired === 'running' ? 'The camera was not started' : 'The camera was not stopped',
        message: explain(error, wish),
        autoClose: 8_000,
      });
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: queryKeys.streams });
      void client.invalidateQueries({ queryKey: queryKeys.devices });
    },
  });
}
