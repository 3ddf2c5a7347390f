// The visible range of a timeline: gestures move it immediately, the page is notified a few times a second.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { TimeRange } from './model';
import { fractionOf, keepInside, pan, widthOf } from './view';

const NOTIFY_MS = 120;
const GLIDE_MS = 325;
const MIN_PX_PER_MS = 0.02;
const FOLLOW_FROM = 0.94;
const FOLLOW_TO = 0.7;
const STEADY_FROM = 0.5;

interface TimelineViewOptions {
  range: TimeRange;
  onRangeChange: (range: TimeRange) => void;
  limits: TimeRange;
  /** A moment that stays visible once it is visible; null for none. */
  followedMs: number | null;
  /** The followed moment keeps its position on the screen; otherwise the view jumps forward when the moment nears its end. */
  isSteady: boolean;
}

const isSame = (a: TimeRange, b: TimeRange): boolean => a.startMs === b.startMs && a.endMs === b.endMs;

export function useTimelineView({ range, onRangeChange, limits, followedMs, isSteady }: TimelineViewOptions) {
  const [view, setView] = useState(range);
  const [isMoving, setMoving] = useState(false);
  const [seen, setSeen] = useState(range);
  const [reported, setReported] = useState(range);
  const [followed, setFollowed] = useState(followedMs);
  const frame = useRef(0);
  const reportedAt = useRef(0);

  // A range that the page set itself, not one that was just reported to it.
  const isJump = !isSame(seen, range) && !isMoving && !isSame(range, reported);
  if (!isSame(seen, range)) setSeen(range);
  if (isJump) setView(range);

  if (followed !== followedMs) {
    setFollowed(followedMs);
    if (followed !== null && followedMs !== null && !isMoving && !isJump) {
      const before = fractionOf(view, followed);
      const after = fractionOf(view, followedMs);
      const isSmallStep = Math.abs(after - before) < 0.5;
      if (before >= 0 && before <= 1 && isSmallStep && after > before) {
        if (isSteady && before >= STEADY_FROM) setView(pan(view, followedMs - followed));
        else if (after > FOLLOW_FROM) setView(pan(view, (after - FOLLOW_TO) * widthOf(view)));
      }
    }
  }

  useEffect(() => {
    if (isSame(view, reported)) return undefined;
    const wait = isMoving ? Math.max(0, NOTIFY_MS - (performance.now() - reportedAt.current)) : 0;
    const timer = setTimeout(() => {
      reportedAt.current = performance.now();
      setReported(view);
      onRangeChange(view);
    }, wait);
    return () => clearTimeout(timer);
  }, [view, reported, isMoving, onRangeChange]);

  const stop = useCallback(() => cancelAnimationFrame(frame.current), []);
  useEffect(() => stop, [stop]);

  const move = useCallback(
    (next: TimeRange, isStillMoving = true) => {
      setView(keepInside(next, limits));
      setMoving(isStillMoving);
    },
    [limits],
  );

  /** Continues with the speed of a flick (pixels per millisecond, to the right), slowed down by friction. */
  const glide = useCallback(
    (from: TimeRange, pxPerMs: number, widthPx: number) => {
      stop();
      const isReduced = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
      if (isReduced || Math.abs(pxPerMs) < MIN_PX_PER_MS * 4 || widthPx <= 0) {
        setMoving(false);
        return;
      }
      const began = performance.now();
      const step = (at: number) => {
        const elapsed = Math.max(0, at - began);
        const px = pxPerMs * GLIDE_MS * (1 - Math.exp(-elapsed / GLIDE_MS));
        const isSlow = Math.abs(pxPerMs) * Math.exp(-elapsed / GLIDE_MS) < MIN_PX_PER_MS;
        setView(keepInside(pan(from, (-px / widthPx) * widthOf(from)), limits));
        setMoving(!isSlow);
        if (!isSlow) frame.current = requestAnimationFrame(step);
      };
      frame.current = requestAnimationFrame(step);
    },
    [limits, stop],
  );

  return { view, isMoving, move, glide, stop };
}
