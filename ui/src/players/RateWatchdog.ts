// Tells playback that stands still, or that cannot keep the speed it was asked for. Pure: time comes in through the door.

/** Slower than this share of the speed for so long is too slow. */
const KEEPS_UP_SHARE = 0.6;
const KEEPS_UP_AFTER_MS = 6_000;
const STUCK_AFTER_MS = 8_000;

export class RateWatchdog {
  private since = { at: 0, media: 0 };
  private moved = { at: 0, media: 0 };

  /** Begins anew: after a seek, a pause, another speed. Times in milliseconds, media in seconds. */
  reset(at: number, media: number): void {
    this.since = { at, media };
    this.moved = { at, media };
  }

  /** To be asked about twice a second while it should play. A verdict other than 'fine' is given once. */
  judge(at: number, media: number, speed: number): 'fine' | 'stuck' | 'slow' {
    if (Math.abs(media - this.moved.media) > 0.01) this.moved = { at, media };
    else if (at - this.moved.at > STUCK_AFTER_MS) {
      this.reset(at, media);
      return 'stuck';
    }
    const elapsed = at - this.since.at;
    if (elapsed < KEEPS_UP_AFTER_MS) return 'fine';
    const share = ((media - this.since.media) * 1000) / elapsed / speed;
    this.since = { at, media };
    return share < KEEPS_UP_SHARE ? 'slow' : 'fine';
  }
}
