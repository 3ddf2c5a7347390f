// What a live player can be doing, and why; shared by the player and the page around it.

export type PlayerState = 'idle' | 'connecting' | 'preview' | 'live' | 'waiting' | 'reconnecting' | 'failed';

/** Why a session ended or could not begin. */
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
  /** Why it waits, reconnects or failed; null while all is well. */
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
