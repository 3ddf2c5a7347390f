// HLS is used when WebRTC does not work, and only then.
import { expect, test } from 'vitest';
import { needsFallback } from './fallbackPolicy';
import { FIRST_SNAPSHOT, type LossKind, type PlayerSnapshot } from './playerState';

const lost = (kind: LossKind, attempt: number, state: PlayerSnapshot['state'] = 'reconnecting'): PlayerSnapshot => ({
  ...FIRST_SNAPSHOT,
  state,
  attempt,
  cause: { kind, message: '' },
});

test('blocked ports lead to HLS at once', () => {
  expect(needsFallback(lost('ice_failed', 1), true)).toBe(true);
  expect(needsFallback(lost('unsupported', 0, 'failed'), true)).toBe(true);
});

test('an unavailable media server leads to HLS, one that only restarts does not', () => {
  expect(needsFallback(lost('signalling_closed', 3), true)).toBe(false);
  expect(needsFallback(lost('signalling_closed', 4), true)).toBe(true);
});

test('a camera that sends nothing does not lead to HLS', () => {
  expect(needsFallback(lost('ice_failed', 3), false)).toBe(false);
  expect(needsFallback(lost('stream_stopped', 9), true)).toBe(false);
});

test('while WebRTC connects or works, HLS is not used', () => {
  expect(needsFallback({ ...FIRST_SNAPSHOT, state: 'connecting' }, true)).toBe(false);
  expect(needsFallback({ ...FIRST_SNAPSHOT, state: 'live' }, true)).toBe(false);
});
