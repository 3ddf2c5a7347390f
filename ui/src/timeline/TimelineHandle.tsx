// The handle at one end of a marked range: moved by dragging or with the arrow keys.
import type { KeyboardEvent, PointerEvent, RefObject } from 'react';
import type { TimeRange } from './model';
import { fractionOf, timeAt, widthOf } from './view';
import { formatMoment } from '../formatting/zonedTimes';
import classes from './Timeline.module.css';

interface TimelineHandleProps {
  edge: 'start' | 'end';
  marked: TimeRange;
  view: TimeRange;
  timeZone: string;
  nowMs: number;
  surface: RefObject<HTMLDivElement | null>;
  onChange: (marked: TimeRange) => void;
}

const MIN_MS = 100;

export function TimelineHandle({ edge, marked, view, timeZone, nowMs, surface, onChange }: TimelineHandleProps) {
  const isStart = edge === 'start';
  const atMs = isStart ? marked.startMs : marked.endMs;
  const fraction = fractionOf(view, atMs);
  if (fraction < -0.02 || fraction > 1.02) return null;

  const put = (ms: number) => {
    const rounded = Math.round(ms);
    if (isStart) onChange({ ...marked, startMs: Math.min(rounded, marked.endMs - MIN_MS) });
    else onChange({ ...marked, endMs: Math.min(nowMs, Math.max(rounded, marked.startMs + MIN_MS)) });
  };
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    const box = surface.current?.getBoundingClientRect();
    if (!box || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    put(timeAt(view, (event.clientX - box.left) / Math.max(1, box.width)));
  };
  const press = (event: KeyboardEvent) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    put(atMs + direction * widthOf(view) * (event.shiftKey ? 1 / 12 : 1 / 240));
  };

  return (
    <div
      className={`${classes.handle} ${isStart ? classes.handleStart : classes.handleEnd}`}
      style={{ left: `${fraction * 100}%` }}
      role="slider"
      tabIndex={0}
      data-timeline-handle={edge}
      aria-label={isStart ? 'Start of the marked range' : 'End of the marked range'}
      aria-valuemin={Math.round((isStart ? view.startMs : marked.startMs) / 1000)}
      aria-valuemax={Math.round((isStart ? marked.endMs : nowMs) / 1000)}
      aria-valuenow={Math.round(atMs / 1000)}
      aria-valuetext={formatMoment(timeZone, atMs)}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={press}
    />
  );
}
