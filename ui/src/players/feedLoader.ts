// A playlist loader for hls.js that serves the playlist of a feed, and serves it again whenever it has grown.
import type { Loader, LoaderCallbacks, LoaderConfiguration, LoaderStats, PlaylistLoaderContext } from 'hls.js';
import type { FootageFeed } from './FootageFeed';

/** The class for hls.js's option `pLoader`; `baseUrl` is the base address of the fragments. */
export function createFeedLoader(feed: FootageFeed, baseUrl: string): new () => Loader<PlaylistLoaderContext> {
  let served = -1;
  return class FeedLoader implements Loader<PlaylistLoaderContext> {
    context: PlaylistLoaderContext | null = null;
    stats: LoaderStats = emptyStats();
    private stopWaiting: (() => void) | null = null;

    load(
      context: PlaylistLoaderContext,
      _config: LoaderConfiguration,
      callbacks: LoaderCallbacks<PlaylistLoaderContext>,
    ): void {
      this.context = context;
      this.stats.loading.start = performance.now();
      // An unchanged playlist is not served: parsing it again would be useless.
      this.stopWaiting = feed.whenNewerThan(context.type === 'manifest' ? -1 : served, () => {
        this.stopWaiting = null;
        served = feed.playlist.revision;
        const data = feed.playlist.render();
        const at = performance.now();
        this.stats.loading = { start: this.stats.loading.start, first: at, end: at };
        this.stats.loaded = this.stats.total = data.length;
        callbacks.onSuccess({ url: baseUrl, data, code: 200 }, this.stats, context, null);
      });
    }

    abort(): void {
      this.stopWaiting?.();
      this.stopWaiting = null;
    }

    destroy(): void {
      this.abort();
      this.context = null;
    }
  };
}

function emptyStats(): LoaderStats {
  return {
    aborted: false,
    loaded: 0,
    retry: 0,
    total: 0,
    chunkCount: 0,
    bwEstimate: 0,
    loading: { start: 0, first: 0, end: 0 },
    parsing: { start: 0, end: 0 },
    buffering: { start: 0, first: 0, end: 0 },
  };
}
