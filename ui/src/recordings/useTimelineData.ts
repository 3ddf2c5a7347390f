// A device's timeline data, read in chunks that stay cached: neighbours are prefetched, the newest chunk is polled.
import { useQueries, useQueryClient, type QueryClient, type UseQueryResult } from '@tanstack/react-query';
import { readTimeline } from '../api/recordings';
import type { RecordingTimeline } from '../api/recordingTypes';
import { cutTimeline, mergeTimelines } from '../timeline/mergeTimelines';
import { MINUTE_MS, type TimelineData, type TimeRange } from '../timeline/model';
import { recordingKeys } from '../api/recordingKeys';

const LIVE_EDGE_MS = 5_000;
const PAST_IS_FRESH_MS = 5 * MINUTE_MS;
/** More cells than a screen has pixels would not be visible. */
const CELLS_PER_CHUNK = 2048;

export function parseTimeline(timeline: RecordingTimeline): TimelineData {
  const ms = (at: string) => Date.parse(at);
  const msOrNull = (at: string | null) => (at === null ? null : Date.parse(at));
  return {
    spans: timeline.spans.map(({ start, end, coverage }) => ({ startMs: ms(start), endMs: ms(end), coverage })),
    gaps: timeline.gaps.map(({ start, end, reason, by, is_wanted }) => ({
      startMs: ms(start),
      endMs: msOrNull(end),
      reason: reason.message,
      by,
      tone: is_wanted ? 'lost' : 'unwanted',
    })),
    events: timeline.events.map(({ at, end, kind, label }) => ({ atMs: ms(at), endMs: msOrNull(end), kind, label })),
    protections: timeline.protections.map(({ id, start, end, kind, note }) => ({
      id: String(id),
      startMs: ms(start),
      endMs: ms(end),
      kind,
      note: note ?? '',
    })),
    places: timeline.places.map(({ start, end, place }) => ({ startMs: ms(start), endMs: ms(end), where: place })),
    oldestMs: msOrNull(timeline.oldest),
    newestMs: msOrNull(timeline.newest),
  };
}

interface Chunk extends TimeRange {
  widthMs: number;
  index: number;
  isVisible: boolean;
}

/** One or two chunks that cover the range, with their neighbours; none begins in the future. */
export function chunksOf(range: TimeRange, nowMs: number): Chunk[] {
  const width = Math.max(1, range.endMs - range.startMs);
  const widthMs = MINUTE_MS * 2 ** Math.max(1, Math.ceil(Math.log2(width / MINUTE_MS)));
  const first = Math.floor(range.startMs / widthMs);
  const last = Math.floor(range.endMs / widthMs);
  const chunks: Chunk[] = [];
  for (let index = first - 1; index <= last + 1; index += 1) {
    const startMs = index * widthMs;
    if (startMs < nowMs && startMs >= 0)
      chunks.push({ startMs, endMs: startMs + widthMs, widthMs, index, isVisible: index >= first && index <= last });
  }
  return chunks;
}

/** Placeholder data until a chunk is loaded: what other zoom levels have cached for its time range. */
function recall(client: QueryClient, deviceId: string, chunk: Chunk): TimelineData | undefined {
  const cached: { data: TimelineData; range: TimeRange; overlap: number }[] = [];
  for (const [key, data] of client.getQueriesData<TimelineData>({ queryKey: recordingKeys.timeline(deviceId) })) {
    const [widthMs, index] = key.slice(4) as [number, number];
    const range = {
      startMs: Math.max(chunk.startMs, widthMs * index),
      endMs: Math.min(chunk.endMs, widthMs * (index + 1)),
    };
    if (data && range.endMs > range.startMs) cached.push({ data, range, overlap: range.endMs - range.startMs });
  }
  const chosen: typeof cached = [];
  for (const candidate of cached.sort((a, b) => b.overlap - a.overlap)) {
    if (chosen.every(({ range }) => range.endMs <= candidate.range.startMs || range.startMs >= candidate.range.endMs))
      chosen.push(candidate);
  }
  return chosen.length > 0 ? mergeTimelines(chosen.map(({ data, range }) => cutTimeline(data, range))) : undefined;
}

export interface TimelineAnswer {
  data: TimelineData;
  isLoading: boolean;
  error: Error | null;
}

type Combiner = (results: UseQueryResult<TimelineData>[]) => TimelineAnswer;

/** One function per pattern of visible chunks ("010"): with the same function, React Query keeps an unchanged result the same object. */
const combiners = new Map<string, Combiner>();

function combinerFor(visible: string): Combiner {
  let combiner = combiners.get(visible);
  if (!combiner) {
    combiner = (results) => {
      const shown = results.filter((_, index) => visible[index] === '1');
      return {
        data: mergeTimelines(results.map(({ data }) => data)),
        isLoading: shown.some(
          ({ isPending, isPlaceholderData, isFetching }) => (isPending || isPlaceholderData) && isFetching,
        ),
        error: shown.find(({ error, data }) => error && !data)?.error ?? null,
      };
    };
    combiners.set(visible, combiner);
  }
  return combiner;
}

/** `nowMs` decides which chunks still grow; a precision of a few seconds is enough. */
export function useTimelineData(deviceId: string, range: TimeRange, nowMs: number): TimelineAnswer {
  const client = useQueryClient();
  const chunks = chunksOf(range, nowMs);
  const visible = chunks.map(({ isVisible }) => (isVisible ? '1' : '0')).join('');
  return useQueries({
    queries: chunks.map((chunk) => {
      const isGrowing = chunk.endMs > nowMs - LIVE_EDGE_MS * 4;
      return {
        queryKey: recordingKeys.timelineChunk(deviceId, chunk.widthMs, chunk.index),
        queryFn: async ({ signal }: { signal: AbortSignal }) => {
          const resolutionSeconds = Math.max(1, Math.round(chunk.widthMs / CELLS_PER_CHUNK / 1000));
          const [start, end] = [new Date(chunk.startMs).toISOString(), new Date(chunk.endMs).toISOString()];
          return parseTimeline(await readTimeline(deviceId, { start, end, resolutionSeconds }, signal));
        },
        placeholderData: () => recall(client, deviceId, chunk),
        staleTime: isGrowing ? LIVE_EDGE_MS : PAST_IS_FRESH_MS,
        refetchInterval: isGrowing && chunk.isVisible ? LIVE_EDGE_MS : false,
      } as const;
    }),
    combine: combinerFor(visible),
  });
}
