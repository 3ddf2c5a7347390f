// A bookmark's picture: the poster, the clip playing in its place, or the progress or failure of the clip.
import { Button, Progress } from '@mantine/core';
import { IconAlertTriangle, IconBookmark, IconPlayerPlayFilled, IconRefresh } from '@tabler/icons-react';
import { useId, useState } from 'react';
import { bookmarkPosterUrl, clipUrl, type Bookmark } from '../api/bookmarks';
import { formatLength } from '../formatting/moments';
import { sentence } from '../formatting/sentence';
import classes from './Bookmarks.module.css';

interface BookmarkClipProps {
  bookmark: Bookmark;
  isPlaying: boolean;
  onPlay: () => void;
  onRemake: () => void;
  isRemaking: boolean;
  /** Width of the poster, in pixels. */
  width?: number;
}

function Poster({ bookmark, width }: { bookmark: Bookmark; width: number }) {
  const address = bookmarkPosterUrl(bookmark, width);
  const [broken, setBroken] = useState<string | null>(null);
  if (address === null || broken === address)
    return <IconBookmark className={classes.noPoster} size={44} stroke={1.1} aria-hidden />;
  return (
    <img
      className={classes.poster}
      src={address}
      alt=""
      loading="lazy"
      decoding="async"
      onError={() => setBroken(address)}
    />
  );
}

export function BookmarkClip({ bookmark, isPlaying, onPlay, onRemake, isRemaking, width = 640 }: BookmarkClipProps) {
  const { clip, title } = bookmark;
  const labelId = useId();
  const [unplayable, setUnplayable] = useState<string | null>(null);
  const address = clipUrl(bookmark);
  // The previous clip stays playable until its replacement is ready.
  const canPlay = clip.url !== null && clip.state !== 'failed' && unplayable !== address;
  if (canPlay && isPlaying) {
    return (
      <div className={classes.stage}>
        <video
          className={classes.video}
          src={address}
          poster={bookmarkPosterUrl(bookmark, width) ?? undefined}
          controls
          autoPlay
          playsInline
          aria-label={`Clip of ${title}`}
          data-testid="bookmark-video"
          onError={() => setUnplayable(address)}
        />
      </div>
    );
  }
  const percent = Math.floor(clip.progress * 100);
  return (
    <div className={classes.stage}>
      <Poster bookmark={bookmark} width={width} />
      {canPlay && (
        <button
          type="button"
          className={classes.play}
          onClick={onPlay}
          aria-labelledby={`${labelId}-play ${labelId}-length`}
        >
          <span className="visually-hidden" id={`${labelId}-play`}>{`Play ${title}`}</span>
          <span className={classes.disc}>
            <IconPlayerPlayFilled size={22} aria-hidden />
          </span>
          {clip.state === 'ready' && clip.duration_seconds !== null && (
            <span className={classes.length} id={`${labelId}-length`}>
              {formatLength(clip.duration_seconds * 1000)}
            </span>
          )}
        </button>
      )}
      {clip.state === 'pending' && (
        <div className={classes.progress}>
          <span aria-live="polite">{percent > 0 ? `Creating clip, ${percent} %` : 'Creating clip…'}</span>
          <Progress value={percent} size="sm" animated aria-label={`Clip progress: ${title}`} />
        </div>
      )}
      {(clip.state === 'failed' || unplayable === address) && (
        <div className={classes.failure}>
          <IconAlertTriangle size={22} stroke={1.7} aria-hidden />
          <span className={classes.failureText}>
            {clip.state === 'failed'
              ? `Clip failed. ${sentence(clip.reason?.message ?? 'the log of the snapshot process shows the cause')}${clip.reason?.remedy ? ` ${sentence(clip.reason.remedy)}` : ''}`
              : `This browser cannot play the clip${clip.codec ? ` (${clip.codec})` : ''}. Download it to watch it.`}
          </span>
          {clip.state === 'failed' && (
            <Button
              size="compact-sm"
              variant="white"
              color="dark"
              leftSection={<IconRefresh size={14} />}
              loading={isRemaking}
              onClick={onRemake}
            >
              Try again
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
