// Deletes snapshots immediately, with undo while the notification is shown.
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import type { Page } from '../api/pagination';
import { deleteSnapshot, restoreSnapshot, type Snapshot } from '../api/snapshots';
import { ApiError } from '../api/http';
import { UndoMessage } from '../widgets/UndoMessage';
import { snapshotKeys } from '../api/snapshotKeys';
import { notifyFailure } from '../widgets/notifyFailure';

const UNDO_SHOWN_MS = 12_000;
const MAX_PARALLEL = 4;

const formatCount = (count: number): string => (count === 1 ? 'The snapshot' : `${count} snapshots`);

/** Applies `action` to each id, a few in parallel. Returns the ids that succeeded and the first error. */
async function applyToEach(
  ids: string[],
  action: (id: string) => Promise<void>,
): Promise<{ done: string[]; failure: Error | null }> {
  const waiting = [...ids];
  const done: string[] = [];
  let failure: Error | null = null;
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        await action(id);
        done.push(id);
      } catch (error) {
        // Already deleted by somebody else.
        if (!(error instanceof ApiError) || error.status !== 404) failure ??= error as Error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, ids.length) }, work));
  return { done, failure };
}

export function useSnapshotDeletion() {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: snapshotKeys.all });

  const restore = useMutation({
    mutationFn: (ids: string[]) => applyToEach(ids, restoreSnapshot),
    onSuccess: ({ done, failure }, ids) => {
      if (failure)
        notifyFailure(
          ids.length === 1 ? 'The snapshot could not be restored' : 'Some snapshots could not be restored',
          failure,
        );
      if (done.length < ids.length && !failure) {
        notifications.show({
          color: 'red',
          title: 'The snapshot is gone',
          message: 'It was deleted too long ago to be restored.',
          autoClose: 8_000,
        });
      }
    },
    onSettled: refresh,
  });

  const remove = useMutation({
    mutationFn: (ids: string[]) => applyToEach(ids, deleteSnapshot),
    onMutate: (ids) => {
      const without = (page: Page<Snapshot>): Page<Snapshot> => {
        const items = page.items.filter(({ id }) => !ids.includes(id));
        return { ...page, items, total: Math.max(items.length, page.total - ids.length) };
      };
      client.setQueriesData<InfiniteData<Page<Snapshot>>>(
        { queryKey: snapshotKeys.lists },
        (list) => list && { ...list, pages: list.pages.map(without) },
      );
    },
    onSuccess: ({ done, failure }, ids) => {
      if (failure)
        notifyFailure(ids.length === 1 ? 'The snapshot was not deleted' : 'Some snapshots were not deleted', failure);
      if (done.length === 0) return;
      const id = `deleted-${done[0]}`;
      const undo = () => {
        notifications.hide(id);
        restore.mutate(done);
      };
      const text = `${formatCount(done.length)} ${done.length === 1 ? 'was' : 'were'} deleted.`;
      notifications.show({ id, message: <UndoMessage text={text} onUndo={undo} />, autoClose: UNDO_SHOWN_MS });
    },
    onSettled: refresh,
  });

  return remove;
}
