// Streams: state and live statistics, start and stop, viewer tokens, and the newest footage as a file.
import { request } from './http';
import { readPage } from './pagination';
import type { Stream, ViewerGrant } from './types';

const PAGE_SIZE = 100;
const MAX_PAGES = 20;

/** Every stream, read page by page. */
export async function listStreams(signal?: AbortSignal): Promise<Stream[]> {
  const streams: Stream[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const response = readPage(await request<Stream[]>('/streams', { query: { page, page_size: PAGE_SIZE }, signal }));
    streams.push(...response.items);
    if (page >= response.totalPages) break;
  }
  return streams;
}

export async function readStream(id: string, signal?: AbortSignal): Promise<Stream> {
  return (await request<Stream>(`/streams/${encodeURIComponent(id)}`, { signal })).data;
}

export async function startStream(id: string): Promise<Stream> {
  return (await request<Stream>(`/rtsp/streams/${encodeURIComponent(id)}/start`, { method: 'POST' })).data;
}

export async function stopStream(id: string): Promise<Stream> {
  return (await request<Stream>(`/rtsp/streams/${encodeURIComponent(id)}/stop`, { method: 'POST' })).data;
}

/** Ends the pause until the next attempt of a lost stream, also that of a refused login. */
export async function tryStreamNow(id: string): Promise<Stream> {
  return (await request<Stream>(`/rtsp/streams/${encodeURIComponent(id)}/try-now`, { method: 'POST' })).data;
}

export async function requestViewer(id: string, signal?: AbortSignal): Promise<ViewerGrant> {
  return (await request<ViewerGrant>(`/streams/${encodeURIComponent(id)}/viewers`, { method: 'POST', signal })).data;
}

/** The init segment and all parts since the newest key frame as one small MP4; ApiError 404 when there is none. */
export async function fetchLatestFootage(id: string, signal?: AbortSignal): Promise<Blob> {
  return (await request<Blob>(`/streams/${encodeURIComponent(id)}/latest.mp4`, { as: 'blob', signal })).data;
}
