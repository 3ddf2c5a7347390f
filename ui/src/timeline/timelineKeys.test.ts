// Keyboard control of the timeline.
import { expect, test } from 'vitest';
import { NO_TIMELINE } from './model';
import { timelineKey } from './timelineKeys';
import { timeAt, widthOf } from './view';

const context = {
  view: { startMs: 0, endMs: 1_200_000 },
  playheadMs: 600_000,
  nowMs: 1_000_000,
  data: { ...NO_TIMELINE, oldestMs: 50_000 },
};

test('home is the oldest footage, end is now', () => {
  expect(timelineKey('Home', context)?.seekMs).toBe(50_000);
  expect(timelineKey('End', context)?.seekMs).toBe(1_000_000);
});

test('plus and minus zoom around the playhead', () => {
  const closer = timelineKey('+', context)?.view;
  expect(widthOf(closer!)).toBe(600_000);
  expect(timeAt(closer!, 0.5)).toBe(600_000);
  expect(widthOf(timelineKey('-', context)!.view!)).toBe(2_400_000);
});

test('other keys are left to the page', () => {
  expect(timelineKey(' ', context)).toBeNull();
  expect(timelineKey('f', context)).toBeNull();
  expect(timelineKey('ArrowLeft', context)).toBeNull();
});
