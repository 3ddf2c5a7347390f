// When the live picture is shown over HTTP instead of WebRTC: a pure function, so that every case can be read and tested.
import type { PlayerSnapshot } from './playerState';

/** WebRTC cannot do it here, or not for this viewer: no point in waiting for another attempt. */
const AT_ONCE = new Set(['ice_failed', 'unsupported', 'too_many_viewers']);
/** May be a moment's trouble: the media server restarting, a socket cut. */
const AFTER_TWO = new Set(['signalling_closed', 'network', 'server_error', 'stalled', 'unauthorized']);

/** `isFlowing`: the server has fresh video of the camera, so that another way to it can help. */
export function needsFallback({ state, cause, attempt }: PlayerSnapshot, isFlowing: boolean): boolean {
  if (!isFlowing || !cause) return false;
  if (state !== 'reconnecting' && state !== 'failed') return false;
  return AT_ONCE.has(cause.kind) || (AFTER_TWO.has(cause.kind) && attempt >= 2);
}
