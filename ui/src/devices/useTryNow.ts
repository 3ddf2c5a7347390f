// Tries a lost stream at once instead of after its pause.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { tryStreamNow } from '../api/streams';
import { queryKeys } from '../api/queryKeys';
import { notifyFailure } from '../widgets/notifyFailure';

export function useTryNow(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => tryStreamNow(id),
    onSuccess: (stream) => client.setQueryData(queryKeys.stream(id), stream),
    onError: (error) => notifyFailure('The camera was not tried', error),
  });
}
