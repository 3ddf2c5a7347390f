// A bookmark that is made the moment somebody asks for it, before it has a name: what led up to it is soon gone from the buffer.
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

export type NewBookmarkState = 'closed' | 'making' | 'made' | 'failed';

export function useNewBookmark(deviceId: string) {
  const refresh = useRefreshBookmarks();
  const [state, setState] = useState<NewBookmarkState>('closed');
  const [bookmark, setBookmark] = useState<Bookmark | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const making = useRef<Promise<VersionedBookmark> | null>(null);

  /** `atMs` null: now, by the server's clock. */
  const make = (atMs: number | null) => {
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
    making.current = promise;
    setState('making');
    setBookmark(null);
    setError(null);
    promise.then(
      ({ bookmark: made }) => {
        void refresh();
        if (making.current !== promise) return;
        setBookmark(made);
        setState((current) => (current === 'making' ? 'made' : current));
      },
      (failure: Error) => {
        if (making.current !== promise) return;
        setError(failure);
        setState((current) => (current === 'making' ? 'failed' : current));
      },
    );
  };

  /** Waits for it to be there, then gives it what was typed. */
  const save = async (values: BookmarkValues): Promise<Bookmark> => {
    const { bookmark: made, etag } = await (making.current ?? Promise.reject(new Error('there is no bookmark')));
    if (!isChanged(values, made)) return made;
    const saved = await replaceBookmark(made.id, bookmarkFieldsOf(values, made.at), etag);
    void refresh();
    return saved;
  };

  const discard = async () => {
    const made = await making.current?.catch(() => null);
    if (made) await deleteBookmark(made.bookmark.id);
    void refresh();
  };

  return { state, bookmark, error, make, save, discard, close: () => setState('closed') };
}
