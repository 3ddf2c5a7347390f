// The overlay of live playback: the play button, or the current state and its reason.
import { Button, Loader, UnstyledButton } from '@mantine/core';
import { IconAlertTriangle, IconPlayerPlayFilled } from '@tabler/icons-react';
import type { Stream } from '../api/types';
import type { PlayerSnapshot } from '../players/playerState';
import { RetryCountdown } from '../widgets/RetryCountdown';
import { sentence } from '../formatting/sentence';
import classes from './PlayerOverlay.module.css';

interface PlayerOverlayProps {
  snapshot: PlayerSnapshot;
  stream: Stream | undefined;
  wasWatching: boolean;
  onConnect: () => void;
  onRetry: () => void;
}

const TITLES = {
  starting: 'The camera is starting',
  reconnecting: 'The camera is not reachable; reconnecting',
  failed: 'The camera failed',
  stopping: 'The camera is stopping',
};

/** Titles of reasons for which the camera is reachable, but sends no picture. */
const TITLES_BY_REASON: Record<string, string> = {
  unauthorized: 'The camera refuses the login',
  login_revoked: 'The camera refuses the login',
  login_paused: 'The camera refuses the login',
  forbidden: 'The camera refuses the login',
  login_unsupported: 'The camera asks for an unknown login',
  too_many_connections: 'The camera is busy',
  tls_untrusted: 'The camera’s certificate is not trusted',
  tls_expired: 'The camera’s certificate is not trusted',
  tls_wrong_name: 'The camera’s certificate is not trusted',
  tls_changed: 'The camera’s certificate has changed',
  tls_not_spoken: 'The encrypted connection failed',
  tls_failed: 'The encrypted connection failed',
  not_rtsp: 'No camera answers at this address',
  not_found: 'The camera has no stream at this address',
  udp_blocked: 'No video arrives from the camera',
  waits_for_key_frame: 'Waiting for the camera’s next key frame',
  no_key_frames: 'The camera sends no key frames',
};

/** An error of the camera explains more than the player's own error. */
function explain(snapshot: PlayerSnapshot, stream: Stream | undefined): { title: string; message: string | null } {
  const { cause } = snapshot;
  if (cause?.kind === 'offline')
    return { title: 'You are offline', message: 'The picture returns when the network does.' };
  if (stream && stream.observed !== 'running') {
    const reason = stream.reason && stream.reason.code !== 'requested' ? stream.reason : null;
    const message = reason ? `${sentence(reason.message)}${reason.remedy ? ` ${sentence(reason.remedy)}` : ''}` : null;
    if (stream.observed === 'stopped') {
      return {
        title: 'The camera is stopped',
        message: message ?? 'Start it above; the picture then appears automatically.',
      };
    }
    const title = (reason && TITLES_BY_REASON[reason.code]) ?? TITLES[stream.observed];
    return { title, message: message ?? 'The picture appears automatically.' };
  }
  if (cause?.kind === 'stream_stopped') return { title: 'The camera is stopped', message: sentence(cause.message) };
  if (cause?.kind === 'no_frames') return { title: 'The picture is frozen', message: sentence(cause.message) };
  if (snapshot.state === 'waiting')
    return { title: 'Waiting for the camera', message: 'The picture appears automatically.' };
  return { title: 'Reconnecting', message: cause ? sentence(cause.message) : null };
}

// Each state has a key: an element that another state reused would move across the picture, a shift of the layout.
export function PlayerOverlay({ snapshot, stream, wasWatching, onConnect, onRetry }: PlayerOverlayProps) {
  const { state } = snapshot;
  if (state === 'live') return null;

  if (state === 'idle') {
    return (
      <div key={state} className={classes.overlay}>
        <UnstyledButton className={classes.play} onClick={onConnect} aria-label="Watch live">
          <IconPlayerPlayFilled size={34} aria-hidden />
        </UnstyledButton>
        <div className={classes.text}>{wasWatching ? 'Continue watching' : 'Watch live'}</div>
      </div>
    );
  }

  if (state === 'preview') {
    return (
      <div key={state} className={classes.pill} role="status">
        <Loader size={14} color="#7ef0d4" />
        Latest picture; live video is loading
      </div>
    );
  }

  if (state === 'connecting') {
    return (
      <div key={state} className={classes.overlay} role="status">
        <Loader color="#7ef0d4" />
        <div className={classes.text}>Connecting</div>
      </div>
    );
  }

  if (state === 'failed') {
    return (
      <div key={state} className={`${classes.overlay} ${classes.scrim}`} role="alert">
        <IconAlertTriangle size={34} stroke={1.6} color="#ff8a80" aria-hidden />
        <div className={classes.title}>Live video is not available</div>
        {snapshot.cause && <div className={classes.text}>{sentence(snapshot.cause.message)}</div>}
        <Button variant="white" color="dark" onClick={onConnect}>
          Try again
        </Button>
      </div>
    );
  }

  const { title, message } = explain(snapshot, stream);
  return (
    <div key={title} className={`${classes.overlay} ${classes.scrim}`} role="status">
      <Loader color="#7ef0d4" type="dots" />
      <div className={classes.title}>{title}</div>
      {message && <div className={classes.text}>{message}</div>}
      {snapshot.retryAt !== null && snapshot.cause?.kind !== 'stream_stopped' && (
        <RetryCountdown at={snapshot.retryAt} onRetry={onRetry} />
      )}
    </div>
  );
}
