// Pages of events, and what has come or changed since: pure.
import type { CameraEvent } from '../api/events';

export interface EventPage {
  events: CameraEvent[];
  cursor: number | null;
  hasMore: boolean;
}

const newestFirst = (a: CameraEvent, b: CameraEvent): number =>
  Date.parse(b.start) - Date.parse(a.start) || b.id - a.id;

/** Without duplicates, newest first. */
export function joinPages(pages: EventPage[]): CameraEvent[] {
  const known = new Map<number, CameraEvent>();
  for (const { events } of pages) for (const event of events) if (!known.has(event.id)) known.set(event.id, event);
  return [...known.values()];
}

export interface Changes {
  /** The list with changed events in their present form, at the same places. */
  events: CameraEvent[];
  /** Events that belong to the list and are not in it, newest first. */
  added: CameraEvent[];
}

/** `hasMore`: the list has not been read to its end, where older events belong. */
export function applyChanges(events: CameraEvent[], changed: CameraEvent[], hasMore: boolean): Changes {
  if (changed.length === 0) return { events, added: [] };
  const byId = new Map(changed.map((event) => [event.id, event]));
  const known = new Set(events.map(({ id }) => id));
  const last = events.at(-1);
  const added = [...byId.values()]
    .filter((event) => !known.has(event.id) && !(hasMore && last && newestFirst(event, last) > 0))
    .sort(newestFirst);
  const isChanged = changed.some(({ id }) => known.has(id));
  return { events: isChanged ? events.map((event) => byId.get(event.id) ?? event) : events, added };
}

/** The pages with everything that has come, from `cursor` on. */
export function mergeChanges(pages: EventPage[], changed: CameraEvent[], cursor: number | null): EventPage[] {
  const [first] = pages;
  const last = pages.at(-1);
  if (!first || !last) return pages;
  const { events, added } = applyChanges(joinPages(pages), changed, last.hasMore);
  return [{ events: [...added, ...events].sort(newestFirst), cursor: cursor ?? first.cursor, hasMore: last.hasMore }];
}
