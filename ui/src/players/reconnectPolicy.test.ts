// When a lost view is tried again.
import { describe, expect, test } from 'vitest';
import { decideReconnect, FIRST_DELAY_MS, MAX_DELAY_MS, UNHURRIED_DELAY_MS } from './reconnectPolicy';

const loss = { kind: 'network', attempt: 0, isOnline: true, random: 1 } as const;

describe('decideReconnect', () => {
  test('delays double with every failed attempt and stay below the longest', () => {
    const delays = [0, 1, 2, 3, 20].map((attempt) => decideReconnect({ ...loss, attempt }));
    expect(delays).toEqual([
      { action: 'retry', delayMs: FIRST_DELAY_MS },
      { action: 'retry', delayMs: FIRST_DELAY_MS * 2 },
      { action: 'retry', delayMs: FIRST_DELAY_MS * 4 },
      { action: 'retry', delayMs: FIRST_DELAY_MS * 8 },
      { action: 'retry', delayMs: MAX_DELAY_MS },
    ]);
  });

  test('chance spreads a delay over its upper half', () => {
    expect(decideReconnect({ ...loss, attempt: 20, random: 0 })).toEqual({
      action: 'retry',
      delayMs: MAX_DELAY_MS / 2,
    });
  });

  test('without a network nothing is tried', () => {
    expect(decideReconnect({ ...loss, isOnline: false })).toEqual({ action: 'wait_for_network' });
  });

  test.each(['deleted', 'forbidden', 'unsupported'] as const)('%s is final, with or without a network', (kind) => {
    expect(decideReconnect({ ...loss, kind })).toEqual({ action: 'give_up' });
    expect(decideReconnect({ ...loss, kind, isOnline: false })).toEqual({ action: 'give_up' });
  });

  test.each(['stream_stopped', 'no_stream', 'too_many_viewers'] as const)('%s is asked for at an even pace', (kind) => {
    expect(decideReconnect({ ...loss, kind, attempt: 0 })).toEqual(decideReconnect({ ...loss, kind, attempt: 30 }));
  });

  test('while the picture is shown another way, what will fail again is tried seldom, and what is final stays final', () => {
    expect(decideReconnect({ ...loss, kind: 'ice_failed', hasOtherTransport: true })).toEqual({
      action: 'retry',
      delayMs: UNHURRIED_DELAY_MS,
    });
    expect(decideReconnect({ ...loss, kind: 'deleted', hasOtherTransport: true })).toEqual({ action: 'give_up' });
  });

  test('a media server that restarts is soon asked again, also while the picture is shown another way', () => {
    const restarted = { ...loss, kind: 'signalling_closed' as const, hasOtherTransport: true };
    expect(decideReconnect({ ...restarted, attempt: 4 })).toEqual({ action: 'retry', delayMs: 4_000 });
    expect(decideReconnect({ ...restarted, attempt: 20 })).toEqual({ action: 'retry', delayMs: UNHURRIED_DELAY_MS });
  });
});
