// The overlay of recorded playback: loading, skipped gaps, errors, and the buttons to continue.
import { Button, CloseButton, Group, Loader } from '@mantine/core';
import { IconAlertTriangle, IconPlayerTrackNext } from '@tabler/icons-react';
import { useEffect } from 'react';
import type { HistoryPlayer } from '../players/HistoryPlayer';
import type { HistoryNotice, HistorySnapshot } from '../players/historyState';
import { formatLength } from '../formatting/moments';
import { formatMoment, formatTime } from '../formatting/zonedTimes';
import { useNow } from '../widgets/useNow';
import { RetryCountdown } from '../widgets/RetryCountdown';
import { sentence } from '../formatting/sentence';
import classes from './PlayerOverlay.module.css';

interface HistoryOverlayProps {
  player: HistoryPlayer;
  snapshot: HistorySnapshot;
  timeZone: string;
  /** The reason why footage is missing at a moment; null when unknown. */
  reasonAt: (atMs: number) => string | null;
  oldestMs: number | null;
  /** Whether the footage of a moment has to come from an archive; without it nothing says so. */
  isAwayAt?: (atMs: number) => boolean;
  onLive: () => void;
}

const NOTICE_MS = 7_000;

type NoticeContext = Pick<HistoryOverlayProps, 'timeZone' | 'reasonAt' | 'oldestMs'>;

export function formatNotice(notice: HistoryNotice, { timeZone, reasonAt, oldestMs }: NoticeContext): string {
  switch (notice.kind) {
    case 'skipped': {
      const { fromMs, toMs } = notice.skip;
      if (oldestMs !== null && fromMs < oldestMs)
        return `Nothing older is recorded. Playing from ${formatMoment(timeZone, toMs)}`;
      const reason = notice.isUnreadable ? 'its file is missing or damaged' : reasonAt((fromMs + toMs) / 2);
      const length = formatLength(toMs - fromMs);
      return `No footage for ${length}${reason ? ` (${reason})` : ''}. Skipped to ${formatTime(timeZone, toMs)}`;
    }
    case 'too_fast':
      return `${notice.requested}× is too fast for this browser or network; playing at ${notice.now}×`;
    case 'caught_up':
      return 'Playback has reached the newest footage';
    case 'damaged':
      return `The footage at ${formatTime(timeZone, notice.atMs)} cannot be played and was skipped`;
  }
}

/** Says that footage comes from an archive, which takes longer, as soon as the timeline knows. */
function LoadingText({ player, isAwayAt }: Pick<HistoryOverlayProps, 'player' | 'isAwayAt'>) {
  useNow(500);
  const momentMs = player.getMoment();
  if (momentMs !== null && isAwayAt?.(momentMs)) return <div className={classes.text}>Loading from the archive</div>;
  return <span className="visually-hidden">Loading the recording</span>;
}

export function HistoryOverlay({
  player,
  snapshot,
  timeZone,
  reasonAt,
  oldestMs,
  isAwayAt,
  onLive,
}: HistoryOverlayProps) {
  const { state, notice, cause } = snapshot;
  useEffect(() => {
    if (!notice) return undefined;
    const timer = setTimeout(() => player.dismissNotice(), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [player, notice]);

  const isWaiting = state === 'loading' || state === 'buffering';
  if (state === 'failed' || state === 'retrying' || (isWaiting && cause)) {
    const title =
      state !== 'failed'
        ? 'Playback was interrupted'
        : cause?.kind === 'no_footage'
          ? 'No recordings'
          : 'This recording cannot be played';
    return (
      <div className={`${classes.overlay} ${classes.scrim}`} role="alert">
        <IconAlertTriangle size={34} stroke={1.6} color={state === 'failed' ? '#ff8a80' : '#f2b84b'} aria-hidden />
        <div className={classes.title}>{title}</div>
        {cause && (
          <div className={classes.text}>
            {sentence(cause.message)}
            {cause.kind === 'unsupported' && ' Try another browser, or export the range and open the file.'}
          </div>
        )}
        <Group gap="xs" justify="center" wrap="nowrap">
          {isWaiting && <Loader size="xs" color="#7ef0d4" />}
          {state === 'retrying' && <RetryCountdown at={snapshot.retryAt ?? 0} onRetry={() => player.retryNow()} />}
          {state === 'failed' && cause?.kind !== 'no_footage' && (
            <Button variant="white" color="dark" size="xs" onClick={() => player.retryNow()}>
              Try again
            </Button>
          )}
          <Button variant="default" size="xs" onClick={onLive}>
            Watch live
          </Button>
        </Group>
      </div>
    );
  }

  if (state === 'ended') {
    return (
      <div className={`${classes.overlay} ${classes.scrim}`} role="status">
        <div className={classes.title}>End of the recording</div>
        <div className={classes.text}>No newer footage is recorded. Playback continues as soon as there is more.</div>
        <Group gap="xs" justify="center">
          <Button variant="white" color="dark" size="xs" onClick={onLive}>
            Watch live
          </Button>
          <Button variant="default" size="xs" onClick={() => player.skip(-30)}>
            Back 30 s
          </Button>
        </Group>
      </div>
    );
  }

  return (
    <>
      {isWaiting && (
        <div className={classes.overlay} role="status">
          <Loader color="#7ef0d4" />
          <LoadingText player={player} isAwayAt={isAwayAt} />
        </div>
      )}
      {notice && (
        <div className={classes.notice} role="status">
          {notice.kind === 'skipped' && <IconPlayerTrackNext size={16} aria-hidden />}
          <span>{formatNotice(notice, { timeZone, reasonAt, oldestMs })}</span>
          {notice.kind === 'caught_up' && (
            <Button size="compact-xs" variant="white" color="dark" onClick={onLive}>
              Live
            </Button>
          )}
          <CloseButton
            size="xs"
            variant="transparent"
            c="white"
            aria-label="Dismiss"
            onClick={() => player.dismissNotice()}
          />
        </div>
      )}
    </>
  );
}
