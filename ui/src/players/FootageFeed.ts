// Fetches the footage around a moment, window by window, and puts it together as one playlist that grows.
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

/** Where to begin, and whether the moment asked for lies after all that is recorded. */
export interface Opening {
  feed: FootageFeed;
  place: Place;
  isPastEnd: boolean;
}

/** A window reaches a little back, so that small steps backwards need no other, and far enough ahead. */
export const WINDOW_BEFORE_MS = 10 * 60_000;
export const WINDOW_AHEAD_MS = 60 * 60_000;
/** Footage can be played this long after it was filmed, while all is well: files, index and key frames take their time. */
export const STORE_DELAY_MS = 15_000;
/** Everything up to so long ago is known: the tail. */
const TAIL_MS = 20_000;
/** The end of what is known comes closer than this: what follows is fetched. */
const EXTEND_BELOW_SECONDS = 45;
/** New footage is asked for no more often than this while it is being recorded. */
const TAIL_INTERVAL_MS = 2_000;
const MAX_JUMPS = 4;

export class FootageFeed {
  readonly playlist: FootagePlaylist;
  private readonly fetchPlaylist: FetchPlaylist;
  private readonly now: () => number;
  private fromMs = 0;
  /** Up to here it is known what there is and what there is not. */
  private knownToMs = 0;
  private readonly waiting = new Set<() => void>();
  /** When something new was found, in milliseconds of `now`. */
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
    let wantedMs = momentMs;
    let wantedSide = side;
    let isPastEnd = false;
    for (let jump = 0; jump < MAX_JUMPS; jump += 1) {
      const feed = new FootageFeed(source);
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
        const earlier = new FootageFeed(source);
        await earlier.fetch({ fromMs: feed.fromMs - WINDOW_AHEAD_MS, toMs: feed.fromMs }, signal);
        wantedMs = (earlier.playlist.endMs ?? feed.fromMs) - 1;
      } catch (error) {
        if (!(error instanceof FootageUnavailable) || error.kind !== 'no_footage') throw error;
        const [near, far] =
          wantedSide === 'after'
            ? [error.nearestAfterMs, error.nearestBeforeMs]
            : [error.nearestBeforeMs, error.nearestAfterMs];
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
    return this.knownToMs >= this.now() - TAIL_MS;
  }

  /** To be called about twice a second with the seconds that are left to play: fetches what follows before they are over. */
  keepAhead(remainingSeconds: number, speed: number, signal: AbortSignal): void {
    const now = this.now();
    const interval = this.isAtTail ? TAIL_INTERVAL_MS : 0;
    if (remainingSeconds > EXTEND_BELOW_SECONDS * Math.max(1, speed) || now - this.extendedAt < interval) return;
    this.extendedAt = now;
    // What fails is asked for again shortly; what is at hand plays on meanwhile.
    this.extend(signal).catch(() => {});
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
    const knownTo = Math.min(window.toMs, Math.max(askedAt - STORE_DELAY_MS, this.playlist.endMs ?? 0));
    this.fromMs = this.knownToMs === 0 ? window.fromMs : Math.min(this.fromMs, window.fromMs);
    this.knownToMs = Math.max(this.knownToMs, knownTo);
    if (added > 0) this.grewAt = this.now();
    if (added > 0) for (const check of [...this.waiting]) check();
    return added;
  }

  private async fetchNext(signal: AbortSignal): Promise<number> {
    const last = this.playlist.entries.at(-1);
    const endMs = this.playlist.endMs ?? this.knownToMs;
    // From the last fragment on, so that the server itself says whether what follows is contiguous.
    const fromMs =
      last && (this.knownToMs - endMs <= STORE_DELAY_MS || this.isAtTail) ? last.startMs + 1 : this.knownToMs;
    try {
      return await this.fetch({ fromMs, toMs: fromMs + WINDOW_AHEAD_MS }, signal);
    } catch (error) {
      if (!(error instanceof FootageUnavailable) || error.kind !== 'no_footage') throw error;
      // Nothing for long: on to where there is something, or up to now.
      this.knownToMs = Math.max(
        this.knownToMs,
        error.nearestAfterMs !== null && error.nearestAfterMs > fromMs ? error.nearestAfterMs : this.now(),
      );
      return 0;
    }
  }
}
