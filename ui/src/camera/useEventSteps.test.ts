// Going from event to event: each press goes one further, wherever playback is.
import { expect, test } from 'vitest';
import { EVENT_PRE_ROLL_MS } from '../addresses/recordingAddresses';
import { stepFrom } from './useEventSteps';

const EVENT = 1_000_000;

test.each([
  ['at the beginning of its pre-roll', EVENT - EVENT_PRE_ROLL_MS],
  ['a frame before it', EVENT - EVENT_PRE_ROLL_MS - 80],
  ['while the event is on', EVENT + 3_000],
])('after a step both directions count from that event: %s', (_name, shown) => {
  expect([stepFrom('previous', shown, EVENT), stepFrom('next', shown, EVENT)]).toEqual([EVENT, EVENT]);
});

test('elsewhere the event before is the last that began, the next one is the first that is not about to begin', () => {
  for (const latest of [null, EVENT - 60_000, EVENT + 60_000]) {
    expect(stepFrom('previous', EVENT, latest)).toBe(EVENT);
    expect(stepFrom('next', EVENT, latest)).toBe(EVENT + 6_000);
  }
});
