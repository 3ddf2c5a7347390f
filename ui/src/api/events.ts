// Events of all cameras: pages, what has changed since, one event, values of filters, and a camera's lanes and neighbours.
import { API_ROOT, request, type ApiResponse } from './http';

/** What a plugin saw or somebody marked. */
export interface CameraEvent {
  id: number;
  kind: string;
  /** Null for what concerns no camera. */
  device_id: string | null;
  start: string;
  /** Null while it goes on. */
  end: string | null;
  plugin: string | null;
  label: string | null;
  zone: string | null;
  score: number | null;
  text: string | null;
  /** Its best picture. */
  snapshot_id: string | null;
}

/** Empty lists match all. */
export interface EventFilter {
  deviceIds: string[];
  kinds: string[];
  labels: string[];
  zones: string[];
  minScore: number | null;
  hasPicture: boolean;
  from: string | null;
  to: string | null;
}

export interface EventList {
  events: CameraEvent[];
  /** Where to go on in order to miss nothing. */
  cursor: number | null;
}

export interface EventValue {
  value: string;
  events: number;
}

export interface EventValues {
  kinds: EventValue[];
  labels: EventValue[];
  zones: EventValue[];
}

export interface EventLane {
  kind: string;
  label: string | null;
  events: number;
  /** [start, end, events]: milliseconds from the start of the range. */
  runs: [number, number, number][];
}

export interface EventLanes {
  start: string;
  lanes: EventLane[];
  is_complete: boolean;
}

export interface EventNeighbours {
  previous: CameraEvent | null;
  next: CameraEvent | null;
}

const fieldsOf = (filter: EventFilter) => ({
  device_id: filter.deviceIds,
  kind: filter.kinds,
  label: filter.labels,
  zone: filter.zones,
  min_score: filter.minScore ?? undefined,
  // A kind that was chosen may be one of the service itself.
  of_plugins: filter.kinds.length > 0 ? undefined : 1,
  with_picture: filter.hasPicture ? 1 : undefined,
  from: filter.from ?? undefined,
  to: filter.to ?? undefined,
});

function readList({ data, headers }: ApiResponse<CameraEvent[]>): EventList {
  const cursor = Number(headers.get('X-Cursor') ?? 'none');
  return { events: data, cursor: Number.isFinite(cursor) ? cursor : null };
}

/** Newest first; with `before`, those after that event in the list. */
export async function listEvents(
  filter: EventFilter,
  page: { before: number | null; pageSize: number },
  signal?: AbortSignal,
): Promise<EventList> {
  const query = { ...fieldsOf(filter), before: page.before ?? undefined, page_size: page.pageSize };
  return readList(await request<CameraEvent[]>('/events', { query, signal }));
}

/** What was recorded or changed since a cursor, oldest first. */
export async function followEvents(
  filter: EventFilter,
  page: { after: number; pageSize: number },
  signal?: AbortSignal,
): Promise<EventList> {
  const query = { ...fieldsOf(filter), after: page.after, page_size: page.pageSize };
  return readList(await request<CameraEvent[]>('/events', { query, signal }));
}

export async function readEvent(id: number, signal?: AbortSignal): Promise<CameraEvent> {
  return (await request<CameraEvent>(`/events/${id}`, { signal })).data;
}

export async function readEventValues(signal?: AbortSignal): Promise<EventValues> {
  return (await request<EventValues>('/events/values', { signal })).data;
}

export async function readEventLanes(
  deviceId: string,
  range: { start: string; end: string; resolutionSeconds: number },
  signal?: AbortSignal,
): Promise<EventLanes> {
  const query = { from: range.start, to: range.end, resolution_seconds: range.resolutionSeconds };
  return (await request<EventLanes>(`/devices/${encodeURIComponent(deviceId)}/events/lanes`, { query, signal })).data;
}

/** The events of plugins around a moment, by their start. */
export async function readEventNeighbours(
  deviceId: string,
  atMs: number,
  signal?: AbortSignal,
): Promise<EventNeighbours> {
  const query = { at: new Date(Math.round(atMs)).toISOString() };
  return (
    await request<EventNeighbours>(`/devices/${encodeURIComponent(deviceId)}/events/neighbours`, { query, signal })
  ).data;
}

/** The picture of an event, about `width` pixels wide. */
export const eventPictureUrl = (snapshotId: string, width: number): string =>
  `${API_ROOT}/snapshots/${encodeURIComponent(snapshotId)}/image?width=${width}`;
