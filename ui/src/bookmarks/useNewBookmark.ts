// Creates a bookmark as soon as it is requested, before it has a name: the video before the moment soon leaves the buffer.
import { useRef, useState } from 'react';
import {
  createBookmark,
  deleteBookmark,
  replaceBookmark,
  type Bookmark,
  type VersionedBookmark,
} from '../api/bookmarks';
import { newRequestKey } from '../api/requestKey';
import { bookmarkFieldsOf, FIRST_TITLE, isChanged, recallLengths, type BookmarkValues } from './bookmarkValues';
import { useRefreshBookmarks } from './useBookmarkActions';

export type NewBookmarkState = 'closed' | 'creating' | 'created' | 'failed';

export function useNewBookmark(deviceId: string) {
  const refresh = useRefreshBookmarks();
  const [state, setState] = useState<NewBookmarkState>('closed');
  const [bookmark, setBookmark] = useState<Bookmark | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const pending = useRef<Promise<VersionedBookmark> | null>(null);

  /** `atMs` null means now, by the server's clock. */
  const create = (atMs: number | null) => {
    const { before, after } = recallLengths();
    const at = atMs === null ? null : new Date(atMs).toISOString();
    const fields = {
      device_id: deviceId,
      at,
      title: FIRST_TITLE,
      note: '',
      tags: [],
      before_seconds: before,
      after_seconds: after,
    };
    const promise = createBookmark(fields, newRequestKey());
    pending.current = promise;
    setState('creating');
    setBookmark(null);
    setError(null);
    promise.then(
      ({ bookmark: created }) => {
        void refresh();
        if (pending.current !== promise) return;
        setBookmark(created);
        setState((current) => (current === 'creating' ? 'created' : current));
      },
      (failure: Error) => {
        if (pending.current !== promise) return;
        setError(failure);
        setState((current) => (current === 'creating' ? 'failed' : current));
      },
    );
  };

  /** Waits until the bookmark exists, then saves the form values to it. */
  const save = async (values: BookmarkValues): Promise<Bookmark> => {
    const { bookmark: created, etag } = await (pending.current ?? Promise.reject(new Error('there is no bookmark')));
    if (!isChanged(values, created)) return created;
    const saved = await replaceBookmark(created.id, bookmarkFieldsOf(values, created.at), etag);
    void refresh();
    return saved;
  };

  const discard = async () => {
    const created = await pending.current?.catch(() => null);
    if (created) await deleteBookmark(created.bookmark.id);
    void refresh();
  };

  return { state, bookmark, error, create, save, discard, close: () => setState('closed') };
}
