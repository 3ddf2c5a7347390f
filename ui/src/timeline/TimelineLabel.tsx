// The label at the pointer: the time, the recording state, events and protections.
import { useLayoutEffect, useRef, type RefObject } from 'react';
import { runNear, type TimelineLane } from './lanes';
import type { TimelineData, TimeRange } from './model';
import { widthOf } from './view';
import { formatMoment } from '../formatting/zonedTimes';
import { formatRun, formatState, formatWhere } from './labels';
import classes from './Timeline.module.css';

interface TimelineLabelProps {
  fraction: number;
  atMs: number;
  data: TimelineData;
  lanes: TimelineLane[];
  /** Maximum distance of a mark of a lane. */
  nearMs: number;
  nowMs: number;
  timeZone: string;
  view: TimeRange;
  surface: RefObject<HTMLDivElement | null>;
}

/** Maximum distance of an event, as a share of the visible range. */
const NEAR = 0.007;
const MAX_NAMED = 3;

export function TimelineLabel(props: TimelineLabelProps) {
  const { fraction, atMs, data, lanes, nowMs, timeZone, view, surface } = props;
  const label = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const [box, own] = [surface.current?.clientWidth ?? 0, label.current?.offsetWidth ?? 0];
    const left = Math.max(4, Math.min(fraction * box - own / 2, box - own - 4));
    if (label.current) label.current.style.transform = `translateX(${left}px)`;
  });

  const where = formatWhere(data, atMs);
  const nearMs = NEAR * widthOf(view);
  const runs = lanes.flatMap((lane) => {
    const run = runNear(lane.runs, atMs, props.nearMs);
    return run ? [{ lane, run }] : [];
  });
  const events = data.events.filter(
    ({ atMs: start, endMs }) => start - nearMs <= atMs && atMs <= (endMs ?? start) + nearMs,
  );
  const protections = data.protections.filter(({ startMs, endMs }) => startMs <= atMs && atMs <= endMs);
  return (
    <div ref={label} className={classes.label} aria-hidden>
      <div className={classes.labelTime}>{formatMoment(timeZone, atMs)}</div>
      <div>{formatState(data, atMs, nowMs)}</div>
      {where && <div>{where}</div>}
      {runs.map(({ lane, run }) => (
        <div key={lane.name} className={classes.labelLane}>
          <i style={{ background: `var(--lane-${lane.color})` }} /> {formatRun(lane.name, run, timeZone)}
        </div>
      ))}
      {events.slice(0, MAX_NAMED).map((event, index) => (
        <div key={index} className={event.kind === 'bookmark' ? classes.labelBookmark : classes.labelEvent}>
          {event.label}
        </div>
      ))}
      {events.length > MAX_NAMED && <div className={classes.labelEvent}>and {events.length - MAX_NAMED} more</div>}
      {protections.slice(0, 1).map((protection) => (
        <div key={protection.id}>Protected{protection.note ? `: ${protection.note}` : ' from deletion'}</div>
      ))}
    </div>
  );
}
