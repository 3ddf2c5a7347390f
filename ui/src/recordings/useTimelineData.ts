// What a timeline shows of a device: read in pieces that stay cached, the neighbours ahead of time, the newest again and again.
import { useQueries, useQueryClient, type QueryClient, type UseQueryResult } from '@tanstack/react-query';
import { readTimeline } from '../api/recordings';
import type { RecordingTimeline } from '../api/recordingTypes';
import { cutTimeline, mergeTimelines } from '../timeline/mergeTimelines';
import { MINUTE_MS, type TimelineData, type TimeRange } from '../timeline/model';
import { recordingKeys } from '../api/recordingKeys';

const LIVE_EDGE_MS = 5_000;
const PAST_IS_FRESH_MS = 5 * MINUTE_MS;
/** More cells than a screen has pixels show nothing more. */
const CELLS_IN_A_PIECE = 2048;

export function parseTimeline(told: RecordingTimeline): TimelineData {
  const ms = (at: string) => Date.parse(at);
  const msOrNull = (at: string | null) => (at === null ? null : Date.parse(at));
  return {
    spans: told.spans.map(({ start, end, coverage }) => ({ startMs: ms(start), endMs: ms(end), coverage })),
    gaps: told.gaps.map(({ start, end, reason, by, is_wanted }) => ({
      startMs: ms(start),
      endMs: msOrNull(end),
      reason: reason.message,
      by,
      tone: is_wanted ? 'lost' : 'unwanted',
    })),
    events: told.events.map(({ at, end, kind, label }) => ({ atMs: ms(at), endMs: msOrNull(end), kind, label })),
    protections: told.protections.map(({ id, start, end, kind, note }) => ({
      id: String(id),
      startMs: ms(start),
      endMs: ms(end),
      kind,
      note: note ?? '',
    })),
    oldestMs: msOrNull(told.oldest),
    newestMs: msOrNull(told.newest),
  };
}

interface Piece extends TimeRange {
  widthMs: number;
  index: number;
  isVisible: boolean;
}

/** One or two pieces cover the range, whose neighbours are read as well; none begins in the future. */
export function piecesOf(range: TimeRange, nowMs: number): Piece[] {
  const width = Math.max(1, range.endMs - range.startMs);
  const widthMs = MINUTE_MS * 2 ** Math.max(1, Math.ceil(Math.log2(width / MINUTE_MS)));
  const first = Math.floor(range.startMs / widthMs);
  const last = Math.floor(range.endMs / widthMs);
  const pieces: Piece[] = [];
  for (let index = first - 1; index <= last + 1; index += 1) {
    const startMs = index * widthMs;
    if (startMs < nowMs && startMs >= 0)
      pieces.push({ startMs, endMs: startMs + widthMs, widthMs, index, isVisible: index >= first && index <= last });
  }
  return pieces;
}

/** Until a piece is here: what other zoom levels already know of the same time. */
function recall(client: QueryClient, deviceId: string, piece: Piece): TimelineData | undefined {
  const known: { data: TimelineData; range: TimeRange; overlap: number }[] = [];
  for (const [key, data] of client.getQueriesData<TimelineData>({ queryKey: recordingKeys.timeline(deviceId) })) {
    const [widthMs, index] = key.slice(4) as [number, number];
    const range = {
      startMs: Math.max(piece.startMs, widthMs * index),
      endMs: Math.min(piece.endMs, widthMs * (index + 1)),
    };
    if (data && range.endMs > range.startMs) known.push({ data, range, overlap: range.endMs - range.startMs });
  }
  const taken: typeof known = [];
  for (const candidate of known.sort((a, b) => b.overlap - a.overlap)) {
    if (taken.every(({ range }) => range.endMs <= candidate.range.startMs || range.startMs >= candidate.range.endMs))
      taken.push(candidate);
  }
  return taken.length > 0 ? mergeTimelines(taken.map(({ data, range }) => cutTimeline(data, range))) : undefined;
}

export interface TimelineAnswer {
  data: TimelineData;
  isLoading: boolean;
  error: Error | null;
}

type Combiner = (results: UseQueryResult<TimelineData>[]) => TimelineAnswer;

/** One function for each pattern of pieces in sight ("010"): while it stays the same, an unchanged answer stays the same object. */
const combiners = new Map<string, Combiner>();

function combinerFor(visible: string): Combiner {
  let combiner = combiners.get(visible);
  if (!combiner) {
    combiner = (results) => {
      const inSight = results.filter((_, index) => visible[index] === '1');
      return {
        data: mergeTimelines(results.map(({ data }) => data)),
        isLoading: inSight.some(
          ({ isPending, isPlaceholderData, isFetching }) => (isPending || isPlaceholderData) && isFetching,
        ),
        error: inSight.find(({ error, data }) => error && !data)?.error ?? null,
      };
    };
    combiners.set(visible, combiner);
  }
  return combiner;
}

/** `nowMs` decides which pieces still grow; a few seconds' precision is enough. */
export function useTimelineData(deviceId: string, range: TimeRange, nowMs: number): TimelineAnswer {
  const client = useQueryClient();
  const pieces = piecesOf(range, nowMs);
  const visible = pieces.map(({ isVisible }) => (isVisible ? '1' : '0')).join('');
  return useQueries({
    queries: pieces.map((piece) => {
      const isGrowing = piece.endMs > nowMs - LIVE_EDGE_MS * 4;
      return {
        queryKey: recordingKeys.timelinePiece(deviceId, piece.widthMs, piece.index),
        queryFn: async ({ signal }: { signal: AbortSignal }) => {
          const resolutionSeconds = Math.max(1, Math.round(piece.widthMs / CELLS_IN_A_PIECE / 1000));
          const [start, end] = [new Date(piece.startMs).toISOString(), new Date(piece.endMs).toISOString()];
          return parseTimeline(await readTimeline(deviceId, { start, end, resolutionSeconds }, signal));
        },
        placeholderData: () => recall(client, deviceId, piece),
        staleTime: isGrowing ? LIVE_EDGE_MS : PAST_IS_FRESH_MS,
        refetchInterval: isGrowing && piece.isVisible ? LIVE_EDGE_MS : false,
      } as const;
    }),
    combine: combinerFor(visible),
  });
}
