// Actions on a bookmark: save, delete with undo, recreate the clip.
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import {
  deleteBookmark,
  makeClipAgain,
  replaceBookmark,
  restoreBookmark,
  type Bookmark,
  type BookmarkFields,
} from '../api/bookmarks';
import { UndoMessage } from '../widgets/UndoMessage';
import { bookmarkKeys } from '../api/bookmarkKeys';
import { queryKeys } from '../api/queryKeys';
import { notifyFailure } from '../widgets/notifyFailure';

const UNDO_SHOWN_MS = 10_000;

/** Refetches everything that shows bookmarks. */
export function useRefreshBookmarks() {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: queryKeys.devices });
    return client.invalidateQueries({ queryKey: bookmarkKeys.all });
  };
}

export function useBookmarkActions() {
  const refresh = useRefreshBookmarks();

  const restore = useMutation({
    mutationFn: (bookmark: Bookmark) => restoreBookmark(bookmark.id),
    onError: (error, { title }) => notifyFailure(`“${title}” could not be restored`, error),
    onSettled: refresh,
  });

  const remove = useMutation({
    mutationFn: (bookmark: Bookmark) => deleteBookmark(bookmark.id),
    onSuccess: (_, bookmark) => {
      const id = `deleted-${bookmark.id}`;
      const undo = () => {
        notifications.hide(id);
        restore.mutate(bookmark);
      };
      notifications.show({
        id,
        message: <UndoMessage text={`“${bookmark.title}” and its clip were deleted.`} onUndo={undo} />,
        autoClose: UNDO_SHOWN_MS,
      });
    },
    onError: (error, { title }) => notifyFailure(`“${title}” was not deleted`, error),
    onSettled: refresh,
  });

  const remake = useMutation({
    mutationFn: (bookmark: Bookmark) => makeClipAgain(bookmark.id),
    onError: (error) => notifyFailure('The clip could not be recreated', error),
    onSettled: refresh,
  });

  const save = useMutation({
    mutationFn: ({ id, fields, etag }: { id: string; fields: BookmarkFields; etag: string | null }) =>
      replaceBookmark(id, fields, etag),
    onSettled: refresh,
  });

  return { remove, remake, save };
}
