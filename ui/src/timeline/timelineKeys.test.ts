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

test('arrows step by a share of the visible range, with shift ten times as far', () => {
  expect(timelineKey('ArrowRight', false, context)?.seekMs).toBe(610_000);
  expect(timelineKey('ArrowLeft', true, context)?.seekMs).toBe(500_000);
});

test('steps end at now', () => {
  expect(timelineKey('ArrowRight', true, { ...context, playheadMs: 990_000 })?.seekMs).toBe(1_000_000);
});

test('home is the oldest footage, end is now', () => {
  expect(timelineKey('Home', false, context)?.seekMs).toBe(50_000);
  expect(timelineKey('End', false, context)?.seekMs).toBe(1_000_000);
});

test('plus and minus zoom around the playhead', () => {
  const closer = timelineKey('+', false, context)?.view;
  expect(widthOf(closer!)).toBe(600_000);
  expect(timeAt(closer!, 0.5)).toBe(600_000);
  expect(widthOf(timelineKey('-', false, context)!.view!)).toBe(2_400_000);
});

test('other keys are left to the page', () => {
  expect(timelineKey(' ', false, context)).toBeNull();
  expect(timelineKey('f', false, context)).toBeNull();
});
