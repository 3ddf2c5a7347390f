// Keys of a timeline.
import { expect, test } from 'vitest';
import { NO_TIMELINE } from './model';
import { timelineKey } from './timelineKeys';
import { timeAt, widthOf } from './view';

const facts = {
  view: { startMs: 0, endMs: 1_200_000 },
  playheadMs: 600_000,
  nowMs: 1_000_000,
  data: { ...NO_TIMELINE, oldestMs: 50_000 },
};

test('arrows step by a share of what is visible, with shift by ten times as much', () => {
  expect(timelineKey('ArrowRight', false, facts)?.seekMs).toBe(610_000);
  expect(timelineKey('ArrowLeft', true, facts)?.seekMs).toBe(500_000);
});

test('nobody steps into the future', () => {
  expect(timelineKey('ArrowRight', true, { ...facts, playheadMs: 990_000 })?.seekMs).toBe(1_000_000);
});

test('home is the oldest footage, end is now', () => {
  expect(timelineKey('Home', false, facts)?.seekMs).toBe(50_000);
  expect(timelineKey('End', false, facts)?.seekMs).toBe(1_000_000);
});

test('plus and minus zoom round the playhead', () => {
  const closer = timelineKey('+', false, facts)?.view;
  expect(widthOf(closer!)).toBe(600_000);
  expect(timeAt(closer!, 0.5)).toBe(600_000);
  expect(widthOf(timelineKey('-', false, facts)!.view!)).toBe(2_400_000);
});

test('other keys are left to the page', () => {
  expect(timelineKey(' ', false, facts)).toBeNull();
  expect(timelineKey('f', false, facts)).toBeNull();
});
