// Maps keys to actions of the timeline: pure.
import type { TimelineData, TimeRange } from './model';
import { fractionOf, pan, widthOf, zoom } from './view';

interface KeyContext {
  view: TimeRange;
  playheadMs: number | null;
  nowMs: number;
  data: TimelineData;
}

export interface KeyAction {
  seekMs?: number;
  view?: TimeRange;
}

const FINE = 1 / 120;
const COARSE = 1 / 12;

/** Null for keys without an action. Arrows step by a share of the visible range, with shift ten times as far. */
export function timelineKey(
  key: string,
  isShifted: boolean,
  { view, playheadMs, nowMs, data }: KeyContext,
): KeyAction | null {
  const at = playheadMs ?? nowMs;
  const step = widthOf(view) * (isShifted ? COARSE : FINE);
  const fraction = fractionOf(view, at);
  const anchor = fraction >= 0 && fraction <= 1 ? fraction : 0.5;
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return { seekMs: at - step };
    case 'ArrowRight':
    case 'ArrowUp':
      return { seekMs: Math.min(nowMs, at + step) };
    case 'Home':
      return { seekMs: data.oldestMs ?? at };
    case 'End':
      return { seekMs: nowMs };
    case 'PageUp':
      return { view: pan(view, -0.8 * widthOf(view)) };
    case 'PageDown':
      return { view: pan(view, 0.8 * widthOf(view)) };
    case '+':
    case '=':
      return { view: zoom(view, 0.5, anchor) };
    case '-':
    case '_':
      return { view: zoom(view, 2, anchor) };
    default:
      return null;
  }
}
