// When a lost view is retried.
import { describe, expect, test } from 'vitest';
import { decideReconnect, FIRST_DELAY_MS, MAX_DELAY_MS, MAX_FALLBACK_DELAY_MS } from './reconnectPolicy';

const loss = { kind: 'network', attempt: 0, isOnline: true, random: 1 } as const;

describe('decideReconnect', () => {
  test('delays double with every failed attempt up to the maximum', () => {
    const delays = [0, 1, 2, 3, 20].map((attempt) => decideReconnect({ ...loss, attempt }));
    expect(delays).toEqual([
      { action: 'retry', delayMs: FIRST_DELAY_MS },
      { action: 'retry', delayMs: FIRST_DELAY_MS * 2 },
      { action: 'retry', delayMs: FIRST_DELAY_MS * 4 },
      { action: 'retry', delayMs: FIRST_DELAY_MS * 8 },
      { action: 'retry', delayMs: MAX_DELAY_MS },
    ]);
  });

  test('delays are spread randomly over their upper half', () => {
    expect(decideReconnect({ ...loss, attempt: 20, random: 0 })).toEqual({
      action: 'retry',
      delayMs: MAX_DELAY_MS / 2,
    });
  });

  test('nothing is retried while offline', () => {
    expect(decideReconnect({ ...loss, isOnline: false })).toEqual({ action: 'wait_for_network' });
  });

  test.each(['deleted', 'forbidden', 'unsupported'] as const)('%s is final, online and offline', (kind) => {
    expect(decideReconnect({ ...loss, kind })).toEqual({ action: 'give_up' });
    expect(decideReconnect({ ...loss, kind, isOnline: false })).toEqual({ action: 'give_up' });
  });

  test.each(['stream_stopped', 'no_stream', 'too_many_viewers'] as const)(
    '%s is retried at a constant interval',
    (kind) => {
      expect(decideReconnect({ ...loss, kind, attempt: 0 })).toEqual(decideReconnect({ ...loss, kind, attempt: 30 }));
    },
  );

  test('while another transport shows the picture, attempts that likely fail are rare, and final losses stay final', () => {
    expect(decideReconnect({ ...loss, kind: 'ice_failed', hasOtherTransport: true })).toEqual({
      action: 'retry',
      delayMs: MAX_FALLBACK_DELAY_MS,
    });
    expect(decideReconnect({ ...loss, kind: 'deleted', hasOtherTransport: true })).toEqual({ action: 'give_up' });
  });

  test('a restarting media server is retried soon, also while another transport shows the picture', () => {
    const restarted = { ...loss, kind: 'signalling_closed' as const, hasOtherTransport: true };
    expect(decideReconnect({ ...restarted, attempt: 4 })).toEqual({ action: 'retry', delayMs: 4_000 });
    expect(decideReconnect({ ...restarted, attempt: 20 })).toEqual({ action: 'retry', delayMs: MAX_FALLBACK_DELAY_MS });
  });
});
