// The media times of footage that the browser plays by itself: the durations of its playlist one after another, corrected by the
// wall clock that the element tells. Pure.
import { lastAtOrBefore, type FootageEntry } from './FootagePlaylist';
import type { TimedFragment } from './footageClock';

/** Smaller differences are rounding. */
const MIN_SHIFT_SECONDS = 0.02;
/** A larger one is no measured duration, but a clock that means something else. */
const MAX_SHIFT_SECONDS = 5;

export class NativeTimeline {
  readonly fragments: TimedFragment[] = [];

  get durationSeconds(): number {
    const last = this.fragments.at(-1);
    return last ? last.start + last.duration : 0;
  }

  /** Takes the entries of a playlist that only grows; those known are kept as they were measured. */
  extend(entries: readonly FootageEntry[]): void {
    for (const { startMs, durationMs } of entries.slice(this.fragments.length)) {
      this.fragments.push({ start: this.durationSeconds, duration: durationMs / 1000, programDateTime: startMs });
    }
  }

  /** Takes a measurement: at `mediaSeconds` the element shows `momentMs`. Moves the fragment there and those after it. */
  align(mediaSeconds: number, momentMs: number): void {
    const near = lastAtOrBefore(this.fragments, ({ start }) => start, mediaSeconds + 0.001);
    for (const index of [near, near + 1, near - 1]) {
      const fragment = this.fragments[index];
      if (!fragment || fragment.programDateTime === null) continue;
      const into = (momentMs - fragment.programDateTime) / 1000;
      if (into < 0 || into >= fragment.duration) continue;
      const shift = mediaSeconds - into - fragment.start;
      const previous = this.fragments[index - 1];
      const isPossible =
        Math.abs(shift) <= MAX_SHIFT_SECONDS && fragment.start + shift > (previous?.start ?? -Infinity);
      if (isPossible && Math.abs(shift) >= MIN_SHIFT_SECONDS)
        for (const later of this.fragments.slice(index)) later.start += shift;
      return;
    }
  }
}
