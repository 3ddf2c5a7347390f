// Panning and zooming the visible range.
import { expect, test } from 'vitest';
import { fractionOf, keepInside, MIN_WIDTH_MS, pinch, reveal, timeAt, MAX_WIDTH_MS, widthOf, zoom } from './view';

const view = { startMs: 1_000_000, endMs: 5_000_000 };

test('zooming keeps the moment at the pointer in place', () => {
  for (const factor of [0.1, 0.5, 2, 7]) {
    const zoomed = zoom(view, factor, 0.3);
    expect(timeAt(zoomed, 0.3)).toBeCloseTo(timeAt(view, 0.3), 3);
    expect(widthOf(zoomed)).toBeCloseTo(4_000_000 * factor, 3);
  }
});

test('the visible range stays between a minute and a year', () => {
  expect(widthOf(zoom(view, 1e-9, 0.5))).toBe(MIN_WIDTH_MS);
  expect(widthOf(zoom(view, 1e9, 0.5))).toBe(MAX_WIDTH_MS);
});

test('a pinch keeps the moments at both fingers in place', () => {
  const moments: [number, number] = [timeAt(view, 0.4), timeAt(view, 0.6)];
  const pinched = pinch(moments, [0.2, 0.8])!;
  expect(fractionOf(pinched, moments[0])).toBeCloseTo(0.2, 6);
  expect(fractionOf(pinched, moments[1])).toBeCloseTo(0.8, 6);
  expect(pinch(moments, [0.5, 0.5])).toBeNull();
});

test('the middle of the view stays inside the limits', () => {
  const limits = { startMs: 0, endMs: 10_000_000 };
  expect(keepInside({ startMs: 50_000_000, endMs: 54_000_000 }, limits)).toEqual({
    startMs: 8_000_000,
    endMs: 12_000_000,
  });
  expect(keepInside({ startMs: -9_000_000, endMs: -5_000_000 }, limits)).toEqual({
    startMs: -2_000_000,
    endMs: 2_000_000,
  });
  expect(keepInside(view, limits)).toEqual(view);
});

test('a visible moment does not move the view, another one is centred', () => {
  expect(reveal(view, 3_000_000)).toBe(view);
  expect(reveal(view, 9_000_000)).toEqual({ startMs: 7_000_000, endMs: 11_000_000 });
});
