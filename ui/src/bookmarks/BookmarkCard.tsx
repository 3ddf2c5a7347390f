// One bookmark in the grid: clip, title, time, camera, note and tags.
import { Link } from 'react-router';
import type { Bookmark } from '../api/bookmarks';
import { BookmarkClip } from './BookmarkClip';
import { BookmarkMenu, type BookmarkActionProps } from './BookmarkMenu';
import { deviceMomentAddress } from '../addresses/recordingAddresses';
import { TagList } from '../widgets/TagList';
import { Timestamp } from '../widgets/Timestamp';
import classes from './Bookmarks.module.css';

interface BookmarkCardProps extends BookmarkActionProps {
  bookmark: Bookmark;
  isPlaying: boolean;
  onPlay: () => void;
  onOpen: () => void;
}

export function BookmarkCard({ bookmark, isPlaying, onPlay, onOpen, ...actions }: BookmarkCardProps) {
  const { id, device_id, device_name, at, title, note, tags } = bookmark;
  return (
    <li className={`surface ${classes.card}`} data-testid="bookmark-card" data-clip={bookmark.clip.state}>
      <BookmarkClip
        bookmark={bookmark}
        isPlaying={isPlaying}
        onPlay={onPlay}
        onRemake={() => actions.onRemake(bookmark)}
        isRemaking={actions.remakingId === id}
      />
      <div className={classes.body}>
        <div className={classes.head}>
          <button type="button" className={classes.title} onClick={onOpen} title={title}>
            <span className={classes.text}>{title}</span>
          </button>
          <BookmarkMenu bookmark={bookmark} onOpen={onOpen} {...actions} />
        </div>
        <div className={classes.where}>
          <Timestamp at={at} />
          <Link
            className={classes.device}
            to={deviceMomentAddress(device_id, Date.parse(at))}
            title={`Show ${device_name} at this time`}
          >
            <span className={classes.text}>{device_name}</span>
          </Link>
        </div>
        {note && <div className={classes.note}>{note}</div>}
        {tags.length > 0 && (
          <div className={classes.tags}>
            <TagList tags={tags} />
          </div>
        )}
      </div>
    </li>
  );
}
