// A bookmark's picture: the poster, the clip playing in its place, or how far the clip is and why there is none.
import { Button, Progress } from '@mantine/core';
import { IconAlertTriangle, IconBookmark, IconPlayerPlayFilled, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
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
  /** Of the poster, in pixels. */
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
  const [lost, setLost] = useState<string | null>(null);
  const address = clipUrl(bookmark);
  // The clip of before stays, and plays, until the one that is made anew is there.
  const canPlay = clip.url !== null && clip.state !== 'failed' && lost !== address;
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
          onError={() => setLost(address)}
        />
      </div>
    );
  }
  const percent = Math.floor(clip.progress * 100);
  return (
    <div className={classes.stage}>
      <Poster bookmark={bookmark} width={width} />
      {canPlay && (
        <button type="button" className={classes.play} onClick={onPlay} aria-label={`Play ${title}`}>
          <span className={classes.disc}>
            <IconPlayerPlayFilled size={22} aria-hidden />
          </span>
          {clip.state === 'ready' && clip.duration_seconds !== null && (
            <span className={classes.length}>{formatLength(clip.duration_seconds * 1000)}</span>
          )}
        </button>
      )}
      {clip.state === 'pending' && (
        <div className={classes.making}>
          <span aria-live="polite">
            {percent > 0 ? `The clip is being made, ${percent} %` : 'The clip is being made'}
          </span>
          <Progress value={percent} size="sm" animated aria-label={`Progress of the clip: ${title}`} />
        </div>
      )}
      {(clip.state === 'failed' || lost === address) && (
        <div className={classes.lost}>
          <IconAlertTriangle size={22} stroke={1.7} aria-hidden />
          <span className={classes.lostText}>
            {clip.state === 'failed'
              ? `No clip: ${sentence(clip.reason?.message ?? 'the log of the snapshot process says why')}${clip.reason?.remedy ? ` ${sentence(clip.reason.remedy)}` : ''}`
              : `This browser cannot play the clip${clip.codec ? ` (${clip.codec})` : ''}. Download it to see it.`}
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
