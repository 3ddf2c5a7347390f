// Player settings in the browser's storage: whether this camera was being watched, the sound settings, and values
// that speed up the next connection. Nothing here connects by itself; it only changes the text below the play button.

export interface PlayerMemory {
  wasWatching: boolean;
}

export interface SoundMemory {
  isMuted: boolean;
  volume: number;
}

/** Saves round trips, but may be outdated: callers must be able to do without. */
export interface RouteMemory {
  signalingUrl: string | null;
  /** recvRtpCapabilities of a mediasoup-client Device. */
  capabilities: object | null;
  userAgent: string;
}

const SOUND_KEY = 'vas.sound';
const BOXES_KEY = 'vas.boxes';
const ROUTE_KEY = 'vas.route';
const keyOf = (deviceId: string) => `vas.player.${deviceId}`;

function read<T extends object>(key: string, fallback: T): T {
  try {
    return { ...fallback, ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<T>) };
  } catch {
    return fallback;
  }
}

function write(key: string, value: object): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // With a full or forbidden storage only the settings are lost.
  }
}

export const recallPlayer = (deviceId: string): PlayerMemory => read(keyOf(deviceId), { wasWatching: false });
export const rememberPlayer = (deviceId: string, memory: PlayerMemory): void => write(keyOf(deviceId), memory);
export const recallSound = (): SoundMemory => read(SOUND_KEY, { isMuted: true, volume: 1 });
export function recallRoute(): RouteMemory {
  const route = read<RouteMemory>(ROUTE_KEY, { signalingUrl: null, capabilities: null, userAgent: '' });
  return route.userAgent === navigator.userAgent
    ? route
    : { signalingUrl: null, capabilities: null, userAgent: navigator.userAgent };
}

export function rememberRoute(change: Partial<RouteMemory>): void {
  write(ROUTE_KEY, { ...recallRoute(), ...change });
}

export const recallBoxes = (): boolean => read(BOXES_KEY, { isOn: false }).isOn;
export const rememberBoxes = (isOn: boolean): void => write(BOXES_KEY, { isOn });
export const rememberSound = (memory: SoundMemory): void => write(SOUND_KEY, memory);
