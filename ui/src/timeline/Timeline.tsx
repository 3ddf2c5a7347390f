// The timeline of one device: pan, zoom, seek, scrub and mark; shows footage, gaps and events. Fetches nothing.
import { useCallback, useMemo, useRef, useState, type KeyboardEvent } from 'react';
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

/** A click this near to a bookmark, as a share of the visible range, seeks to the bookmark. */
const NEAR_BOOKMARK = 0.005;

export function Timeline(props: TimelineProps) {
  const {
    range,
    onRangeChange,
    data = NO_TIMELINE,
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
  const [hover, setHover] = useState<number | null>(null);
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

  const seek = useCallback((atMs: number) => onSeek(Math.round(Math.min(atMs, nowMs))), [onSeek, nowMs]);
  const scrub = (atMs: number, isDone: boolean) => {
    const limited = Math.round(Math.min(atMs, nowMs));
    setScrubMs(isDone ? null : limited);
    if (isDone) onSeek(limited);
    else onScrub?.(limited);
  };

  useTimelineGestures(surface, {
    view,
    playheadMs: shownPlayhead,
    onMove: move,
    onGlide: glide,
    onStop: stop,
    onSeek: (atMs) => seek(bookmarkNear(data, atMs, widthOf(view) * NEAR_BOOKMARK) ?? atMs),
    onScrub: scrub,
    onMark: onMarkedChange,
    onHover: setHover,
  });
  useTimelineCanvas(canvas, {
    view,
    data,
    nowMs,
    playheadMs: shownPlayhead,
    hoverMs: scrubMs === null ? hover : null,
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
  const labelMs = scrubMs ?? hover;
  return (
    <div className={classes.frame} data-moving={isMoving || undefined}>
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
