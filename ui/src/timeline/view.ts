// Moving and zooming a visible range: pure.
import { DAY_MS, MINUTE_MS, type TimeRange } from './model';

export const NARROWEST_MS = MINUTE_MS;
export const WIDEST_MS = 366 * DAY_MS;

export const widthOf = (range: TimeRange): number => range.endMs - range.startMs;
export const timeAt = (range: TimeRange, fraction: number): number => range.startMs + widthOf(range) * fraction;
export const fractionOf = (range: TimeRange, atMs: number): number => (atMs - range.startMs) / widthOf(range);

/** Keeps the middle of the view inside what there is, so that nobody gets lost in empty years. */
export function keepInside(range: TimeRange, limits: TimeRange): TimeRange {
  const width = Math.min(WIDEST_MS, Math.max(NARROWEST_MS, widthOf(range)));
  const middle = (range.startMs + range.endMs) / 2;
  const kept = Math.min(limits.endMs, Math.max(limits.startMs, middle));
  return { startMs: kept - width / 2, endMs: kept + width / 2 };
}

export const pan = (range: TimeRange, byMs: number): TimeRange => ({
  startMs: range.startMs + byMs,
  endMs: range.endMs + byMs,
});

/** `factor` below 1 shows less time; the moment at `fraction` of the width stays where it is. */
export function zoom(range: TimeRange, factor: number, fraction: number): TimeRange {
  const anchor = timeAt(range, fraction);
  const width = Math.min(WIDEST_MS, Math.max(NARROWEST_MS, widthOf(range) * factor));
  return { startMs: anchor - width * fraction, endMs: anchor + width * (1 - fraction) };
}

/** The range in which two moments lie at two fractions of the width: what two fingers ask for. */
export function pinch(moments: [number, number], fractions: [number, number]): TimeRange | null {
  const apart = fractions[1] - fractions[0];
  const span = moments[1] - moments[0];
  if (Math.abs(apart) < 0.005 || span === 0) return null;
  const width = Math.min(WIDEST_MS, Math.max(NARROWEST_MS, Math.abs(span / apart)));
  const middle = (fractions[0] + fractions[1]) / 2;
  const anchor = (moments[0] + moments[1]) / 2;
  return { startMs: anchor - width * middle, endMs: anchor + width * (1 - middle) };
}

/** A range of the same width round a moment; unchanged while the moment is comfortably in sight. */
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
