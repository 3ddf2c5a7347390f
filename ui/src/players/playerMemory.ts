// What the browser keeps of a player: whether this camera was being watched, and the sound's settings. Nothing
// here connects by itself: a remembered wish only changes what the play button says.

export interface PlayerMemory {
  wasWatching: boolean;
}

export interface SoundMemory {
  isMuted: boolean;
  volume: number;
}

const SOUND_KEY = 'vas.sound';
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
export const rememberSound = (memory: SoundMemory): void => write(SOUND_KEY, memory);
