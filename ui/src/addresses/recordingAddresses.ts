// Addresses of the pages for footage.

/** The camera's page at a moment. */
export const deviceMomentAddress = (deviceId: string, atMs: number): string =>
  `/devices/${deviceId}?t=${encodeURIComponent(new Date(Math.round(atMs)).toISOString())}`;

/** The recorded days of a camera, optionally at one day ("2026-11-22"). */
export const recordedDaysAddress = (deviceId: string, date?: string): string =>
  `/recordings/${deviceId}${date ? `?date=${date}` : ''}`;

/** Playback of an event begins this long before it. */
export const EVENT_PRE_ROLL_MS = 5_000;

/** The camera's page at an event, some seconds before it began. */
export const eventMomentAddress = (deviceId: string, startMs: number): string =>
  deviceMomentAddress(deviceId, Math.max(0, startMs - EVENT_PRE_ROLL_MS));
