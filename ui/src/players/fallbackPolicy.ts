// Decides when the live picture is shown over HLS instead of WebRTC: a pure function, so that every case can be tested.
import type { PlayerSnapshot } from './playerState';

/** WebRTC does not work in this network or for this viewer: another attempt would not help. */
const AT_ONCE = new Set(['ice_failed', 'unsupported', 'too_many_viewers']);
/** Possibly short failures, such as a restart of the media server, after which WebRTC is back sooner than HLS is ready. */
const AFTER_ATTEMPTS = new Set(['signalling_closed', 'network', 'server_error', 'stalled', 'unauthorized']);
/** Consecutive failures before the fallback: about four seconds. */
const MIN_ATTEMPTS = 4;

/** `isFlowing`: the server has fresh video of the camera, so that another transport can help. */
export function needsFallback({ state, cause, attempt }: PlayerSnapshot, isFlowing: boolean): boolean {
  if (!isFlowing || !cause) return false;
  if (state !== 'reconnecting' && state !== 'failed') return false;
  return AT_ONCE.has(cause.kind) || (AFTER_ATTEMPTS.has(cause.kind) && attempt >= MIN_ATTEMPTS);
}
