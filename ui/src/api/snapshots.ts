// Snapshots: pictures that were kept. Take, list, read, change, delete and bring back; and the newest picture of a device.
import { API_ROOT, request } from './http';
import type { Job } from './jobs';
import { readPage, type Page } from './pagination';

export type SnapshotKind = 'live' | 'historical' | 'scheduled';
export type SnapshotFormat = 'jpeg' | 'png' | 'webp';

/** What a person may set; PUT replaces all of it. */
export interface SnapshotFields {
  tags: string[];
  note: string;
}

export interface Snapshot extends SnapshotFields {
  id: string;
  device_id: string;
  /** As it was called when the picture was taken. */
  device_name: string;
  /** When the frame was shown, which is not quite when it was asked for. */
  at: string;
  kind: SnapshotKind;
  schedule_id: number | null;
  width: number;
  height: number;
  size: number;
  created_by: string | null;
  created_at: string;
  image_url: string;
  thumbnail_url: string;
}

/** A snapshot with the ETag that a later PUT sends back. */
export interface VersionedSnapshot {
  snapshot: Snapshot;
  etag: string | null;
}

export interface SnapshotQuery {
  deviceId?: string | undefined;
  start?: string | undefined;
  end?: string | undefined;
  kind?: string | undefined;
  tag?: string | undefined;
  q?: string | undefined;
  order?: 'newest' | 'oldest';
  page: number;
  pageSize: number;
}

/** Either the picture is there already, or a job goes on with it. */
export type Capture = { snapshot: Snapshot; job: null } | { snapshot: null; job: Job };

const pathOf = (id: string): string => `/snapshots/${encodeURIComponent(id)}`;

export async function listSnapshots(query: SnapshotQuery, signal?: AbortSignal): Promise<Page<Snapshot>> {
  const { deviceId, start, end, kind, tag, q, order, page, pageSize } = query;
  const asked = { device_id: deviceId, start, end, kind, tag, q, order, page, page_size: pageSize };
  return readPage(await request<Snapshot[]>('/snapshots', { query: asked, signal }));
}

export async function readSnapshot(id: string, signal?: AbortSignal): Promise<VersionedSnapshot> {
  const answer = await request<Snapshot>(pathOf(id), { signal });
  return { snapshot: answer.data, etag: answer.headers.get('ETag') };
}

/** `etag` null overwrites whatever is there. */
export async function replaceSnapshot(
  id: string,
  fields: SnapshotFields,
  etag: string | null,
): Promise<VersionedSnapshot> {
  const headers: Record<string, string> = etag ? { 'If-Match': etag } : {};
  const answer = await request<Snapshot>(pathOf(id), { method: 'PUT', body: fields, headers });
  return { snapshot: answer.data, etag: answer.headers.get('ETag') };
}

export async function deleteSnapshot(id: string): Promise<void> {
  await request(pathOf(id), { method: 'DELETE' });
}

/** Takes a deletion back; possible for some minutes. */
export async function restoreSnapshot(id: string): Promise<void> {
  await request(`${pathOf(id)}/restore`, { method: 'POST' });
}

/** Takes a picture of `at`, or of now where that is null. `key` is made up by the caller: sent twice, it still takes one. */
export async function captureSnapshot(deviceId: string, at: string | null, key: string): Promise<Capture> {
  const path = `/snapshots/devices/${encodeURIComponent(deviceId)}/capture/${at === null ? 'live' : 'historical'}`;
  // What is on the screen is what is wanted, to the frame.
  const body = { accuracy: 'exact', ...(at === null ? {} : { at }) };
  const answer = await request<Snapshot | Job>(path, { method: 'POST', body, headers: { 'Idempotency-Key': key } });
  return answer.status === 202
    ? { snapshot: null, job: answer.data as Job }
    : { snapshot: answer.data as Snapshot, job: null };
}

const added = (url: string, query: Record<string, string>): string =>
  `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(query)}`;

/** Where a browser downloads the picture under a name that tells camera and time. */
export const snapshotDownloadUrl = ({ image_url: url }: Snapshot, format: SnapshotFormat): string =>
  added(url, { format, download: '1' });

/** The picture as it was kept. */
export async function fetchSnapshotImage({ image_url: url }: Snapshot, signal?: AbortSignal): Promise<Blob> {
  return (await request<Blob>(url.replace(API_ROOT, ''), { as: 'blob', signal, timeoutMs: 60_000 })).data;
}

export interface Poster {
  picture: Blob;
  /** When it was taken; null where the server does not say. */
  takenAt: string | null;
}

/** The newest picture of a device, `width` pixels wide; ApiError 404 with reason `no_picture` where there is none. */
export async function fetchPoster(deviceId: string, width: number, signal?: AbortSignal): Promise<Poster> {
  const answer = await request<Blob>(`/devices/${encodeURIComponent(deviceId)}/poster.jpg`, {
    as: 'blob',
    query: { width },
    signal,
  });
  const told = Date.parse(answer.headers.get('Last-Modified') ?? '');
  return { picture: answer.data, takenAt: Number.isFinite(told) ? new Date(told).toISOString() : null };
}
