// Fetches the footage around a moment window by window and joins it to one growing playlist.
import { FootagePlaylist, type Place } from './FootagePlaylist';
import { FootageUnavailable } from './historyState';

export interface Window {
  fromMs: number;
  toMs: number;
}

export type FetchPlaylist = (window: Window, signal: AbortSignal) => Promise<string>;

export interface FeedSource {
  fetchPlaylist: FetchPlaylist;
  now?: () => number;
  /** Keys of fragments that cannot be played. */
  excluded?: ReadonlySet<string>;
}

/** Where playback begins, and whether the requested moment lies after all footage. */
export interface Opening {
  feed: FootageFeed;
  place: Place;
  isPastEnd: boolean;
}

/** A window also covers the time shortly before the moment, so that small steps backwards need no other window. */
export const WINDOW_BEFORE_MS = 10 * 60_000;
export const WINDOW_AHEAD_MS = 60 * 60_000;
/** Normal delay until footage can be played: writing files, indexing and waiting for key frames take time. */
export const STORE_DELAY_MS = 15_000;
/** The feed is at the tail when everything older than this is known. */
const TAIL_MS = 20_000;
/** With less known footage than this left to play, the next window is fetched. */
const EXTEND_BELOW_SECONDS = 45;
/** Minimum interval between requests for footage that is still being recorded. */
const TAIL_INTERVAL_MS = 2_000;
const MAX_JUMPS = 4;

export class FootageFeed {
  readonly playlist: FootagePlaylist;
  private readonly fetchPlaylist: FetchPlaylist;
  private readonly now: () => number;
  private fromMs = 0;
  private requestedToMs = 0;
  /** End of the time whose footage and gaps are known. */
  private knownToMs = 0;
  private readonly waiting = new Set<() => void>();
  /** When footage was last added, in milliseconds of `now`. */
  grewAt: number;
  private extendedAt = 0;
  private extending: Promise<number> | null = null;

  private constructor({ fetchPlaylist, now = Date.now, excluded }: FeedSource) {
    this.playlist = new FootagePlaylist(excluded);
    this.fetchPlaylist = fetchPlaylist;
    this.now = now;
    this.grewAt = now();
  }

  /** Throws FootageUnavailable: of kind 'no_footage' where nothing is recorded on either side. */
  static async open(
    source: FeedSource,
    momentMs: number,
    side: 'after' | 'before',
    signal: AbortSignal,
  ): Promise<Opening> {
    let targetMs = momentMs;
    let targetSide = side;
    let isPastEnd = false;
    for (let jump = 0; jump < MAX_JUMPS; jump += 1) {
      const feed = new FootageFeed(source);
      try {
        await feed.fetch({ fromMs: targetMs - WINDOW_BEFORE_MS, toMs: targetMs + WINDOW_AHEAD_MS }, signal);
        const place = feed.playlist.find(targetMs, targetSide);
        if (place) return { feed, place, isPastEnd };
        // All footage lies on the other side: search further on this side, or let the server name the nearest footage.
        if (targetSide === 'after') {
          await feed.fetch({ fromMs: feed.knownToMs, toMs: feed.knownToMs + WINDOW_AHEAD_MS }, signal);
          const further = feed.playlist.find(targetMs, 'after');
          if (further) return { feed, place: further, isPastEnd };
          throw new FootageUnavailable('no_footage', 'nothing is recorded there', feed.playlist.endMs);
        }
        const earlier = new FootageFeed(source);
        await earlier.fetch({ fromMs: feed.fromMs - WINDOW_AHEAD_MS, toMs: feed.fromMs }, signal);
        targetMs = (earlier.playlist.endMs ?? feed.fromMs) - 1;
      } catch (error) {
        if (!(error instanceof FootageUnavailable) || error.kind !== 'no_footage') throw error;
        const [near, far] =
          targetSide === 'after'
            ? [error.nearestAfterMs, error.nearestBeforeMs]
            : [error.nearestBeforeMs, error.nearestAfterMs];
        const isBeyond = near === null || (targetSide === 'after' ? near < targetMs : near > targetMs);
        if (!isBeyond) targetMs = near;
        else if (far !== null) {
          isPastEnd = targetSide === 'after';
          targetSide = targetSide === 'after' ? 'before' : 'after';
          targetMs = far;
        } else throw error;
      }
    }
    throw new FootageUnavailable('no_footage', 'nothing is recorded there');
  }

  /** Whether footage and gaps are known at a moment. */
  covers(momentMs: number): boolean {
    return momentMs >= this.fromMs && momentMs < this.knownToMs;
  }

  /** The window of the server's playlist that can be played as it is: it has the place, and none of the excluded fragments. */
  playableAround({ index }: Place): Window {
    const { entries, skipped } = this.playlist;
    const startMs = entries[index]?.startMs ?? this.fromMs;
    const before = skipped.filter((entry) => entry.startMs < startMs);
    const after = skipped.filter((entry) => entry.startMs > startMs).map((entry) => entry.startMs);
    return {
      fromMs: Math.max(this.fromMs, ...before.map((entry) => entry.startMs + entry.durationMs)),
      toMs: Math.min(this.requestedToMs, ...after),
    };
  }

  /** Everything up to now is known: the next footage is still being recorded. */
  get isAtTail(): boolean {
    return this.knownToMs >= this.now() - TAIL_MS;
  }

  /** Fetches the next window in time; to be called about twice a second with the seconds that are left to play. */
  keepAhead(remainingSeconds: number, speed: number, signal: AbortSignal): void {
    const now = this.now();
    const interval = this.isAtTail ? TAIL_INTERVAL_MS : 0;
    if (remainingSeconds > EXTEND_BELOW_SECONDS * Math.max(1, speed) || now - this.extendedAt < interval) return;
    this.extendedAt = now;
    // A failed request is repeated by a later call; the loaded footage plays on meanwhile.
    this.extend(signal).catch(() => {});
  }

  /** Fetches the next window and returns the number of new fragments. Concurrent calls share one request. */
  extend(signal: AbortSignal): Promise<number> {
    this.extending ??= this.fetchNext(signal).finally(() => {
      this.extending = null;
    });
    return this.extending;
  }

  /** Calls `act` once the playlist is newer than `revision`; returns the function that cancels this. */
  whenNewerThan(revision: number, act: () => void): () => void {
    const check = () => {
      if (this.playlist.revision <= revision) return;
      this.waiting.delete(check);
      act();
    };
    this.waiting.add(check);
    queueMicrotask(() => this.waiting.has(check) && check());
    return () => this.waiting.delete(check);
  }

  private async fetch(window: Window, signal: AbortSignal): Promise<number> {
    const requestedAt = this.now();
    this.requestedToMs = Math.max(this.requestedToMs, window.toMs);
    const added = this.playlist.append(await this.fetchPlaylist(window, signal));
    const knownTo = Math.min(window.toMs, Math.max(requestedAt - STORE_DELAY_MS, this.playlist.endMs ?? 0));
    this.fromMs = this.knownToMs === 0 ? window.fromMs : Math.min(this.fromMs, window.fromMs);
    this.knownToMs = Math.max(this.knownToMs, knownTo);
    if (added > 0) this.grewAt = this.now();
    if (added > 0) for (const check of [...this.waiting]) check();
    return added;
  }

  private async fetchNext(signal: AbortSignal): Promise<number> {
    const last = this.playlist.entries.at(-1);
    const endMs = this.playlist.endMs ?? this.knownToMs;
    // Starts at the last fragment, so that the server itself marks whether the next one is contiguous.
    const fromMs =
      last && (this.knownToMs - endMs <= STORE_DELAY_MS || this.isAtTail) ? last.startMs + 1 : this.knownToMs;
    try {
      return await this.fetch({ fromMs, toMs: fromMs + WINDOW_AHEAD_MS }, signal);
    } catch (error) {
      if (!(error instanceof FootageUnavailable) || error.kind !== 'no_footage') throw error;
      // A long gap: continue at the next footage, or at now.
      this.knownToMs = Math.max(
        this.knownToMs,
        error.nearestAfterMs !== null && error.nearestAfterMs > fromMs ? error.nearestAfterMs : this.now(),
      );
      return 0;
    }
  }
}
