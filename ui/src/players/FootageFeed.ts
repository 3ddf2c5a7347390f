// Fetches the footage around a moment, window by window, and puts it together as one playlist that grows.
import { FootagePlaylist, type Place } from './FootagePlaylist';
import { FootageUnavailable } from './historyState';

export interface Window {
  fromMs: number;
  toMs: number;
}

export type FetchPlaylist = (window: Window, signal: AbortSignal) => Promise<string>;

/** Where to begin, and whether the moment asked for lies after all that is recorded. */
export interface Opening {
  feed: FootageFeed;
  place: Place;
  isPastEnd: boolean;
}

/** A window reaches a little back, so that small steps backwards need no other, and far enough ahead. */
export const WINDOW_BEFORE_MS = 10 * 60_000;
export const WINDOW_AHEAD_MS = 60 * 60_000;
/** The store is this far behind the clock on the wall, at most, while all is well. */
const STORE_DELAY_MS = 10_000;
const MOST_JUMPS = 4;

export class FootageFeed {
  readonly playlist = new FootagePlaylist();
  private readonly fetchPlaylist: FetchPlaylist;
  private readonly now: () => number;
  private fromMs = 0;
  /** Up to here it is known what there is and what there is not. */
  private knownToMs = 0;
  private readonly waiting = new Set<() => void>();
  private extending: Promise<number> | null = null;

  private constructor(fetchPlaylist: FetchPlaylist, now: () => number) {
    this.fetchPlaylist = fetchPlaylist;
    this.now = now;
  }

  /** Throws FootageUnavailable: of kind 'no_footage' where nothing is recorded on either side. */
  static async open(
    fetchPlaylist: FetchPlaylist,
    momentMs: number,
    side: 'after' | 'before',
    signal: AbortSignal,
    now: () => number = Date.now,
  ): Promise<Opening> {
    let wantedMs = momentMs;
    let wantedSide = side;
    let isPastEnd = false;
    for (let jump = 0; jump < MOST_JUMPS; jump += 1) {
      const feed = new FootageFeed(fetchPlaylist, now);
      try {
        await feed.fetch({ fromMs: wantedMs - WINDOW_BEFORE_MS, toMs: wantedMs + WINDOW_AHEAD_MS }, signal);
        const place = feed.playlist.find(wantedMs, wantedSide);
        if (place) return { feed, place, isPastEnd };
        // All of it lies on the other side: look further on this one, or let the server say where there is something.
        if (wantedSide === 'after') {
          await feed.fetch({ fromMs: feed.knownToMs, toMs: feed.knownToMs + WINDOW_AHEAD_MS }, signal);
          const further = feed.playlist.find(wantedMs, 'after');
          if (further) return { feed, place: further, isPastEnd };
          throw new FootageUnavailable('no_footage', 'nothing is recorded there', feed.playlist.endMs);
        }
        const earlier = new FootageFeed(fetchPlaylist, now);
        await earlier.fetch({ fromMs: feed.fromMs - WINDOW_AHEAD_MS, toMs: feed.fromMs }, signal);
        wantedMs = (earlier.playlist.endMs ?? feed.fromMs) - 1;
      } catch (error) {
        if (!(error instanceof FootageUnavailable) || error.kind !== 'no_footage') throw error;
        const [near, far] = wantedSide === 'after' ? [error.nearestAfterMs, error.nearestBeforeMs] : [error.nearestBeforeMs, error.nearestAfterMs];
        const isBeyond = near === null || (wantedSide === 'after' ? near < wantedMs : near > wantedMs);
        if (!isBeyond) wantedMs = near;
        else if (far !== null && far !== wantedMs) {
          isPastEnd = wantedSide === 'after';
          wantedSide = wantedSide === 'after' ? 'before' : 'after';
          wantedMs = far;
        } else throw error;
      }
    }
    throw new FootageUnavailable('no_footage', 'nothing is recorded there');
  }

  /** Whether a moment lies where it is known what there is. */
  covers(momentMs: number): boolean {
    return momentMs >= this.fromMs && momentMs < this.knownToMs;
  }

  /** Everything up to now is known: what comes next is still being recorded. */
  get isAtTail(): boolean {
    return this.knownToMs >= this.now() - STORE_DELAY_MS;
  }

  /** Fetches what follows; answers how many fragments were new. Calls while one is under way join it. */
  extend(signal: AbortSignal): Promise<number> {
    this.extending ??= this.fetchNext(signal).finally(() => {
      this.extending = null;
    });
    return this.extending;
  }

  /** Calls `act` once the playlist has changed since `revision`; returns what takes that back. */
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
    const askedAt = this.now();
    const added = this.playlist.append(await this.fetchPlaylist(window, signal));
    const knownTo = Math.min(window.toMs, Math.max(askedAt - STORE_DELAY_MS / 2, this.playlist.endMs ?? 0));
    this.fromMs = this.knownToMs === 0 ? window.fromMs : Math.min(this.fromMs, window.fromMs);
    this.knownToMs = Math.max(this.knownToMs, knownTo);
    if (added > 0) for (const check of [...this.waiting]) check();
    return added;
  }

  private async fetchNext(signal: AbortSignal): Promise<number> {
    const endMs = this.playlist.endMs ?? this.knownToMs;
    // From inside the last fragment, so that the server itself says whether what follows is contiguous.
    const fromMs = this.knownToMs - endMs > STORE_DELAY_MS && !this.isAtTail ? this.knownToMs : endMs - 1;
    try {
      return await this.fetch({ fromMs, toMs: fromMs + WINDOW_AHEAD_MS }, signal);
    } catch (error) {
      if (!(error instanceof FootageUnavailable) || error.kind !== 'no_footage') throw error;
      // Nothing for long: on to where there is something, or up to now.
      this.knownToMs = Math.max(this.knownToMs, error.nearestAfterMs !== null && error.nearestAfterMs > fromMs ? error.nearestAfterMs : this.now());
      return 0;
    }
  }
}
