// hls.js, fetched only when somebody needs it: the live player over WebRTC never waits for it.
import type Hls from 'hls.js';
import type { HlsConfig } from 'hls.js';

/** What the players use of hls.js, so that tests can put something else in its place. */
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

/** Fetches the library once; a failed fetch may be tried again. */
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

/** Throws HlsUnsupported where the browser has no Media Source Extensions. */
export const createHls: HlsFactory = async (config) => {
  const Library = await loadHls();
  if (!Library.isSupported())
    throw new HlsUnsupported('this browser cannot play recordings in a page: it lacks Media Source Extensions');
  return new Library(config);
};
