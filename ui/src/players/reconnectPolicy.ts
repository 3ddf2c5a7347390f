// When a lost live view is tried again: a pure function, so that every case can be read and tested.
import type { LossKind } from './playerState';

export interface Loss {
  kind: LossKind;
  /** Failed attempts in a row before this decision; 0 after a healthy view. */
  attempt: number;
  isOnline: boolean;
  /** 0 up to 1, from Math.random(). */
  random: number;
  /** The picture is shown another way meanwhile: there is no hurry. */
  hasOtherTransport?: boolean;
}

export type Decision = { action: 'retry'; delayMs: number } | { action: 'wait_for_network' } | { action: 'give_up' };

export const FIRST_DELAY_MS = 250;
export const MAX_DELAY_MS = 15_000;
export const UNHURRIED_DELAY_MS = 60_000;
/** A view this long is healthy: what failed before it is forgiven. */
export const HEALTHY_AFTER_MS = 10_000;

const HOPELESS: ReadonlySet<LossKind> = new Set(['deleted', 'forbidden', 'unsupported']);
/** Nothing is wrong on our side: ask now and then, not faster and faster. */
const PATIENT: ReadonlySet<LossKind> = new Set(['stream_stopped', 'no_stream', 'too_many_viewers']);
const PATIENT_DELAY_MS = 5_000;
/** Each attempt takes long and will mostly fail again: with a picture on another way there is no hurry. */
const STUBBORN: ReadonlySet<LossKind> = new Set(['ice_failed', 'too_many_viewers']);

/**
 * Decides what follows a loss. Delays double from 250 ms to 15 s and are spread over their upper half, so that
 * a hundred viewers of a restarted server do not come back in the same instant.
 */
export function decideReconnect({ kind, attempt, isOnline, random, hasOtherTransport = false }: Loss): Decision {
  if (HOPELESS.has(kind)) return { action: 'give_up' };
  if (!isOnline) return { action: 'wait_for_network' };
  if (hasOtherTransport && STUBBORN.has(kind))
    return { action: 'retry', delayMs: Math.round(UNHURRIED_DELAY_MS * (0.5 + random / 2)) };
  const cap = hasOtherTransport ? UNHURRIED_DELAY_MS : MAX_DELAY_MS;
  const longest = PATIENT.has(kind) ? PATIENT_DELAY_MS : Math.min(cap, FIRST_DELAY_MS * 2 ** Math.min(attempt, 10));
  return { action: 'retry', delayMs: Math.round(longest * (0.5 + random / 2)) };
}
