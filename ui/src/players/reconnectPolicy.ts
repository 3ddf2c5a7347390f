// Decides when a lost live view is retried: a pure function, so that every case can be tested.
import type { LossKind } from './playerState';

export interface Loss {
  kind: LossKind;
  /** Failed attempts in a row before this decision; 0 after a healthy view. */
  attempt: number;
  isOnline: boolean;
  /** 0 up to 1, from Math.random(). */
  random: number;
  /** The picture is shown over another transport meanwhile, so attempts are less urgent. */
  hasOtherTransport?: boolean;
}

export type Decision = { action: 'retry'; delayMs: number } | { action: 'wait_for_network' } | { action: 'give_up' };

export const FIRST_DELAY_MS = 250;
export const MAX_DELAY_MS = 15_000;
export const MAX_FALLBACK_DELAY_MS = 60_000;
/** A view this long is healthy: earlier failures no longer count. */
export const HEALTHY_AFTER_MS = 10_000;

const FINAL: ReadonlySet<LossKind> = new Set(['deleted', 'forbidden', 'unsupported']);
/** The player works and the source is not available: retry at a constant interval. */
const CONSTANT: ReadonlySet<LossKind> = new Set(['stream_stopped', 'no_stream', 'too_many_viewers']);
const CONSTANT_DELAY_MS = 5_000;
/** Attempts take long and mostly fail again: rarely retried while another transport shows the picture. */
const LIKELY_TO_FAIL_AGAIN: ReadonlySet<LossKind> = new Set(['ice_failed', 'too_many_viewers']);

/**
 * Decides what follows a loss. Delays double from 250 ms to 15 s and are spread over their upper half, so that
 * a hundred viewers of a restarted server do not reconnect at the same time.
 */
export function decideReconnect({ kind, attempt, isOnline, random, hasOtherTransport = false }: Loss): Decision {
  if (FINAL.has(kind)) return { action: 'give_up' };
  if (!isOnline) return { action: 'wait_for_network' };
  if (hasOtherTransport && LIKELY_TO_FAIL_AGAIN.has(kind))
    return { action: 'retry', delayMs: Math.round(MAX_FALLBACK_DELAY_MS * (0.5 + random / 2)) };
  const cap = hasOtherTransport ? MAX_FALLBACK_DELAY_MS : MAX_DELAY_MS;
  const longest = CONSTANT.has(kind) ? CONSTANT_DELAY_MS : Math.min(cap, FIRST_DELAY_MS * 2 ** Math.min(attempt, 10));
  return { action: 'retry', delayMs: Math.round(longest * (0.5 + random / 2)) };
}
