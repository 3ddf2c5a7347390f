// The moment of the recording that is on the screen, and its listeners. No DOM: media times are passed in.
import { leftOutBehind, momentAt, skipBehind, type Skip, type TimedFragment } from './footageClock';

/** While playing, listeners are called at most this often. */
const MOMENT_INTERVAL_MS = 200;

export interface ShownFrame {
  momentMs: number;
  /** The footage that was missing between the previous frame and this one. */
  skip: Skip | null;
  /** It exists, but could not be read. */
  isUnreadable: boolean;
}

export class MomentTracker {
  private momentMs: number | null = null;
  private readonly listeners = new Set<() => void>();
  private reportedAt = 0;
  /** Media time of the previous frame; null when no frame has been shown since the last seek. */
  private lastMediaSeconds: number | null = null;

  get = (): number | null => this.momentMs;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  report(momentMs: number): void {
    this.reportedAt = performance.now();
    if (this.momentMs === momentMs) return;
    this.momentMs = momentMs;
    for (const listener of this.listeners) listener();
  }

  get isReportDue(): boolean {
    return performance.now() - this.reportedAt >= MOMENT_INTERVAL_MS;
  }

  /** After a seek: the next frame is not compared with the previous one. */
  restart(): void {
    this.lastMediaSeconds = null;
  }

  /** Forgets the moment without calling the listeners. */
  clear(): void {
    this.momentMs = null;
  }

  /** Takes the media time of the frame on the screen; null as long as its moment is unknown. */
  advance(fragments: readonly TimedFragment[], mediaSeconds: number, speed: number): ShownFrame | null {
    const before = this.lastMediaSeconds;
    this.lastMediaSeconds = mediaSeconds;
    const momentMs = momentAt(fragments, mediaSeconds);
    if (momentMs === null) return null;
    const isNext = before !== null && mediaSeconds > before && mediaSeconds - before < 2 * speed;
    const leftOut = before !== null && mediaSeconds > before ? leftOutBehind(fragments, before, mediaSeconds) : null;
    const skip = leftOut ?? (isNext ? skipBehind(fragments, before, mediaSeconds) : null);
    return { momentMs, skip, isUnreadable: leftOut !== null };
  }
}
