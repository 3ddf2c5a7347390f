// Converts media time to wall-clock time and back, with the fragments as hls.js measured them: gaps take
// no time in the media, so the moment follows only from the current fragment.
import { lastAtOrBefore } from './FootagePlaylist';

/** The timing of an hls.js fragment: seconds in the media, milliseconds since 1970. */
export interface TimedFragment {
  start: number;
  duration: number;
  programDateTime: number | null;
  /** hls.js could not load it, and plays on behind it. */
  gap?: boolean;
}

export interface Skip {
  fromMs: number;
  toMs: number;
}

/** Shorter distances between two fragments are normal jitter of the camera. */
export const MIN_SKIP_MS = 1_500;

/** The moment at a media time; null before any fragment is known. */
export function momentAt(fragments: readonly TimedFragment[], mediaSeconds: number): number | null {
  const fragment =
    fragments[
      Math.max(
        0,
        lastAtOrBefore(fragments, ({ start }) => start, mediaSeconds + 0.001),
      )
    ];
  if (!fragment || fragment.programDateTime === null) return null;
  const into = Math.min(Math.max(0, mediaSeconds - fragment.start), fragment.duration);
  return fragment.programDateTime + into * 1000;
}

/** The media time at which fragment `index` shows `momentMs`. */
export function mediaTimeOf(fragments: readonly TimedFragment[], index: number, momentMs: number): number | null {
  const fragment = fragments[index];
  if (!fragment || fragment.programDateTime === null) return null;
  const into = Math.min(
    Math.max(0, (momentMs - fragment.programDateTime) / 1000),
    Math.max(0, fragment.duration - 0.02),
  );
  return fragment.start + into;
}

/** The gap between two media times, when playback crossed one; null without a gap. */
export function skipBehind(fragments: readonly TimedFragment[], fromSeconds: number, toSeconds: number): Skip | null {
  const to = lastAtOrBefore(fragments, ({ start }) => start, toSeconds + 0.001);
  const from = Math.max(
    0,
    lastAtOrBefore(fragments, ({ start }) => start, fromSeconds + 0.001),
  );
  for (let index = to; index > from; index -= 1) {
    const here = fragments[index];
    const before = fragments[index - 1];
    if (!here || !before || here.programDateTime === null || before.programDateTime === null) continue;
    const beforeEndMs = before.programDateTime + before.duration * 1000;
    if (here.programDateTime - beforeEndMs > MIN_SKIP_MS) return { fromMs: beforeEndMs, toMs: here.programDateTime };
  }
  return null;
}

/** The fragments between two media times that hls.js left out because they cannot be loaded; null without any. */
export function leftOutBehind(
  fragments: readonly TimedFragment[],
  fromSeconds: number,
  toSeconds: number,
): Skip | null {
  const isInside = ({ start, duration, gap }: TimedFragment) =>
    gap === true && start + duration > fromSeconds && start < toSeconds;
  const first = fragments.find(isInside);
  const last = fragments.findLast(isInside);
  if (!first || !last || first.programDateTime === null || last.programDateTime === null) return null;
  return { fromMs: first.programDateTime, toMs: last.programDateTime + last.duration * 1000 };
}
