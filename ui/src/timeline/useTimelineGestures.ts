// Touch, mouse and wheel on a timeline: pan with inertia, zoom around the pointer, seek, drag the playhead, mark a range.
import { useEffect, useEffectEvent, useRef, type RefObject } from 'react';
import type { TimeRange } from './model';
import { fractionOf, pan, pinch, timeAt, widthOf, zoom } from './view';

interface Gestures {
  view: TimeRange;
  playheadMs: number | null;
  onMove: (range: TimeRange, isStillMoving: boolean) => void;
  onGlide: (from: TimeRange, pxPerMs: number, widthPx: number) => void;
  onStop: () => void;
  /** `y` in pixels from the upper edge. */
  onSeek: (atMs: number, y: number, isTouch: boolean) => void;
  onScrub: (atMs: number, isDone: boolean) => void;
  onMark: ((range: TimeRange) => void) | undefined;
  onHover: (atMs: number | null, y: number) => void;
}

interface Pointer {
  x: number;
  startX: number;
  momentMs: number;
}

type Gesture = 'none' | 'press' | 'pan' | 'scrub' | 'mark' | 'pinch';

const WHEEL_REST_MS = 160;
const FLICK_WINDOW_MS = 90;

/** A pinch on a touchpad comes as a wheel with small deltas, a notch of a mouse wheel with large ones. */
const zoomRate = (delta: number): number => (Math.abs(delta) < 30 ? 0.01 : 0.0025);

export function useTimelineGestures(surface: RefObject<HTMLElement | null>, gestures: Gestures): void {
  const act = useEffectEvent((run: (current: Gestures) => void) => run(gestures));
  const pointers = useRef(new Map<number, Pointer>());

  useEffect(() => {
    const element = surface.current;
    if (!element) return undefined;
    const active = pointers.current;
    let gesture: Gesture = 'none';
    let fromView: TimeRange | null = null;
    let trail: { x: number; at: number }[] = [];
    let resting: ReturnType<typeof setTimeout> | undefined;

    const place = (event: { clientX: number; clientY: number }) => {
      const box = element.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top, width: Math.max(1, box.width) };
    };

    const down = (event: PointerEvent) => {
      if (event.button !== 0 || (event.target as HTMLElement).closest('[data-timeline-handle]')) return;
      const { x, width } = place(event);
      element.setPointerCapture?.(event.pointerId);
      act((current) => {
        current.onStop();
        active.set(event.pointerId, { x, startX: x, momentMs: timeAt(current.view, x / width) });
        trail = [{ x, at: event.timeStamp }];
        fromView = current.view;
        if (active.size === 2) {
          for (const pointer of active.values()) pointer.momentMs = timeAt(current.view, pointer.x / width);
          gesture = 'pinch';
          return;
        }
        const grabPx = event.pointerType === 'mouse' ? 7 : 18;
        const isOnPlayhead =
          current.playheadMs !== null && Math.abs(fractionOf(current.view, current.playheadMs) * width - x) <= grabPx;
        gesture = isOnPlayhead ? 'scrub' : event.shiftKey && current.onMark ? 'mark' : 'press';
      });
    };

    const move = (event: PointerEvent) => {
      const { x, y, width } = place(event);
      const pointer = active.get(event.pointerId);
      act((current) => {
        const atMs = timeAt(current.view, x / width);
        const isTouch = event.pointerType !== 'mouse';
        if (!pointer) {
          if (!isTouch) current.onHover(atMs, y);
          return;
        }
        pointer.x = x;
        trail = [...trail.filter(({ at }) => event.timeStamp - at < FLICK_WINDOW_MS), { x, at: event.timeStamp }];
        if (gesture === 'press' && Math.abs(x - pointer.startX) > (isTouch ? 8 : 4)) gesture = 'pan';
        if (gesture === 'pan' && fromView) {
          current.onHover(null, y);
          current.onMove(pan(fromView, (-(x - pointer.startX) / width) * widthOf(fromView)), true);
        } else if (gesture === 'scrub') {
          current.onHover(atMs, y);
          current.onScrub(atMs, false);
        } else if (gesture === 'mark') {
          current.onHover(atMs, y);
          if (Math.abs(x - pointer.startX) > 3) {
            current.onMark?.({ startMs: Math.min(atMs, pointer.momentMs), endMs: Math.max(atMs, pointer.momentMs) });
          }
        } else if (gesture === 'pinch') {
          const [first, second] = [...active.values()];
          const next = first && second && pinch([first.momentMs, second.momentMs], [first.x / width, second.x / width]);
          if (next) current.onMove(next, true);
        }
      });
    };

    const up = (event: PointerEvent) => {
      const pointer = active.get(event.pointerId);
      if (!pointer) return;
      active.delete(event.pointerId);
      const { x, y, width } = place(event);
      const isCancelled = event.type === 'pointercancel';
      const isTouch = event.pointerType !== 'mouse';
      act((current) => {
        const atMs = timeAt(current.view, x / width);
        if (gesture === 'press' && !isCancelled) current.onSeek(atMs, y, isTouch);
        if (gesture === 'scrub') current.onScrub(atMs, true);
        if (gesture === 'pan') {
          const first = trail[0];
          const elapsed = first ? event.timeStamp - first.at : 0;
          current.onGlide(current.view, first && elapsed > 0 && !isCancelled ? (x - first.x) / elapsed : 0, width);
        }
        if (gesture === 'pinch') {
          current.onMove(current.view, false);
          // The remaining finger continues to pan from here.
          const rest = [...active.values()][0];
          if (rest) {
            rest.startX = rest.x;
            fromView = current.view;
            trail = [];
            gesture = 'pan';
            return;
          }
        }
        if (isTouch && !(gesture === 'press' && !isCancelled)) current.onHover(null, y);
      });
      if (active.size === 0) gesture = 'none';
    };

    const leave = () => {
      if (active.size === 0) act((current) => current.onHover(null, 0));
    };

    const wheel = (event: WheelEvent) => {
      const isZoom = event.ctrlKey || event.metaKey;
      const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      // A plain wheel scrolls the page.
      if (!isZoom && !isSideways) return;
      event.preventDefault();
      const { x, width } = place(event);
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      act((current) => {
        current.onStop();
        const next = isZoom
          ? zoom(current.view, Math.exp(event.deltaY * unit * zoomRate(event.deltaY * unit)), x / width)
          : pan(current.view, (((event.deltaX || event.deltaY) * unit) / width) * widthOf(current.view));
        current.onMove(next, true);
      });
      clearTimeout(resting);
      resting = setTimeout(() => act((current) => current.onMove(current.view, false)), WHEEL_REST_MS);
    };

    element.addEventListener('pointerdown', down);
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', up);
    element.addEventListener('pointercancel', up);
    element.addEventListener('pointerleave', leave);
    // React's wheel listeners are passive, where preventDefault has no effect.
    element.addEventListener('wheel', wheel, { passive: false });
    return () => {
      clearTimeout(resting);
      active.clear();
      element.removeEventListener('pointerdown', down);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', up);
      element.removeEventListener('pointercancel', up);
      element.removeEventListener('pointerleave', leave);
      element.removeEventListener('wheel', wheel);
    };
  }, [surface]);
}
