// Bookmarks: moments with a title, a note, tags and a clip.
import { API_ROOT, request } from './http';
import { readPage, type Page } from './pagination';
import type { Reason } from './types';

export type ClipState = 'pending' | 'ready' | 'failed';

export interface BookmarkClip {
  state: ClipState;
  /** 0 to 1 while the clip is being created. */
  progress: number;
  job_id: string | null;
  /** Why there is no clip; for a ready clip: why it could not be replaced by a newer one. */
  reason: Reason | null;
  url: string | null;
  start: string | null;
  end: string | null;
  duration_seconds: number | null;
  size: number | null;
  codec: string | null;
  /** Remarks about the clip, such as less footage than requested. */
  notes: string[];
}

/** The editable fields; PUT replaces all of them. */
export interface BookmarkFields {
  title: string;
  note: string;
  tags: string[];
  at: string;
  before_seconds: number;
  after_seconds: number;
}

export interface Bookmark extends BookmarkFields {
  id: string;
  device_id: string;
  device_name: string;
  clip: BookmarkClip;
  poster_url: string | null;
  version: number;
  created_by: string;
  created_at: string;
  updated_at: string;
}

/** A bookmark with the ETag that a later PUT sends back. */
export interface VersionedBookmark {
  bookmark: Bookmark;
  etag: string | null;
}

/** With `at` null the bookmark is at the current time of the server's clock. */
export type NewBookmark = Omit<BookmarkFields, 'at'> & { device_id: string; at: string | null };

export interface BookmarkQuery {
  page: number;
  pageSize: number;
  deviceId?: string;
  start?: string | undefined;
  end?: string | undefined;
  tag?: string;
  q?: string;
  order?: 'newest' | 'oldest';
}

const pathOf = (id: string): string => `/bookmarks/${encodeURIComponent(id)}`;

export async function listBookmarks(query: BookmarkQuery, signal?: AbortSignal): Promise<Page<Bookmark>> {
  const { page, pageSize, deviceId, start, end, tag, q, order } = query;
  const fields = { page, page_size: pageSize, device_id: deviceId, start, end, tag, q, order };
  return readPage(await request<Bookmark[]>('/bookmarks', { query: fields, signal }));
}

export async function readBookmark(id: string, signal?: AbortSignal): Promise<VersionedBookmark> {
  const response = await request<Bookmark>(pathOf(id), { signal });
  return { bookmark: response.data, etag: response.headers.get('ETag') };
}

/** `key` is created by the caller: a request that is sent twice with the same key creates one bookmark. */
export async function createBookmark(fields: NewBookmark, key: string): Promise<VersionedBookmark> {
  const response = await request<Bookmark>('/bookmarks', {
    method: 'POST',
    body: fields,
    headers: { 'Idempotency-Key': key },
  });
  return { bookmark: response.data, etag: response.headers.get('ETag') };
}

/** A changed moment or length creates the clip again. With `etag` null the version is not checked. */
export async function replaceBookmark(id: string, fields: BookmarkFields, etag: string | null): Promise<Bookmark> {
  const headers: Record<string, string> = etag ? { 'If-Match': etag } : {};
  return (await request<Bookmark>(pathOf(id), { method: 'PUT', body: fields, headers })).data;
}

export async function deleteBookmark(id: string): Promise<void> {
  await request(pathOf(id), { method: 'DELETE' });
}

/** Restores a deleted bookmark; possible for some minutes. */
export async function restoreBookmark(id: string): Promise<void> {
  await request(`${pathOf(id)}/restore`, { method: 'POST' });
}

export async function makeClipAgain(id: string): Promise<void> {
  await request(`${pathOf(id)}/clip`, { method: 'POST' });
}

const withQuery = (url: string, name: string, value: string | number): string =>
  `${url}${url.includes('?') ? '&' : '?'}${name}=${value}`;

/** A fragment that the server never sees: with another version, the element loads the file again. */
const edition = ({ version, clip }: Bookmark): string => `#${version}-${clip.start ?? clip.state}`;

/** Address of the clip; supports range requests. */
export const clipUrl = (bookmark: Bookmark): string =>
  (bookmark.clip.url ?? `${API_ROOT}${pathOf(bookmark.id)}/clip.mp4`) + edition(bookmark);

export const clipDownloadUrl = ({ id, clip }: Bookmark): string =>
  withQuery(clip.url ?? `${API_ROOT}${pathOf(id)}/clip.mp4`, 'download', 1);

/** `width` in pixels; null as long as there is no poster. */
export const bookmarkPosterUrl = (bookmark: Bookmark, width: number): string | null =>
  bookmark.poster_url && withQuery(bookmark.poster_url, 'width', width) + edition(bookmark);
