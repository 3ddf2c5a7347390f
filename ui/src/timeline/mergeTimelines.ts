// Merges the timelines of adjacent ranges into one: an item that crosses a border appears once.
import {
  NO_TIMELINE,
  type TimelineData,
  type TimelineGap,
  type TimelinePlace,
  type TimelineSpan,
  type TimeRange,
} from './model';

const minOf = (values: (number | null)[]): number | null =>
  values.reduce((a, b) => (a === null ? b : b === null ? a : Math.min(a, b)), null);
const maxOf = (values: (number | null)[]): number | null =>
  values.reduce((a, b) => (a === null ? b : b === null ? a : Math.max(a, b)), null);

function joinSpans(spans: TimelineSpan[]): TimelineSpan[] {
  const joined: TimelineSpan[] = [];
  for (const span of spans.sort((a, b) => a.startMs - b.startMs)) {
    const last = joined.at(-1);
    if (last && span.startMs <= last.endMs && Math.abs(span.coverage - last.coverage) < 0.005) {
      last.endMs = Math.max(last.endMs, span.endMs);
    } else if (!last || span.endMs > last.endMs) {
      joined.push({ ...span, startMs: last ? Math.max(span.startMs, last.endMs) : span.startMs });
    }
  }
  return joined;
}

function joinGaps(gaps: TimelineGap[]): TimelineGap[] {
  const joined: TimelineGap[] = [];
  for (const gap of gaps.sort((a, b) => a.startMs - b.startMs)) {
    const last = joined.at(-1);
    const touches = last && (last.endMs === null || gap.startMs <= last.endMs);
    if (last && touches && last.reason === gap.reason && last.by === gap.by && last.tone === gap.tone) {
      last.endMs = last.endMs === null || gap.endMs === null ? null : Math.max(last.endMs, gap.endMs);
    } else joined.push({ ...gap });
  }
  return joined;
}

function joinPlaces(places: TimelinePlace[]): TimelinePlace[] {
  const joined: TimelinePlace[] = [];
  for (const place of places.sort((a, b) => a.startMs - b.startMs)) {
    const last = joined.at(-1);
    if (last && place.startMs <= last.endMs && place.where === last.where)
      last.endMs = Math.max(last.endMs, place.endMs);
    else if (!last || place.endMs > last.endMs) joined.push({ ...place });
  }
  return joined;
}

function unique<T>(items: T[], keyOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}

export function mergeTimelines(pieces: (TimelineData | undefined)[]): TimelineData {
  const known = pieces.filter((piece) => piece !== undefined);
  if (known.length === 0) return NO_TIMELINE;
  return {
    spans: joinSpans(known.flatMap(({ spans }) => spans)),
    gaps: joinGaps(known.flatMap(({ gaps }) => gaps)),
    events: unique(
      known.flatMap(({ events }) => events),
      ({ kind, atMs, label }) => `${kind} ${atMs} ${label}`,
    ).sort((a, b) => a.atMs - b.atMs),
    protections: unique(
      known.flatMap(({ protections }) => protections),
      ({ id }) => id,
    ),
    places: joinPlaces(known.flatMap(({ places }) => places)),
    oldestMs: minOf(known.map(({ oldestMs }) => oldestMs)),
    newestMs: maxOf(known.map(({ newestMs }) => newestMs)),
  };
}

/** The part of a timeline that lies in a range. */
export function cutTimeline(data: TimelineData, { startMs, endMs }: TimeRange): TimelineData {
  const touches = (item: { startMs: number; endMs: number | null }) =>
    item.startMs < endMs && (item.endMs ?? Infinity) > startMs;
  return {
    ...data,
    spans: data.spans
      .filter(touches)
      .map((span) => ({ ...span, startMs: Math.max(span.startMs, startMs), endMs: Math.min(span.endMs, endMs) })),
    gaps: data.gaps.filter(touches),
    events: data.events.filter((event) => event.atMs < endMs && (event.endMs ?? event.atMs) >= startMs),
    protections: data.protections.filter(touches),
    places: data.places.filter(touches),
  };
}
