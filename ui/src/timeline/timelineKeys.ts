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

/** Null for keys without an action, such as the arrows: they skip by seconds, as everywhere in the player. */
export function timelineKey(key: string, { view, playheadMs, nowMs, data }: KeyContext): KeyAction | null {
  const at = playheadMs ?? nowMs;
  const fraction = fractionOf(view, at);
  const anchor = fraction >= 0 && fraction <= 1 ? fraction : 0.5;
  switch (key) {
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
