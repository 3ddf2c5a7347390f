// Snapshots: take, list, read, change, delete and restore; and the poster, the newest picture of a device.
import { API_ROOT, request } from './http';
import type { Job } from './jobs';
import { readPage, type Page } from './pagination';

export type SnapshotKind = 'live' | 'historical' | 'scheduled';
export type SnapshotFormat = 'jpeg' | 'png' | 'webp';

/** The editable fields; PUT replaces all of them. */
export interface SnapshotFields {
  tags: string[];
  note: string;
}

export interface Snapshot extends SnapshotFields {
  id: string;
  device_id: string;
  /** The device's name when the snapshot was taken. */
  device_name: string;
  /** The time of the frame, which differs slightly from the requested time. */
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

/** Either the finished snapshot, or the job that takes it. */
export type Capture = { snapshot: Snapshot; job: null } | { snapshot: null; job: Job };

const pathOf = (id: string): string => `/snapshots/${encodeURIComponent(id)}`;

export async function listSnapshots(query: SnapshotQuery, signal?: AbortSignal): Promise<Page<Snapshot>> {
  const { deviceId, start, end, kind, tag, q, order, page, pageSize } = query;
  const fields = { device_id: deviceId, start, end, kind, tag, q, order, page, page_size: pageSize };
  return readPage(await request<Snapshot[]>('/snapshots', { query: fields, signal }));
}

export async function readSnapshot(id: string, signal?: AbortSignal): Promise<VersionedSnapshot> {
  const response = await request<Snapshot>(pathOf(id), { signal });
  return { snapshot: response.data, etag: response.headers.get('ETag') };
}

/** With `etag` null the version is not checked. */
export async function replaceSnapshot(
  id: string,
  fields: SnapshotFields,
  etag: string | null,
): Promise<VersionedSnapshot> {
  const headers: Record<string, string> = etag ? { 'If-Match': etag } : {};
  const response = await request<Snapshot>(pathOf(id), { method: 'PUT', body: fields, headers });
  return { snapshot: response.data, etag: response.headers.get('ETag') };
}

export async function deleteSnapshot(id: string): Promise<void> {
  await request(pathOf(id), { method: 'DELETE' });
}

/** Restores a deleted snapshot; possible for some minutes. */
export async function restoreSnapshot(id: string): Promise<void> {
  await request(`${pathOf(id)}/restore`, { method: 'POST' });
}

/** Takes a snapshot at `at`, or now if null. `key` is created by the caller: sent twice, it takes one snapshot. */
export async function captureSnapshot(deviceId: string, at: string | null, key: string): Promise<Capture> {
  const path = `/snapshots/devices/${encodeURIComponent(deviceId)}/capture/${at === null ? 'live' : 'historical'}`;
  // The user wants exactly the frame on the screen.
  const body = { accuracy: 'exact', ...(at === null ? {} : { at }) };
  const response = await request<Snapshot | Job>(path, { method: 'POST', body, headers: { 'Idempotency-Key': key } });
  return response.status === 202
    ? { snapshot: null, job: response.data as Job }
    : { snapshot: response.data as Snapshot, job: null };
}

const withQuery = (url: string, query: Record<string, string>): string =>
  `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(query)}`;

/** Download address of the snapshot; the file name has the camera and the time. */
export const snapshotDownloadUrl = ({ image_url: url }: Snapshot, format: SnapshotFormat): string =>
  withQuery(url, { format, download: '1' });

/** The snapshot as it was stored. */
export async function fetchSnapshotImage({ image_url: url }: Snapshot, signal?: AbortSignal): Promise<Blob> {
  return (await request<Blob>(url.replace(API_ROOT, ''), { as: 'blob', signal, timeoutMs: 60_000 })).data;
}

export interface Poster {
  picture: Blob;
  /** When it was taken; null when the server does not report it. */
  takenAt: string | null;
}

/** The newest picture of a device, `width` pixels wide; ApiError 404 with reason `no_picture` where there is none. */
export async function fetchPoster(deviceId: string, width: number, signal?: AbortSignal): Promise<Poster> {
  const response = await request<Blob>(`/devices/${encodeURIComponent(deviceId)}/poster.jpg`, {
    as: 'blob',
    query: { width },
    signal,
  });
  const takenMs = Date.parse(response.headers.get('Last-Modified') ?? '');
  return { picture: response.data, takenAt: Number.isFinite(takenMs) ? new Date(takenMs).toISOString() : null };
}
