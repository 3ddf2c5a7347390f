// Where footage is found in the UI.

/** The camera's page at a moment. */
export const deviceMomentAddress = (deviceId: string, atMs: number): string =>
  `/devices/${deviceId}?t=${encodeURIComponent(new Date(Math.round(atMs)).toISOString())}`;

/** A camera's recorded days, at one of them ("2026-11-22"). */
export const recordedDaysAddress = (deviceId: string, date?: string): string =>
  `/recordings/${deviceId}${date ? `?date=${date}` : ''}`;
