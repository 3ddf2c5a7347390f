// A device's events as lanes of its timeline, read for a range wider than the view, merged at what a pixel shows.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { readEventLanes, type EventLanes } from '../api/events';
import { eventKeys } from '../api/eventKeys';
import { eventName } from '../formatting/eventTexts';
import { paced } from '../live/liveState';
import { limitLanes, withColors, type TimelineLane } from '../timeline/lanes';
import type { TimeRange } from '../timeline/model';
import { roundedRange } from './useBookmarkMarks';

/** The API merges to as many runs at most. */
const RUNS = 1_000;
const interval = paced(10_000, 60_000);
const NONE: TimelineLane[] = [];

export function parseLanes({ start, lanes }: EventLanes): TimelineLane[] {
  const startMs = Date.parse(start);
  const named = lanes.map((lane) => ({
    name: eventName(lane),
    events: lane.events,
    runs: lane.runs.map(([from, to, events]) => ({ startMs: startMs + from, endMs: startMs + to, events })),
  }));
  return withColors(limitLanes(named));
}

export function useEventLanes(deviceId: string, range: TimeRange): TimelineLane[] {
  const { startMs, endMs } = roundedRange(range);
  const [start, end] = [new Date(startMs).toISOString(), new Date(endMs).toISOString()];
  const { data } = useQuery({
    queryKey: eventKeys.lanes(deviceId, start, end),
    queryFn: ({ signal }) => {
      const resolutionSeconds = Math.max(1, Math.round((endMs - startMs) / RUNS / 1000));
      return readEventLanes(deviceId, { start, end, resolutionSeconds }, signal);
    },
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    refetchInterval: interval,
  });
  return useMemo(() => (data ? parseLanes(data) : NONE), [data]);
}
