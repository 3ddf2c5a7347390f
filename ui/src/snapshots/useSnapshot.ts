// One snapshot with the version it has, and the saving of what a person wrote on it.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/http';
import { readSnapshot, replaceSnapshot, type SnapshotFields } from '../api/snapshots';
import { sentence } from '../formatting/sentence';
import { snapshotKeys } from '../api/snapshotKeys';

/** `id` null asks nothing. */
export function useSnapshot(id: string | null) {
  return useQuery({
    queryKey: snapshotKeys.one(id ?? ''),
    queryFn: ({ signal }) => readSnapshot(id ?? '', signal),
    enabled: id !== null,
    // Nothing is refreshed beneath somebody who writes.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

interface Saving {
  fields: SnapshotFields;
  etag: string | null;
  /** Whoever wrote it has gone on: what goes wrong is not seen where it was written. */
  isLeft?: boolean;
}

export function useSnapshotSaving(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ fields, etag }: Saving) => replaceSnapshot(id, fields, etag),
    onSuccess: (saved) => {
      client.setQueryData(snapshotKeys.one(id), saved);
      void client.invalidateQueries({ queryKey: snapshotKeys.lists });
    },
    onError: (error, { isLeft }) => {
      // Deleted, and left because of that.
      if (!isLeft || (error instanceof ApiError && error.status === 404)) return;
      notifications.show({
        color: 'red',
        title: 'Note and tags were not saved',
        message: sentence(error.message),
        autoClose: 12_000,
      });
    },
  });
}
