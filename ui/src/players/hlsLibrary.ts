// hls.js, loaded on first use: the live player over WebRTC never waits for it.
import type Hls from 'hls.js';
import type { ErrorData, HlsConfig } from 'hls.js';
import { hasMediaSource, needsNativeHls } from './mediaSupport';
import { NativeHls } from './NativeHls';

/** The part of hls.js that the players use, so that tests can replace it. */
export type HlsInstance = Pick<
  Hls,
  | 'attachMedia'
  | 'loadSource'
  | 'startLoad'
  | 'recoverMediaError'
  | 'destroy'
  | 'on'
  | 'levels'
  | 'latency'
  | 'liveSyncPosition'
  | 'config'
>;

export type HlsFactory = (config: Partial<HlsConfig>) => Promise<HlsInstance>;

let loading: Promise<typeof Hls> | null = null;

/** Loads the library once; a failed load may be repeated. */
export function loadHls(): Promise<typeof Hls> {
  loading ??= import('hls.js/light').then(
    (module) => module.default,
    (error: unknown) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

export class HlsUnsupported extends Error {}

const UNSUPPORTED = 'this browser cannot play recordings in a page: it lacks Media Source Extensions';

/** hls.js, or the browser's own HLS where there are no Media Source Extensions. Throws HlsUnsupported where there is neither. */
export const createHls: HlsFactory = async (config) => {
  if (needsNativeHls()) return new NativeHls(config) as unknown as HlsInstance;
  if (!hasMediaSource()) throw new HlsUnsupported(UNSUPPORTED);
  const Library = await loadHls();
  if (!Library.isSupported()) throw new HlsUnsupported(UNSUPPORTED);
  return new Library(config);
};

/** Calls `listener` with every error of `hls`, fatal or not. */
export function onHlsError(hls: HlsInstance, listener: (data: ErrorData) => void): void {
  hls.on('hlsError' as never, ((_name: string, data: ErrorData) => listener(data)) as never);
}

/** Calls `listener` once the tracks are known, and again when they change. */
export function onHlsTracks(hls: HlsInstance, listener: (hasAudio: boolean) => void): void {
  hls.on(
    'hlsBufferCodecs' as never,
    ((_name: string, tracks: object) => listener('audio' in tracks || 'audiovideo' in tracks)) as never,
  );
}
