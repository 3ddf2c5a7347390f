// One snapshot with its ETag, and saving its note and tags.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/http';
import { readSnapshot, replaceSnapshot, type SnapshotFields } from '../api/snapshots';
import { sentence } from '../formatting/sentence';
import { snapshotKeys } from '../api/snapshotKeys';

/** No request while `id` is null. */
export function useSnapshot(id: string | null) {
  return useQuery({
    queryKey: snapshotKeys.one(id ?? ''),
    queryFn: ({ signal }) => readSnapshot(id ?? '', signal),
    enabled: id !== null,
    // Never refreshed while somebody edits it.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

interface Saving {
  fields: SnapshotFields;
  etag: string | null;
  /** The view has been left: an error is shown as a notification instead of in the form. */
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
      // A deleted snapshot is left without an error.
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
