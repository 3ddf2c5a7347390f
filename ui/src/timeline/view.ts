// Panning and zooming a visible range: pure.
import { DAY_MS, MINUTE_MS, type TimeRange } from './model';

export const MIN_WIDTH_MS = MINUTE_MS;
export const MAX_WIDTH_MS = 366 * DAY_MS;

export const widthOf = (range: TimeRange): number => range.endMs - range.startMs;
export const timeAt = (range: TimeRange, fraction: number): number => range.startMs + widthOf(range) * fraction;
export const fractionOf = (range: TimeRange, atMs: number): number => (atMs - range.startMs) / widthOf(range);

/** Keeps the middle of the view inside the limits, so that the user cannot pan into empty years. */
export function keepInside(range: TimeRange, limits: TimeRange): TimeRange {
  const width = Math.min(MAX_WIDTH_MS, Math.max(MIN_WIDTH_MS, widthOf(range)));
  const middle = (range.startMs + range.endMs) / 2;
  const limited = Math.min(limits.endMs, Math.max(limits.startMs, middle));
  return { startMs: limited - width / 2, endMs: limited + width / 2 };
}

export const pan = (range: TimeRange, byMs: number): TimeRange => ({
  startMs: range.startMs + byMs,
  endMs: range.endMs + byMs,
});

/** `factor` below 1 shows less time; the moment at `fraction` of the width stays in place. */
export function zoom(range: TimeRange, factor: number, fraction: number): TimeRange {
  const anchor = timeAt(range, fraction);
  const width = Math.min(MAX_WIDTH_MS, Math.max(MIN_WIDTH_MS, widthOf(range) * factor));
  return { startMs: anchor - width * fraction, endMs: anchor + width * (1 - fraction) };
}

/** The range in which two moments lie at two fractions of the width, for a pinch with two fingers. */
export function pinch(moments: [number, number], fractions: [number, number]): TimeRange | null {
  const distance = fractions[1] - fractions[0];
  const span = moments[1] - moments[0];
  if (Math.abs(distance) < 0.005 || span === 0) return null;
  const width = Math.min(MAX_WIDTH_MS, Math.max(MIN_WIDTH_MS, Math.abs(span / distance)));
  const middle = (fractions[0] + fractions[1]) / 2;
  const anchor = (moments[0] + moments[1]) / 2;
  return { startMs: anchor - width * middle, endMs: anchor + width * (1 - middle) };
}

/** A range of the same width around a moment; unchanged while the moment is well visible. */
export function reveal(range: TimeRange, atMs: number): TimeRange {
  const fraction = fractionOf(range, atMs);
  if (fraction >= 0.02 && fraction <= 0.98) return range;
  const half = widthOf(range) / 2;
  return { startMs: atMs - half, endMs: atMs + half };
}

export const around = (atMs: number, widthMs: number): TimeRange => ({
  startMs: atMs - widthMs / 2,
  endMs: atMs + widthMs / 2,
});
