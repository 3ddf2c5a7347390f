// hls.js without media: reads its playlist through the player's own loader, and fails when the test tells it to.
import type { HlsConfig } from 'hls.js';
import { parsePlaylist } from '../src/players/FootagePlaylist';
import type { TimedFragment } from '../src/players/footageClock';
import type { HlsInstance } from '../src/players/hlsLibrary';

interface Loader {
  load(
    context: { type: string; url: string },
    config: unknown,
    callbacks: { onSuccess(response: { data: string }): void },
  ): void;
  destroy(): void;
}

export class FakeHls {
  readonly config: Partial<HlsConfig>;
  levels: { details: { fragments: TimedFragment[] } }[] = [];
  latency = 3;
  liveSyncPosition: number | null = null;
  isDestroyed = false;
  recoveries = 0;
  private readonly handlers = new Map<string, (name: string, data: unknown) => void>();
  private readonly loaders: Loader[] = [];

  constructor(config: Partial<HlsConfig>) {
    this.config = config;
  }

  asInstance(): HlsInstance {
    return this as unknown as HlsInstance;
  }

  attachMedia(): void {}

  startLoad(): void {}

  on(name: string, handler: (name: string, data: unknown) => void): void {
    this.handlers.set(name, handler);
  }

  loadSource(url: string): void {
    this.read('manifest', url);
  }

  emit(name: string, data: unknown): void {
    this.handlers.get(name)?.(name, data);
  }

  failFatally(change: {
    type: string;
    details: string;
    frag?: { sn: number };
    response?: { url: string; data: undefined; code: number };
    mimeType?: string;
  }): void {
    this.emit('hlsError', { fatal: true, ...change });
  }

  recoverMediaError(): void {
    this.recoveries += 1;
  }

  destroy(): void {
    this.isDestroyed = true;
    for (const loader of this.loaders) loader.destroy();
  }

  private read(type: string, url: string): void {
    const LoaderClass = this.config.pLoader as unknown as (new () => Loader) | undefined;
    if (!LoaderClass || this.isDestroyed) return;
    const loader = new LoaderClass();
    this.loaders.push(loader);
    loader.load(
      { type, url },
      {},
      {
        onSuccess: ({ data }) => {
          let start = 0;
          const fragments = parsePlaylist(data).map(({ startMs, durationMs }) => {
            const fragment = { start, duration: durationMs / 1000, programDateTime: startMs };
            start += fragment.duration;
            return fragment;
          });
          this.levels = [{ details: { fragments } }];
          this.read('level', url);
        },
      },
    );
  }
}
