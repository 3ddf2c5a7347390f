// Bookmarks the moment on the screen at once, by the button or the key B; the title is asked for afterwards.
import { IconBookmarkPlus } from '@tabler/icons-react';
import { later } from '../frame/later';
import { useNewBookmark } from '../bookmarks/useNewBookmark';
import { usePlayerKeys } from './usePlayerKeys';
import { PlayerButton } from './PlayerButton';

const NewBookmarkDialog = later(() =>
  import('../bookmarks/NewBookmarkDialog').then((module) => module.NewBookmarkDialog),
);

interface BookmarkButtonProps {
  deviceId: string;
  timeZone: string;
  /** The moment on the screen, in milliseconds; null for now. */
  momentOf: () => number | null;
  /** Delay of a live picture over HLS; null for WebRTC. */
  behindSeconds: number | null;
}

export function BookmarkButton({ deviceId, timeZone, momentOf, behindSeconds }: BookmarkButtonProps) {
  const draft = useNewBookmark(deviceId);
  const press = () => draft.create(momentOf() ?? (behindSeconds ? Date.now() - behindSeconds * 1000 : null));
  usePlayerKeys({ b: press });
  return (
    <>
      <PlayerButton label="Bookmark" keyName="B" icon={<IconBookmarkPlus size={20} stroke={1.7} />} onClick={press} />
      {draft.state !== 'closed' && <NewBookmarkDialog draft={draft} timeZone={timeZone} />}
    </>
  );
}
