// The capture time of a frame that came over WebRTC: the server makes RTP time stamps of video from it.

/** Ticks of video in a millisecond. */
const TICKS = 90;
const RANGE = 2 ** 32;

/**
 * Milliseconds since 1970, by the server's clock, for the time stamp of a frame. It repeats every 13 hours: the moment
 * nearest to `nowMs` is meant, so the clock of the browser may be hours wrong.
 */
export function captureTimeOf(rtpTimestamp: number, nowMs: number): number {
  const nowTicks = Math.round(nowMs * TICKS);
  const difference = (((rtpTimestamp - nowTicks) % RANGE) + RANGE) % RANGE;
  return (nowTicks + (difference >= RANGE / 2 ? difference - RANGE : difference)) / TICKS;
}
