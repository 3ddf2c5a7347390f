// One day of the weekly plan as a strip on which spans are drawn, moved, resized and removed.
import { useRef, type KeyboardEvent, type PointerEvent } from 'react';
import {
  DAY_MINUTES,
  pieces,
  shift,
  snap,
  SNAP_MINUTES,
  formatPlanSpan,
  resize,
  WEEKDAY_NAMES,
  type PlanSpan,
} from './planSpans';
import classes from './WeeklyPlanEditor.module.css';

interface PlanDayProps {
  day: number;
  spans: PlanSpan[];
  selected: number | null;
  onSelect: (index: number | null) => void;
  onDraft: (spans: PlanSpan[]) => void;
  onCommit: (spans: PlanSpan[], edited: PlanSpan | null) => void;
  onRemove: (index: number) => void;
}

interface Drag {
  kind: 'new' | 'move' | 'start' | 'end';
  origin: PlanSpan;
  fromMinute: number;
  index: number;
  base: PlanSpan[];
  latest: PlanSpan | null;
}

const EDGE_PX = 8;

export function PlanDay({ day, spans, selected, onSelect, onDraft, onCommit, onRemove }: PlanDayProps) {
  const strip = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | null>(null);

  const minuteAt = (event: PointerEvent) => {
    const box = strip.current?.getBoundingClientRect();
    return box ? ((event.clientX - box.left) / Math.max(1, box.width)) * DAY_MINUTES : 0;
  };
  const begin = (event: PointerEvent, next: Omit<Drag, 'fromMinute' | 'base' | 'latest'>) => {
    if (event.button !== 0) return;
    strip.current?.setPointerCapture?.(event.pointerId);
    drag.current = { ...next, fromMinute: minuteAt(event), base: spans, latest: null };
  };
  const press = (event: PointerEvent) => {
    const block = (event.target as HTMLElement).closest<HTMLElement>('[data-span]');
    if (!block) {
      const start = Math.max(0, Math.min(snap(minuteAt(event)), DAY_MINUTES - SNAP_MINUTES));
      begin(event, { kind: 'new', origin: { day, start, end: start }, index: spans.length });
      return;
    }
    const index = Number(block.dataset.span);
    const origin = spans[index];
    onSelect(index);
    if (!origin || origin.day !== day) return;
    const box = block.getBoundingClientRect();
    const isAtStart = event.clientX - box.left < EDGE_PX;
    const isAtEnd = box.right - event.clientX < EDGE_PX && origin.end <= DAY_MINUTES;
    begin(event, { kind: isAtStart ? 'start' : isAtEnd ? 'end' : 'move', origin, index });
  };
  const move = (event: PointerEvent) => {
    const current = drag.current;
    if (!current) return;
    const minute = minuteAt(event);
    const { kind, origin, index, base } = current;
    const distance = snap(minute - current.fromMinute);
    if (current.latest === null && distance === 0) return;
    let span: PlanSpan;
    if (kind === 'new') {
      const other = Math.max(0, Math.min(DAY_MINUTES, snap(minute)));
      span = { day, start: Math.min(origin.start, other), end: Math.max(origin.start, other) };
      if (span.end - span.start < SNAP_MINUTES) span.end = span.start + SNAP_MINUTES;
    } else if (kind === 'move') span = shift(origin, Math.min(distance, Math.max(0, DAY_MINUTES - origin.end)));
    else span = resize(origin, kind, Math.min(DAY_MINUTES, snap(minute)));
    current.latest = span;
    onDraft(kind === 'new' ? [...base, span] : base.with(index, span));
    onSelect(index);
  };
  const release = () => {
    const current = drag.current;
    drag.current = null;
    if (!current?.latest) {
      if (current?.kind === 'new') onSelect(null);
      return;
    }
    onCommit(
      current.kind === 'new' ? [...current.base, current.latest] : current.base.with(current.index, current.latest),
      current.latest,
    );
  };
  const cancel = () => {
    if (drag.current?.latest) onCommit(drag.current.base, null);
    drag.current = null;
  };
  const key = (event: KeyboardEvent, index: number) => {
    const span = spans[index];
    if (!span) return;
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === 'Delete' || event.key === 'Backspace') onRemove(index);
    else if (direction) {
      const by = direction * SNAP_MINUTES;
      const next = event.shiftKey ? resize(span, 'end', span.end + by) : shift(span, by);
      onCommit(spans.with(index, next), next);
    } else return;
    event.preventDefault();
  };

  return (
    <div
      ref={strip}
      className={classes.strip}
      data-day={WEEKDAY_NAMES[day]}
      onPointerDown={press}
      onPointerMove={move}
      onPointerUp={release}
      onPointerCancel={cancel}
    >
      {pieces(spans, day).map(({ index, start, end, isRemainder }) => {
        const span = spans[index];
        if (!span) return null;
        const place = { left: `${(start / DAY_MINUTES) * 100}%`, width: `${((end - start) / DAY_MINUTES) * 100}%` };
        const label = formatPlanSpan(span);
        if (isRemainder)
          return (
            <span key={`remainder ${index}`} className={classes.rest} style={place} data-span={index} title={label} />
          );
        return (
          <button
            key={`span ${index}`}
            type="button"
            className={classes.span}
            style={place}
            data-span={index}
            data-overnight={span.end > DAY_MINUTES || undefined}
            aria-label={label}
            aria-pressed={selected === index}
            title={label}
            onFocus={() => onSelect(index)}
            onKeyDown={(event) => key(event, index)}
          />
        );
      })}
    </div>
  );
}
