// The timeline of one device: pan, zoom, seek, scrub and mark; shows footage, gaps and events. Fetches nothing.
import { useCallback, useEffect, useMemo, useRef, useState, type CSSProperties, type KeyboardEvent } from 'react';
import { lanesHeight, runAt, type TimelineLane } from './lanes';
import { bookmarkNear, DAY_MS, NO_TIMELINE, type TimelineData, type TimeRange } from './model';
import { TimelineHandle } from './TimelineHandle';
import { TimelineLabel } from './TimelineLabel';
import { timelineKey } from './timelineKeys';
import { useTimelineCanvas } from './useTimelineCanvas';
import { useTimelineGestures } from './useTimelineGestures';
import { useTimelineView } from './useTimelineView';
import { fractionOf, reveal, widthOf } from './view';
import { formatMoment } from '../formatting/zonedTimes';
import { formatState } from './labels';
import classes from './Timeline.module.css';

export interface TimelineProps {
  /** The visible range as the page sets it; the timeline moves freely and reports changes through `onRangeChange`. */
  range: TimeRange;
  onRangeChange: (range: TimeRange) => void;
  data?: TimelineData | undefined;
  /** Events as lanes below the track. */
  lanes?: TimelineLane[];
  /** Called with the start of an event whose mark was pressed. */
  onEvent?: (startMs: number) => void;
  /** IANA name of the time zone of the labels. */
  timeZone: string;
  nowMs: number;
  /** The moment of playback; null without playback. */
  playheadMs: number | null;
  /** Called after a click, a tap, a key, or a drag of the playhead. Never later than now. */
  onSeek: (atMs: number) => void;
  /** Called while the playhead is being dragged, for previews. */
  onScrub?: (atMs: number) => void;
  /** In and out points; without `onMarkedChange` they cannot be moved. */
  marked?: TimeRange | null;
  onMarkedChange?: (marked: TimeRange | null) => void;
  /** Keeps the playhead visible during playback, unless the user has panned away. Without playback, now keeps its position. */
  isFollowing?: boolean;
  isLoading?: boolean;
  label?: string;
}

const NO_LANES: TimelineLane[] = [];
/** On a touch screen the label of a pressed event stays this long. */
const TOUCH_LABEL_MS = 3_000;

/** A click this near to a bookmark, as a share of the visible range, seeks to the bookmark. */
const NEAR_BOOKMARK = 0.005;

export function Timeline(props: TimelineProps) {
  const {
    range,
    onRangeChange,
    data = NO_TIMELINE,
    lanes = NO_LANES,
    timeZone,
    nowMs,
    playheadMs,
    onSeek,
    onScrub,
    marked = null,
    onMarkedChange,
  } = props;
  const { isFollowing = false, isLoading = false, label = 'Timeline' } = props;
  const surface = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hover, setHover] = useState<{ atMs: number; y: number } | null>(null);
  const hiding = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [scrubMs, setScrubMs] = useState<number | null>(null);

  const oldestMs = data.oldestMs;
  const today = Math.floor(nowMs / DAY_MS);
  const limits = useMemo(
    () => ({ startMs: Math.min(oldestMs ?? Infinity, (today - 31) * DAY_MS), endMs: (today + 1) * DAY_MS }),
    [oldestMs, today],
  );
  const { view, isMoving, move, glide, stop } = useTimelineView({
    range,
    onRangeChange,
    limits,
    followedMs: scrubMs !== null ? null : playheadMs === null ? nowMs : isFollowing ? playheadMs : null,
    isSteady: playheadMs === null,
  });
  const shownPlayhead = scrubMs ?? playheadMs;
  useEffect(() => () => clearTimeout(hiding.current), []);

  const seek = useCallback((atMs: number) => onSeek(Math.round(Math.min(atMs, nowMs))), [onSeek, nowMs]);
  const scrub = (atMs: number, isDone: boolean) => {
    const limited = Math.round(Math.min(atMs, nowMs));
    setScrubMs(isDone ? null : limited);
    if (isDone) onSeek(limited);
    else onScrub?.(limited);
  };

  const show = (place: { atMs: number; y: number } | null, forMs?: number) => {
    clearTimeout(hiding.current);
    setHover(place);
    if (place && forMs) hiding.current = setTimeout(() => setHover(null), forMs);
  };
  const laneAt = (atMs: number, y: number) => {
    const { width, height } = surface.current?.getBoundingClientRect() ?? { width: 1, height: 0 };
    const top = height - lanesHeight(lanes);
    return runAt(lanes, { atMs, y: y - top, msPerPx: widthOf(view) / Math.max(1, width) });
  };
  useTimelineGestures(surface, {
    view,
    playheadMs: shownPlayhead,
    onMove: move,
    onGlide: glide,
    onStop: stop,
    onSeek: (atMs, y, isTouch) => {
      const found = laneAt(atMs, y);
      if (isTouch) show(found ? { atMs, y } : null, TOUCH_LABEL_MS);
      if (found) (props.onEvent ?? seek)(found.run.startMs);
      else seek(bookmarkNear(data, atMs, widthOf(view) * NEAR_BOOKMARK) ?? atMs);
    },
    onScrub: scrub,
    onMark: onMarkedChange,
    onHover: (atMs, y) => show(atMs === null ? null : { atMs, y }),
  });
  const widthPx = useTimelineCanvas(canvas, {
    view,
    data,
    lanes,
    nowMs,
    playheadMs: shownPlayhead,
    hoverMs: scrubMs === null ? (hover?.atMs ?? null) : null,
    marked,
    timeZone,
  });

  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget) return;
    const action = timelineKey(event.key, { view, playheadMs: shownPlayhead, nowMs, data });
    if (!action) return;
    event.preventDefault();
    stop();
    if (action.seekMs !== undefined) {
      seek(action.seekMs);
      move(reveal(view, action.seekMs), false);
    } else if (action.view) move(action.view, false);
  };

  const current = shownPlayhead ?? nowMs;
  const labelMs = scrubMs ?? hover?.atMs ?? null;
  return (
    <div
      className={`${classes.frame} ${classes.laneColors}`}
      data-moving={isMoving || undefined}
      style={{ '--lanes': `${lanesHeight(lanes)}px` } as CSSProperties}
    >
      <div
        ref={surface}
        className={classes.surface}
        role="slider"
        tabIndex={0}
        data-player-keys
        aria-label={label}
        aria-valuemin={Math.round((oldestMs ?? view.startMs) / 1000)}
        aria-valuemax={Math.round(nowMs / 1000)}
        aria-valuenow={Math.round(current / 1000)}
        aria-valuetext={`${formatMoment(timeZone, current)}. ${formatState(data, current, nowMs)}.`}
        aria-busy={isLoading}
        aria-keyshortcuts="ArrowLeft ArrowRight PageUp PageDown Home End + -"
        onKeyDown={press}
      >
        <canvas ref={canvas} className={classes.canvas} />
        {marked && (
          <div
            className={classes.marked}
            style={{
              left: `${fractionOf(view, marked.startMs) * 100}%`,
              width: `${(fractionOf(view, marked.endMs) - fractionOf(view, marked.startMs)) * 100}%`,
            }}
          />
        )}
        {labelMs !== null && (
          <TimelineLabel
            fraction={fractionOf(view, labelMs)}
            atMs={labelMs}
            data={data}
            lanes={lanes}
            nearMs={(widthOf(view) / Math.max(1, widthPx)) * 4}
            nowMs={nowMs}
            timeZone={timeZone}
            view={view}
            surface={surface}
          />
        )}
        {isLoading && <div className={classes.loading} aria-hidden />}
      </div>
      {marked &&
        onMarkedChange &&
        (['start', 'end'] as const).map((edge) => (
          <TimelineHandle
            key={edge}
            edge={edge}
            marked={marked}
            view={view}
            timeZone={timeZone}
            nowMs={nowMs}
            surface={surface}
            onChange={onMarkedChange}
          />
        ))}
    </div>
  );
}
