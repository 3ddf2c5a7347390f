// The states of the live player and their reasons; shared by the player and its page.

export type PlayerState = 'idle' | 'connecting' | 'preview' | 'live' | 'waiting' | 'reconnecting' | 'failed';

/** Why a session ended or could not start. */
export type LossKind =
  | 'network'
  | 'server_error'
  | 'signalling_closed'
  | 'unauthorized'
  | 'too_many_viewers'
  | 'stream_stopped'
  | 'no_stream'
  | 'ice_failed'
  | 'stalled'
  | 'deleted'
  | 'forbidden'
  | 'unsupported';

export class PlaybackLost extends Error {
  readonly kind: LossKind;

  constructor(kind: LossKind, message: string) {
    super(message);
    this.name = 'PlaybackLost';
    this.kind = kind;
  }
}

export interface PlayerSnapshot {
  state: PlayerState;
  /** Why the player waits, reconnects or failed; null without an error. */
  cause: { kind: LossKind | 'no_video_yet' | 'no_frames' | 'offline'; message: string } | null;
  /** Failed attempts in a row. */
  attempt: number;
  /** When the next attempt is due, in milliseconds of Date.now(). */
  retryAt: number | null;
  hasAudio: boolean;
  isMuted: boolean;
  volume: number;
}

export const FIRST_SNAPSHOT: PlayerSnapshot = {
  state: 'idle',
  cause: null,
  attempt: 0,
  retryAt: null,
  hasAudio: false,
  isMuted: true,
  volume: 1,
};
