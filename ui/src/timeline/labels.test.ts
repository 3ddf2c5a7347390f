// Texts of the timeline.
import { expect, test } from 'vitest';
import { NO_TIMELINE, type TimelineGap } from './model';
import { formatGap, formatState } from './labels';

const gap: TimelineGap = {
  startMs: 100_000,
  endMs: 223_000,
  reason: 'the camera refuses connections',
  by: null,
  tone: 'lost',
};
const data = {
  ...NO_TIMELINE,
  spans: [
    { startMs: 0, endMs: 100_000, coverage: 1 },
    { startMs: 223_000, endMs: 300_000, coverage: 0.97 },
  ],
  gaps: [gap],
  oldestMs: 0,
  newestMs: 300_000,
};

test('a gap has its reason and length', () => {
  expect(formatGap(gap, 0)).toBe('Footage missing: the camera refuses connections, 2 min 3 s');
  expect(formatGap({ ...gap, endMs: null }, 105_000)).toBe(
    'Footage missing: the camera refuses connections, for 5 s so far',
  );
});

test('the user who stopped recording is named once, also when the reason names them', () => {
  const stopped: TimelineGap = { ...gap, tone: 'unwanted', by: 'operator', reason: 'recording was stopped' };
  expect(formatGap(stopped, 0)).toBe('Not recorded: recording was stopped by operator, 2 min 3 s');
  expect(formatGap({ ...stopped, reason: 'recording was stopped by operator' }, 0)).toBe(
    'Not recorded: recording was stopped by operator, 2 min 3 s',
  );
});

test('every moment has a state text', () => {
  expect(formatState(data, 50_000, 400_000)).toBe('Recorded');
  expect(formatState(data, 150_000, 400_000)).toContain('refuses connections');
  expect(formatState(data, 250_000, 400_000)).toBe('97 % recorded');
  expect(formatState(data, 500_000, 400_000)).toBe('In the future');
  expect(formatState(data, 305_000, 310_000)).toBe('Being recorded');
  expect(formatState(data, 305_000, 900_000)).toBe('Nothing recorded since');
  expect(formatState({ ...data, oldestMs: 10, spans: [] }, 5, 900_000)).toBe('Before the oldest footage');
});
