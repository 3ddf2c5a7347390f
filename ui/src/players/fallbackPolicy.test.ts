// Another way to the live picture is taken when WebRTC has none, and only then.
import { expect, test } from 'vitest';
import { needsFallback } from './fallbackPolicy';
import { FIRST_SNAPSHOT, type LossKind, type PlayerSnapshot } from './playerState';

const lost = (kind: LossKind, attempt: number, state: PlayerSnapshot['state'] = 'reconnecting'): PlayerSnapshot => ({
  ...FIRST_SNAPSHOT,
  state,
  attempt,
  cause: { kind, message: '' },
});

test('blocked ports lead to HTTP at once', () => {
  expect(needsFallback(lost('ice_failed', 1), true)).toBe(true);
  expect(needsFallback(lost('unsupported', 0, 'failed'), true)).toBe(true);
});

test('a media server that stays away leads to HTTP, one that only restarts does not', () => {
  expect(needsFallback(lost('signalling_closed', 3), true)).toBe(false);
  expect(needsFallback(lost('signalling_closed', 4), true)).toBe(true);
});

test('a camera that sends nothing is shown no other way', () => {
  expect(needsFallback(lost('ice_failed', 3), false)).toBe(false);
  expect(needsFallback(lost('stream_stopped', 9), true)).toBe(false);
});

test('while WebRTC is tried or works nothing else is', () => {
  expect(needsFallback({ ...FIRST_SNAPSHOT, state: 'connecting' }, true)).toBe(false);
  expect(needsFallback({ ...FIRST_SNAPSHOT, state: 'live' }, true)).toBe(false);
});
