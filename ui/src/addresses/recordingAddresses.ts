// Addresses of the pages for footage.

/** The camera's page at a moment. */
export const deviceMomentAddress = (deviceId: string, atMs: number): string =>
  `/devices/${deviceId}?t=${encodeURIComponent(new Date(Math.round(atMs)).toISOString())}`;

/** The recorded days of a camera, optionally at one day ("2026-11-22"). */
export const recordedDaysAddress = (deviceId: string, date?: string): string =>
  `/recordings/${deviceId}${date ? `?date=${date}` : ''}`;
