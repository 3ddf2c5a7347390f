// When the live picture is shown over HTTP instead of WebRTC: a pure function, so that every case can be read and tested.
import type { PlayerSnapshot } from './playerState';

/** WebRTC cannot do it here, or not for this viewer: no point in waiting for another attempt. */
const AT_ONCE = new Set(['ice_failed', 'unsupported', 'too_many_viewers']);
/** May be a moment's trouble, such as a restart of the media server, over which WebRTC is back sooner than HTTP is there. */
const AFTER_A_WHILE = new Set(['signalling_closed', 'network', 'server_error', 'stalled', 'unauthorized']);
/** Failures in a row that make the while: some four seconds. */
const WHILE = 4;

/** `isFlowing`: the server has fresh video of the camera, so that another way to it can help. */
export function needsFallback({ state, cause, attempt }: PlayerSnapshot, isFlowing: boolean): boolean {
  if (!isFlowing || !cause) return false;
  if (state !== 'reconnecting' && state !== 'failed') return false;
  return AT_ONCE.has(cause.kind) || (AFTER_A_WHILE.has(cause.kind) && attempt >= WHILE);
}
