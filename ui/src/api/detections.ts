// Boxes of objects in recorded video, and the state of the analysis of a device.
import { request } from './http';

export interface BoxesOfEvent {
  event_id: number;
  label: string;
  /** Capture time in milliseconds since 1970, x, y, width, height in parts of the picture, score. */
  boxes: [number, number, number, number, number, number][];
}

export interface Analysis {
  is_running: boolean;
  problems: string[];
}

export async function fetchBoxes(
  deviceId: string,
  startMs: number,
  endMs: number,
  signal?: AbortSignal,
): Promise<BoxesOfEvent[]> {
  const query = { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
  const path = `/devices/${encodeURIComponent(deviceId)}/detections`;
  return (await request<{ tracks: BoxesOfEvent[] }>(path, { query, signal })).data.tracks;
}

export async function readAnalysis(deviceId: string, signal?: AbortSignal): Promise<Analysis> {
  return (await request<Analysis>(`/devices/${encodeURIComponent(deviceId)}/analysis`, { signal })).data;
}

/** The query of the stream of events with which only boxes of one device come. */
export const boxesQuery = (deviceId: string): string =>
  new URLSearchParams({ passing: '1', kind: 'boxes', device_id: deviceId }).toString();
