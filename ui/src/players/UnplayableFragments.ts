// The fragments of a recording that cannot be played, and whether a decoder error is the first or a repeated one.
import { keyOf, type FootageEntry, type FootagePlaylist } from './FootagePlaylist';

/** With more unreadable fragments than this, the fault is not in single files. */
const MAX_EXCLUDED = 100;
/** A decoder error this soon after a reset of the decoder is caused by the fragment. */
const REPEATED_WITHIN_MS = 10_000;

export class UnplayableFragments {
  /** Keys of the excluded fragments, as FootageFeed takes them. */
  readonly keys = new Set<string>();
  private mediaErrorAt = Number.NEGATIVE_INFINITY;

  /** Counts a decoder error at `now` (performance.now()); true when the decoder was reset shortly before. */
  isRepeatedMediaError(now: number): boolean {
    const isRepeated = now - this.mediaErrorAt < REPEATED_WITHIN_MS;
    this.mediaErrorAt = isRepeated ? Number.NEGATIVE_INFINITY : now;
    return isRepeated;
  }

  /** Excludes fragment `index`, or the one at `momentMs` when the index is unknown; null when there is none or too many are excluded. */
  exclude(playlist: FootagePlaylist, index: unknown, momentMs: number): FootageEntry | null {
    const failed = typeof index === 'number' ? index : playlist.find(momentMs)?.index;
    const entry = failed === undefined ? undefined : playlist.entries[failed];
    if (!entry || this.keys.size >= MAX_EXCLUDED) return null;
    this.keys.add(keyOf(entry));
    return entry;
  }
}
