// Recordings: settings, footage and gaps, protections, deletion, exports, storage.
import { API_ROOT, ApiError, request } from './http';
import type { Job } from './jobs';
import { readPage, type Page } from './pagination';
import type {
  CoverageDay,
  ExpiringFootage,
  FootageDeletion,
  Protection,
  RecordedDate,
  Recording,
  RecordingEvent,
  RecordingSettings,
  RecordingTimeline,
  SegmentFile,
  StorageStatistics,
} from './recordingTypes';

export interface Range {
  start: string;
  end: string;
}

/** A recording with the ETag that a later PUT sends back. */
export interface VersionedRecording {
  recording: Recording;
  etag: string | null;
}

export type ExportCut = 'key_frames' | 'exact';

const pathOf = (deviceId: string): string => `/recordings/devices/${encodeURIComponent(deviceId)}`;

const addressOf = (path: string, query: Record<string, string>): string =>
  `${API_ROOT}${path}?${new URLSearchParams(query)}`;

export async function listRecordings(
  query: { page: number; pageSize: number; q?: string; device?: string },
  signal?: AbortSignal,
): Promise<Page<Recording>> {
  const { page, pageSize, q, device } = query;
  return readPage(
    await request<Recording[]>('/recordings', { query: { page, page_size: pageSize, q, device }, signal }),
  );
}

export async function readRecording(deviceId: string, signal?: AbortSignal): Promise<VersionedRecording> {
  const response = await request<Recording>(pathOf(deviceId), { signal });
  return { recording: response.data, etag: response.headers.get('ETag') };
}

/** With `etag` null the version is not checked. */
export async function replaceRecording(
  deviceId: string,
  settings: RecordingSettings,
  etag: string | null,
): Promise<VersionedRecording> {
  const headers: Record<string, string> = etag ? { 'If-Match': etag } : {};
  const response = await request<Recording>(pathOf(deviceId), { method: 'PUT', body: settings, headers });
  return { recording: response.data, etag: response.headers.get('ETag') };
}

/** Starts recording in any mode, until `until` or until the next manual change. */
export async function startRecording(deviceId: string, until?: string): Promise<Recording> {
  return (await request<Recording>(`${pathOf(deviceId)}/start`, { method: 'POST', body: until ? { until } : {} })).data;
}

export async function stopRecording(deviceId: string, until?: string): Promise<Recording> {
  return (await request<Recording>(`${pathOf(deviceId)}/stop`, { method: 'POST', body: until ? { until } : {} })).data;
}

/** Ends a manual start or stop: the mode decides again. */
export async function resumeRecordingPlan(deviceId: string): Promise<Recording> {
  return (await request<Recording>(`${pathOf(deviceId)}/resume`, { method: 'POST', body: {} })).data;
}

export async function addRecordingEvent(
  deviceId: string,
  event: { label: string; note?: string; duration_seconds?: number; at?: string },
): Promise<RecordingEvent> {
  return (await request<RecordingEvent>(`${pathOf(deviceId)}/events`, { method: 'POST', body: event })).data;
}

export async function listRecordedDates(
  deviceId: string,
  query: { timeZone: string; from: string; to: string },
  signal?: AbortSignal,
): Promise<RecordedDate[]> {
  const { timeZone, from, to } = query;
  return (
    await request<RecordedDate[]>(`${pathOf(deviceId)}/dates`, { query: { time_zone: timeZone, from, to }, signal })
  ).data;
}

export async function listSegments(
  deviceId: string,
  date: string,
  timeZone: string,
  signal?: AbortSignal,
): Promise<SegmentFile[]> {
  const path = `${pathOf(deviceId)}/dates/${encodeURIComponent(date)}/segments`;
  return (await request<SegmentFile[]>(path, { query: { time_zone: timeZone }, signal })).data;
}

export async function readTimeline(
  deviceId: string,
  query: Range & { resolutionSeconds?: number },
  signal?: AbortSignal,
): Promise<RecordingTimeline> {
  const { start, end, resolutionSeconds } = query;
  return (
    await request<RecordingTimeline>(`${pathOf(deviceId)}/timeline`, {
      query: { start, end, resolution_seconds: resolutionSeconds },
      signal,
    })
  ).data;
}

export interface CoverageQuery {
  from: string;
  to: string;
  timeZone: string;
}

/** Coverage by day of one device, or of every device when `deviceId` is null. */
export async function readCoverage(
  deviceId: string | null,
  query: CoverageQuery,
  signal?: AbortSignal,
): Promise<CoverageDay[]> {
  const path = deviceId === null ? '/recordings/coverage' : `${pathOf(deviceId)}/coverage`;
  const { from, to, timeZone } = query;
  return (await request<CoverageDay[]>(path, { query: { from, to, time_zone: timeZone }, signal })).data;
}

/** Download address of the same coverage as a CSV table. */
export function coverageCsvUrl(deviceId: string | null, { from, to, timeZone }: CoverageQuery): string {
  const path = deviceId === null ? '/recordings/coverage' : `${pathOf(deviceId)}/coverage`;
  return addressOf(path, { from, to, time_zone: timeZone, format: 'csv' });
}

/** Address of the HLS playlist of a range; without a range, of the live LL-HLS playlist. */
export function playlistUrl(deviceId: string, range?: Range): string {
  const path = `${pathOf(deviceId)}/playlist`;
  return range ? addressOf(path, { start: range.start, end: range.end }) : `${API_ROOT}${path}`;
}

/** The text of that playlist; ApiError 404 with reason 'no_footage' has the nearest footage in `errors`. */
export async function fetchPlaylist(deviceId: string, { start, end }: Range, signal?: AbortSignal): Promise<string> {
  return (await request<string>(`${pathOf(deviceId)}/playlist`, { as: 'text', query: { start, end }, signal })).data;
}

/** Why there is no live playlist now, in the server's words; null when there is one. */
export async function readLiveReason(deviceId: string, signal?: AbortSignal): Promise<string | null> {
  try {
    await request<string>(`${pathOf(deviceId)}/playlist`, { as: 'text', signal });
    return null;
  } catch (error) {
    return error instanceof ApiError ? error.message : 'the server cannot be reached';
  }
}

/** What retention would delete with these limits; null stands for the server's limit. */
export async function readExpiring(
  deviceId: string,
  limits: Pick<RecordingSettings, 'keep_days' | 'keep_bytes' | 'archive_keep_days' | 'waits_for_copy'>,
  signal?: AbortSignal,
): Promise<ExpiringFootage> {
  const query = {
    keep_days: limits.keep_days ?? undefined,
    keep_bytes: limits.keep_bytes ?? undefined,
    archive_keep_days: limits.archive_keep_days ?? undefined,
    waits_for_copy: limits.waits_for_copy ? undefined : 'false',
  };
  return (await request<ExpiringFootage>(`${pathOf(deviceId)}/expiring`, { query, signal })).data;
}

/** Deletes the unprotected whole segments inside the range; `isDryRun` only counts them. */
export async function deleteFootage(deviceId: string, range: Range, isDryRun: boolean): Promise<FootageDeletion> {
  const query = { start: range.start, end: range.end, dry_run: isDryRun ? 'true' : undefined };
  return (await request<FootageDeletion>(`${pathOf(deviceId)}/footage`, { method: 'DELETE', query })).data;
}

export async function listProtections(deviceId: string, signal?: AbortSignal): Promise<Protection[]> {
  return (await request<Protection[]>(`${pathOf(deviceId)}/protections`, { signal })).data;
}

export async function protectFootage(deviceId: string, range: Range, note: string): Promise<Protection> {
  return (await request<Protection>(`${pathOf(deviceId)}/protections`, { method: 'POST', body: { ...range, note } }))
    .data;
}

export async function removeProtection(deviceId: string, protectionId: number): Promise<void> {
  await request(`${pathOf(deviceId)}/protections/${protectionId}`, { method: 'DELETE' });
}

export async function startExport(deviceId: string, range: Range, cut: ExportCut, name?: string): Promise<Job> {
  const body = { ...range, cut, ...(name ? { name } : {}) };
  return (await request<Job>(`${pathOf(deviceId)}/export`, { method: 'POST', body })).data;
}

export async function readStorage(signal?: AbortSignal): Promise<StorageStatistics> {
  return (await request<StorageStatistics>('/recordings/storage', { signal })).data;
}

/** Starts a test of an archive's connection; returns the id of its job. */
export async function testArchive(name: string): Promise<string> {
  const path = `/recordings/storage/archives/${encodeURIComponent(name)}/test`;
  return (await request<{ job_id: string }>(path, { method: 'POST' })).data.job_id;
}

/** Ends the pauses of an archive after failures. */
export async function retryArchive(name: string): Promise<void> {
  await request(`/recordings/storage/archives/${encodeURIComponent(name)}/retry`, { method: 'POST' });
}
