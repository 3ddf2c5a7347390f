// The card of one requested snapshot: in progress, taken, or failed with its reason and the nearest footage.
import { Button, CloseButton, Loader, Progress, UnstyledButton } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import type { Snapshot } from '../api/snapshots';
import type { CaptureEntry } from './useCapture';
import { dateOf } from '../formatting/timeZone';
import { formatMoment, formatTime } from '../formatting/zonedTimes';
import { sentence } from '../formatting/sentence';
import classes from './CaptureCards.module.css';

interface CaptureCardProps {
  entry: CaptureEntry;
  timeZone: string;
  onOpen: (snapshot: Snapshot) => void;
  onSeek: (atMs: number) => void;
  onDismiss: (key: string) => void;
}

const DONE_SHOWN_MS = 7_000;
const FAILED_SHOWN_MS = 15_000;

/** With the date if it is another day. */
const formatNearest = (timeZone: string, atMs: number, requestedMs: number): string =>
  (dateOf(timeZone, atMs) === dateOf(timeZone, requestedMs) ? formatTime : formatMoment)(timeZone, atMs);

export function CaptureCard({ entry, timeZone, onOpen, onSeek, onDismiss }: CaptureCardProps) {
  const { key, state, snapshot, failure, progress } = entry;
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (state === 'taking' || isHeld) return undefined;
    const timer = setTimeout(() => onDismiss(key), state === 'done' ? DONE_SHOWN_MS : FAILED_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state, isHeld, key, onDismiss]);
  const holdHandlers = {
    onPointerEnter: () => setHeld(true),
    onPointerLeave: () => setHeld(false),
    onFocus: () => setHeld(true),
    onBlur: () => setHeld(false),
  };

  if (state === 'done' && snapshot) {
    return (
      <div className={classes.card} data-testid="capture-card" data-state={state} {...holdHandlers}>
        <UnstyledButton className={classes.open} onClick={() => onOpen(snapshot)} aria-label="View the snapshot">
          <img className={classes.thumbnail} src={snapshot.thumbnail_url} alt="" />
          <span className={classes.text}>
            <span className={classes.title}>Snapshot taken</span>
            <span className={classes.soft}>{formatTime(timeZone, Date.parse(snapshot.at))}</span>
            <span className={classes.link}>View</span>
          </span>
        </UnstyledButton>
        <CloseButton
          className={classes.close}
          size="sm"
          variant="transparent"
          c="white"
          aria-label="Dismiss"
          onClick={() => onDismiss(key)}
        />
      </div>
    );
  }

  if (state === 'failed' && failure) {
    return (
      <div className={classes.card} data-testid="capture-card" data-state={state} {...holdHandlers}>
        <IconAlertTriangle className={classes.icon} size={20} stroke={1.7} aria-hidden />
        <div className={classes.text}>
          <span className={classes.title}>No snapshot was taken</span>
          <span className={classes.why}>
            {sentence(failure.message, timeZone)}
            {failure.remedy && ` ${sentence(failure.remedy)}`}
          </span>
          {failure.nearest.map((at) => (
            <Button
              key={at}
              className={classes.nearest}
              size="compact-xs"
              variant="default"
              onClick={() => onSeek(Date.parse(at))}
            >
              Show {formatNearest(timeZone, Date.parse(at), Date.parse(entry.at ?? at))}
            </Button>
          ))}
        </div>
        <CloseButton
          className={classes.close}
          size="sm"
          variant="transparent"
          c="white"
          aria-label="Dismiss"
          onClick={() => onDismiss(key)}
        />
      </div>
    );
  }

  return (
    <div
      className={`${classes.card} ${progress === null ? classes.late : ''}`}
      data-testid="capture-card"
      data-state={state}
    >
      <Loader size={18} color="#7ef0d4" />
      <div className={classes.text}>
        <span className={classes.title}>Taking snapshot…</span>
        {progress !== null && (
          <>
            <span className={classes.soft}>This takes a little longer</span>
            <Progress
              className={classes.progress}
              value={Math.max(4, progress * 100)}
              size="sm"
              color="#37a6b1"
              animated
              aria-label="Snapshot progress"
            />
          </>
        )}
      </div>
    </div>
  );
}
