// Playlists as the server writes them, for tests: two-second fragments, one file per contiguous range.
import { type Window } from '../src/players/FootageFeed';
import { FootageUnavailable } from '../src/players/historyState';

export const FRAGMENT_MS = 2_000;

export function buildPlaylist(starts: number[]): string {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:2', '#EXT-X-MEDIA-SEQUENCE:0'];
  let previous: number | null = null;
  for (const start of starts) {
    const isApart = previous !== null && start !== previous + FRAGMENT_MS;
    if (isApart) lines.push('#EXT-X-DISCONTINUITY');
    if (previous === null || isApart) lines.push('#EXT-X-MAP:URI="init.mp4"');
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(start).toISOString()}`, '#EXTINF:2.000,', `segments/${start}.mp4`);
    previous = start;
  }
  return `${lines.join('\n')}\n`;
}

/** Start times of consecutive fragments from `fromMs` to `toMs`. */
export function fragmentStarts(fromMs: number, toMs: number): number[] {
  return Array.from(
    { length: Math.max(0, Math.ceil((toMs - fromMs) / FRAGMENT_MS)) },
    (_, index) => fromMs + index * FRAGMENT_MS,
  );
}

/** Answers as the server does: the footage in the window, or the nearest footage outside of it. */
export function answerFootage(starts: number[], { fromMs, toMs }: Window): string {
  const inside = starts.filter((start) => start + FRAGMENT_MS > fromMs && start < toMs);
  if (inside.length > 0) return buildPlaylist(inside);
  const before = starts.findLast((start) => start <= fromMs);
  const after = starts.find((start) => start >= toMs);
  throw new FootageUnavailable(
    'no_footage',
    'nothing is recorded there',
    before === undefined ? null : before + FRAGMENT_MS,
    after ?? null,
  );
}
