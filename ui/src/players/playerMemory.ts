// What the browser keeps of a player: whether this camera was being watched, the sound's settings, and what makes
// the next connection quicker. Nothing here connects by itself: a wish only changes what the play button says.

export interface PlayerMemory {
  wasWatching: boolean;
}

export interface SoundMemory {
  isMuted: boolean;
  volume: number;
}

/** Saves round trips, and may be wrong: whoever uses it must be ready to do without. */
export interface RouteMemory {
  signalingUrl: string | null;
  /** recvRtpCapabilities of a mediasoup-client Device. */
  capabilities: object | null;
  userAgent: string;
}

const SOUND_KEY = 'vas.sound';
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
    // A full or forbidden store costs the memory, not the picture.
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

export const rememberSound = (memory: SoundMemory): void => write(SOUND_KEY, memory);
