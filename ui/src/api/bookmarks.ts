// Bookmarks: moments with a title, a note, tags and a clip of their own.
import { API_ROOT, request } from './http';
import { readPage, type Page } from './pagination';
import type { Reason } from './types';

export type ClipState = 'pending' | 'ready' | 'failed';

export interface BookmarkClip {
  state: ClipState;
  /** 0 up to 1 while it is made. */
  progress: number;
  job_id: string | null;
  /** Why there is none; of one that is ready: why no newer one could be made. */
  reason: Reason | null;
  url: string | null;
  start: string | null;
  end: string | null;
  duration_seconds: number | null;
  size: number | null;
  codec: string | null;
  /** What is worth knowing of it, such as less footage than was wanted. */
  notes: string[];
}

/** What a person may set; PUT replaces all of it. */
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

/** `at` null: now, by the server's clock. */
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
  const asked = { page, page_size: pageSize, device_id: deviceId, start, end, tag, q, order };
  return readPage(await request<Bookmark[]>('/bookmarks', { query: asked, signal }));
}

export async function readBookmark(id: string, signal?: AbortSignal): Promise<VersionedBookmark> {
  const answer = await request<Bookmark>(pathOf(id), { signal });
  return { bookmark: answer.data, etag: answer.headers.get('ETag') };
}

/** `key` is made up by the caller: sent twice, it still makes one bookmark. */
export async function createBookmark(fields: NewBookmark, key: string): Promise<VersionedBookmark> {
  const answer = await request<Bookmark>('/bookmarks', {
    method: 'POST',
    body: fields,
    headers: { 'Idempotency-Key': key },
  });
  return { bookmark: answer.data, etag: answer.headers.get('ETag') };
}

/** Another moment or length makes the clip again. `etag` null overwrites whatever is there. */
export async function replaceBookmark(id: string, fields: BookmarkFields, etag: string | null): Promise<Bookmark> {
  const headers: Record<string, string> = etag ? { 'If-Match': etag } : {};
  return (await request<Bookmark>(pathOf(id), { method: 'PUT', body: fields, headers })).data;
}

export async function deleteBookmark(id: string): Promise<void> {
  await request(pathOf(id), { method: 'DELETE' });
}

/** Takes a deletion back; possible for some minutes. */
export async function restoreBookmark(id: string): Promise<void> {
  await request(`${pathOf(id)}/restore`, { method: 'POST' });
}

export async function makeClipAgain(id: string): Promise<void> {
  await request(`${pathOf(id)}/clip`, { method: 'POST' });
}

const added = (url: string, name: string, value: string | number): string =>
  `${url}${url.includes('?') ? '&' : '?'}${name}=${value}`;

/** A part of an address that the server never sees: another version is fetched again by the element that shows it. */
const edition = ({ version, clip }: Bookmark): string => `#${version}-${clip.start ?? clip.state}`;

/** Where the clip plays; by ranges too. */
export const clipUrl = (bookmark: Bookmark): string =>
  (bookmark.clip.url ?? `${API_ROOT}${pathOf(bookmark.id)}/clip.mp4`) + edition(bookmark);

export const clipDownloadUrl = ({ id, clip }: Bookmark): string =>
  added(clip.url ?? `${API_ROOT}${pathOf(id)}/clip.mp4`, 'download', 1);

/** `width` in pixels; null while there is no picture. */
export const bookmarkPosterUrl = (bookmark: Bookmark, width: number): string | null =>
  bookmark.poster_url && added(bookmark.poster_url, 'width', width) + edition(bookmark);
