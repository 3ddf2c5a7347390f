// Detects playback that stands still or cannot keep the requested speed. Pure: the time is passed in.

/** Playback below this share of the requested speed for KEEPS_UP_AFTER_MS is too slow. */
const KEEPS_UP_SHARE = 0.6;
const KEEPS_UP_AFTER_MS = 6_000;
const STUCK_AFTER_MS = 8_000;

export class RateWatchdog {
  private since = { at: 0, media: 0 };
  private moved = { at: 0, media: 0 };

  /** Restarts the measurement after a seek, a pause or a change of speed. Times in milliseconds, media in seconds. */
  reset(at: number, media: number): void {
    this.since = { at, media };
    this.moved = { at, media };
  }

  /** To be called about twice a second while playback is expected. A verdict other than 'fine' is given once. */
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
