// A camera's timeline with its data and controls: live or recorded, day, zoom and visible range.
import { ActionIcon, Button, Group, Menu, Popover, SegmentedControl, Tooltip, UnstyledButton } from '@mantine/core';
import { IconCalendar, IconChevronDown, IconZoomIn, IconZoomOut } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { later } from '../frame/later';
import type { Recording } from '../api/recordingTypes';
import { EVENT_PRE_ROLL_MS } from '../addresses/recordingAddresses';
import { useBookmarkMarks } from './useBookmarkMarks';
import { useEventLanes } from './useEventLanes';
import { useEventSteps } from './useEventSteps';
import { usePlayerKeys } from './usePlayerKeys';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';
import { useShownMoment } from './useHistoryPlayer';
import { useNow } from '../widgets/useNow';
import { useTimelineData } from '../recordings/useTimelineData';
import type { HistoryPlayer } from '../players/HistoryPlayer';
import { DAY_MS, HOUR_MS, MINUTE_MS, type TimelineData, type TimeRange } from '../timeline/model';
import { LanesLegend } from '../timeline/LanesLegend';
import { PlacesLegend } from '../timeline/PlacesLegend';
import { Timeline } from '../timeline/Timeline';
import { dateOf, dayBounds } from '../formatting/timeZone';
import { around, fractionOf, reveal, widthOf, zoom } from '../timeline/view';
import { formatLength } from '../formatting/moments';
import { RangeMarkers } from './RangeMarkers';
import { TimelineButton } from './TimelineButton';
import classes from './CameraTimeline.module.css';

const DeviceCalendar = later(() => import('../recordings/DeviceCalendar').then((module) => module.DeviceCalendar));
const RangeBar = later(() => import('./RangeBar').then((module) => module.RangeBar));

export interface FootageTimelineProps {
  deviceId: string;
  name: string;
  recording: Recording;
  timeZone: string;
  player: HistoryPlayer;
  isRecorded: boolean;
  /** The moment that the page was opened with; null for now. */
  startAtMs: number | null;
  marked: TimeRange | null;
  onMarked: (marked: TimeRange | null) => void;
  onMark: (edge: 'start' | 'end' | null) => void;
  onSeek: (atMs: number) => void;
  onLive: () => void;
  onRecorded: () => void;
  onData: (data: TimelineData) => void;
}

const FIRST_WIDTH_MS = 2 * HOUR_MS;
/** A larger change of the moment is a seek: playback at the highest speed moves less between two renders. */
const JUMP_MS = 30_000;
const MIN_FRAME_MS = 20_000;
const WIDTHS: [number, string][] = [
  [10 * MINUTE_MS, '10 min'],
  [HOUR_MS, '1 hour'],
  [6 * HOUR_MS, '6 hours'],
  [DAY_MS, '1 day'],
  [7 * DAY_MS, '1 week'],
  [31 * DAY_MS, '1 month'],
];

/** The range ends shortly after now: the visible bit of future shows where now is. */
const upTo = (nowMs: number, widthMs: number): TimeRange => ({
  startMs: nowMs - widthMs * 0.94,
  endMs: nowMs + widthMs * 0.06,
});

/** A range around the moment, unless half of it would lie in the future. */
function firstRange(atMs: number | null, nowMs: number): TimeRange {
  return atMs === null || atMs > nowMs - FIRST_WIDTH_MS / 2
    ? upTo(nowMs, FIRST_WIDTH_MS)
    : around(atMs, FIRST_WIDTH_MS);
}

/** A range of which the marked one is the middle third; at least some seconds, so that both handles can be grasped. */
function framing({ startMs, endMs }: TimeRange): TimeRange {
  return around((startMs + endMs) / 2, Math.max(MIN_FRAME_MS, 3 * (endMs - startMs)));
}

export function FootageTimeline(props: FootageTimelineProps) {
  const { deviceId, name, timeZone, player, isRecorded, startAtMs, marked, onMarked, onMark, onSeek, onData } = props;
  const nowMs = useNow(1_000);
  const momentMs = useShownMoment(player);
  const [range, setRange] = useState<TimeRange>(() => firstRange(startAtMs, Date.now()));
  const { data: footage, isLoading } = useTimelineData(deviceId, range, nowMs);
  const bookmarks = useBookmarkMarks(deviceId, range);
  const data = useMemo(
    () => (bookmarks.length > 0 ? { ...footage, events: [...footage.events, ...bookmarks] } : footage),
    [footage, bookmarks],
  );
  const lanes = useEventLanes(deviceId, range);
  const playEvent = useCallback((startMs: number) => onSeek(startMs - EVENT_PRE_ROLL_MS), [onSeek]);
  const momentOf = useCallback(() => (isRecorded ? player.getMoment() : null), [isRecorded, player]);
  const goTo = useEventSteps(deviceId, momentOf, playEvent);
  const keys = useMemo(() => ({ n: () => void goTo('next'), p: () => void goTo('previous') }), [goTo]);
  usePlayerKeys(keys);
  const [isPicking, setPicking] = useState(false);
  const portal = useFullscreenTarget();
  useEffect(() => onData(data), [data, onData]);

  const playheadMs = isRecorded ? momentMs : null;
  const [seenMs, setSeenMs] = useState(playheadMs);
  if (seenMs !== playheadMs) {
    setSeenMs(playheadMs);
    // The view follows seeks only: during playback the user may be looking at another part of the timeline.
    const isJump = playheadMs !== null && (seenMs === null || Math.abs(playheadMs - seenMs) > JUMP_MS);
    if (isJump) setRange(reveal(range, playheadMs));
  }
  const showWidth = (widthMs: number) =>
    setRange(playheadMs === null ? upTo(nowMs, widthMs) : around(playheadMs, widthMs));
  const zoomBy = (factor: number) => {
    const at = playheadMs ?? nowMs;
    const fraction = fractionOf(range, at);
    setRange(zoom(range, factor, fraction >= 0 && fraction <= 1 ? fraction : 0.5));
  };
  const pickDay = (date: string) => {
    const day = dayBounds(timeZone, date);
    setPicking(false);
    setRange(day);
    onSeek(Math.min(day.startMs, nowMs));
  };
  const switchTo = (mode: string) => {
    if (mode === 'live') {
      setRange(upTo(nowMs, widthOf(range)));
      props.onLive();
    } else if (!isRecorded) props.onRecorded();
  };

  return (
    <div className={classes.strip}>
      <Group gap={6} className={classes.head} wrap="nowrap">
        <SegmentedControl
          size="xs"
          style={{ flex: 'none' }}
          aria-label="Live or recorded"
          value={isRecorded ? 'recorded' : 'live'}
          onChange={switchTo}
          data={[
            { value: 'live', label: 'Live' },
            { value: 'recorded', label: 'Recorded' },
          ]}
        />
        <RangeMarkers marked={marked} onMark={onMark} />
        <div className={classes.spring} />
        {isRecorded && playheadMs !== null && reveal(range, playheadMs) !== range && (
          <Button
            size="compact-xs"
            variant="subtle"
            className={classes.zoom}
            onClick={() => setRange(around(playheadMs, widthOf(range)))}
          >
            Show playhead
          </Button>
        )}
        <Popover
          opened={isPicking}
          onChange={setPicking}
          position="bottom-end"
          width={320}
          shadow="md"
          trapFocus
          portalProps={portal}
        >
          <Popover.Target>
            <Tooltip label="Recorded days">
              <ActionIcon
                variant="subtle"
                color="gray"
                size={32}
                aria-label="Recorded days"
                aria-expanded={isPicking}
                onClick={() => setPicking(!isPicking)}
              >
                <IconCalendar size={18} stroke={1.7} />
              </ActionIcon>
            </Tooltip>
          </Popover.Target>
          <Popover.Dropdown>
            <DeviceCalendar
              deviceId={deviceId}
              timeZone={timeZone}
              value={dateOf(timeZone, playheadMs ?? nowMs)}
              onPick={pickDay}
            />
          </Popover.Dropdown>
        </Popover>
        <TimelineButton
          label="Zoom in"
          hint="Show less time in more detail"
          Icon={IconZoomIn}
          className={classes.zoom}
          onClick={() => zoomBy(0.5)}
        />
        <TimelineButton
          label="Zoom out"
          hint="Show more time"
          Icon={IconZoomOut}
          className={classes.zoom}
          onClick={() => zoomBy(2)}
        />
        <Menu position="bottom-end" width={120} portalProps={portal}>
          <Menu.Target>
            <UnstyledButton className={classes.width} aria-label={`Visible range: ${formatLength(widthOf(range))}`}>
              {formatLength(widthOf(range))}
              <IconChevronDown size={14} aria-hidden />
            </UnstyledButton>
          </Menu.Target>
          <Menu.Dropdown>
            {WIDTHS.map(([widthMs, label]) => (
              <Menu.Item key={widthMs} onClick={() => showWidth(widthMs)}>
                {label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </Group>
      <Timeline
        range={range}
        onRangeChange={setRange}
        data={data}
        lanes={lanes}
        onEvent={playEvent}
        timeZone={timeZone}
        nowMs={nowMs}
        playheadMs={playheadMs}
        onSeek={onSeek}
        marked={marked}
        onMarkedChange={onMarked}
        isFollowing={isRecorded}
        isLoading={isLoading}
        label={`Timeline of ${name}`}
      />
      <LanesLegend lanes={lanes} onPrevious={keys.p} onNext={keys.n} />
      <PlacesLegend places={data.places} />
      {marked && (
        <RangeBar
          deviceId={deviceId}
          name={name}
          timeZone={timeZone}
          marked={marked}
          onMarked={onMarked}
          onSeek={onSeek}
          onZoom={() => setRange(framing(marked))}
        />
      )}
    </div>
  );
}
