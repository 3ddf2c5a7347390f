// The footage of a contiguous range, joined from the server's playlists window by window. hls.js gets one playlist
// that only grows at its end, so playback continues from window to window without a break.

/** One fragment as the server lists it. */
export interface FootageEntry {
  startMs: number;
  durationMs: number;
  uri: string;
  /** Length and offset in the file, as EXT-X-BYTERANGE has them; null for a whole file. */
  byteRange: string | null;
  /** The line that names its init segment. */
  map: string | null;
  isDiscontinuity: boolean;
}

export interface Place {
  /** Index of the entry, and how far into it. */
  index: number;
  momentMs: number;
  /** Expected media time; hls.js corrects it once it has measured the fragments. */
  mediaSeconds: number;
}

const CONTIGUOUS_WITHIN_MS = 500;

export const keyOf = (entry: FootageEntry): string => `${entry.uri}|${entry.byteRange ?? ''}`;

interface Bytes {
  /** The address without its byte range: equal for fragments of the same file. */
  file: string;
  offset: number;
  size: number;
  build(offset: number, size: number): Pick<FootageEntry, 'uri' | 'byteRange'>;
}

/** The byte range of a fragment, from EXT-X-BYTERANGE or from "offset-size" in its address; null for a whole file. */
function bytesOf({ uri, byteRange }: FootageEntry): Bytes | null {
  if (byteRange) {
    const [size = 0, offset = 0] = byteRange.split('@').map(Number);
    return { file: uri, offset, size, build: (from, length) => ({ uri, byteRange: `${length}@${from}` }) };
  }
  const named = /^(.*\/)(\d+)-(\d+)(\.\w+)$/.exec(uri);
  if (!named) return null;
  const [, folder = '', offset, size, ending = ''] = named;
  const build = (from: number, length: number) => ({ uri: `${folder}${from}-${length}${ending}`, byteRange: null });
  return { file: `${folder}${ending}`, offset: Number(offset), size: Number(size), build };
}

/**
 * The part of `entry` after `last`, where an earlier window had cut the same fragment shorter; null when `entry` is not a longer version of it.
 * Both versions begin at the same byte: a window may end within a fragment, before its next key frame.
 */
function remainderOf(last: FootageEntry, entry: FootageEntry): FootageEntry | null {
  const [known, longer] = [bytesOf(last), bytesOf(entry)];
  if (!known || !longer || known.file !== longer.file || known.offset !== longer.offset || longer.size <= known.size)
    return null;
  const bytes = longer.build(longer.offset + known.size, longer.size - known.size);
  const endMs = last.startMs + last.durationMs;
  const durationMs = entry.startMs + entry.durationMs - endMs;
  return durationMs > 0 ? { ...entry, ...bytes, startMs: endMs, durationMs, isDiscontinuity: false } : null;
}

/** Parses a media playlist; lines that do not describe footage are ignored. */
export function parsePlaylist(text: string): FootageEntry[] {
  const entries: FootageEntry[] = [];
  const nextOffset = new Map<string, number>();
  let map: string | null = null;
  let durationMs = 0;
  let range: string | null = null;
  let startMs: number | null = null;
  let isDiscontinuity = false;
  let isGap = false;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line.startsWith('#EXTINF:')) durationMs = Math.round(Number.parseFloat(line.slice(8)) * 1000);
    else if (line.startsWith('#EXT-X-BYTERANGE:')) range = line.slice(17);
    else if (line.startsWith('#EXT-X-MAP:')) map = line;
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) startMs = Date.parse(line.slice(25));
    else if (line === '#EXT-X-DISCONTINUITY') isDiscontinuity = true;
    else if (line === '#EXT-X-GAP') isGap = true;
    else if (line && !line.startsWith('#')) {
      const last = entries.at(-1);
      const start = startMs ?? (last ? last.startMs + last.durationMs : Number.NaN);
      let byteRange: string | null = null;
      if (range) {
        const [length = '0', offset] = range.split('@');
        const from = offset === undefined ? (nextOffset.get(line) ?? 0) : Number(offset);
        nextOffset.set(line, from + Number(length));
        byteRange = `${length}@${from}`;
      }
      if (!isGap && Number.isFinite(start) && durationMs > 0) {
        entries.push({ startMs: start, durationMs, uri: line, byteRange, map, isDiscontinuity });
        isDiscontinuity = false;
      } else {
        isDiscontinuity = true;
      }
      range = null;
      startMs = null;
      isGap = false;
      durationMs = 0;
    }
  }
  return entries;
}

export class FootagePlaylist {
  readonly entries: FootageEntry[] = [];
  /** The excluded fragments that the server listed. */
  readonly skipped: FootageEntry[] = [];
  /** Grows with every addition. */
  revision = 0;
  private readonly excluded: ReadonlySet<string>;
  private readonly seen = new Set<string>();
  private readonly mediaStarts: number[] = [];
  private totalSeconds = 0;

  /** Fragments whose key is in `excluded` are skipped, as if they were missing. */
  constructor(excluded: ReadonlySet<string> = new Set()) {
    this.excluded = excluded;
  }

  /** Adds the new fragments of a playlist that overlaps or follows the known footage; returns their number. */
  append(text: string): number {
    const countBefore = this.entries.length;
    const knownEndMs = this.endMs;
    let isApart = knownEndMs !== null;
    for (const entry of parsePlaylist(text)) {
      const last = this.entries.at(-1);
      const key = keyOf(entry);
      if (this.seen.has(key)) {
        // From here on the server itself marks what is contiguous.
        isApart = false;
      } else if (this.excluded.has(key)) {
        if (!this.skipped.some((known) => keyOf(known) === key)) this.skipped.push(entry);
        isApart = true;
      } else {
        const rest = last && this.entries.length === countBefore ? remainderOf(last, entry) : null;
        if (rest) {
          this.seen.add(key);
          this.add(rest);
        } else if (
          knownEndMs === null ||
          entry.startMs > knownEndMs - CONTIGUOUS_WITHIN_MS ||
          this.entries.length > countBefore
        ) {
          this.add({ ...entry, isDiscontinuity: last !== undefined && (entry.isDiscontinuity || isApart) });
        }
        isApart = false;
      }
    }
    const added = this.entries.length - countBefore;
    if (added > 0) this.revision += 1;
    return added;
  }

  get startMs(): number | null {
    return this.entries[0]?.startMs ?? null;
  }

  get endMs(): number | null {
    const last = this.entries.at(-1);
    return last ? last.startMs + last.durationMs : null;
  }

  get durationSeconds(): number {
    return this.totalSeconds;
  }

  /** The footage at a moment, or else the next after it ('after') or the last before it ('before'); null without any. */
  find(momentMs: number, side: 'after' | 'before' = 'after'): Place | null {
    let nearest = -1;
    let nearestMs = side === 'after' ? Infinity : -Infinity;
    // Entries are not sorted by time where a clock was set back.
    for (const [index, { startMs, durationMs }] of this.entries.entries()) {
      const endMs = startMs + durationMs;
      if (startMs <= momentMs && momentMs < endMs) return this.placeAt(index, momentMs);
      if (side === 'after' ? startMs > momentMs && startMs < nearestMs : endMs <= momentMs && endMs > nearestMs) {
        nearest = index;
        nearestMs = side === 'after' ? startMs : endMs;
      }
    }
    const entry = this.entries[nearest];
    if (!entry) return null;
    return this.placeAt(nearest, side === 'after' ? entry.startMs : entry.startMs + Math.max(0, entry.durationMs - 40));
  }

  /** Everything as one playlist without an end tag: later footage is appended. */
  render(): string {
    const longest = this.entries.reduce((most, entry) => Math.max(most, entry.durationMs), 1000);
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      `#EXT-X-TARGETDURATION:${Math.ceil(longest / 1000)}`,
      '#EXT-X-MEDIA-SEQUENCE:0',
      '#EXT-X-PLAYLIST-TYPE:EVENT',
    ];
    let map: string | null = null;
    this.entries.forEach((entry, index) => {
      if (entry.isDiscontinuity && index > 0) lines.push('#EXT-X-DISCONTINUITY');
      if (entry.map && (entry.map !== map || entry.isDiscontinuity)) lines.push(entry.map);
      map = entry.map;
      lines.push(
        `#EXT-X-PROGRAM-DATE-TIME:${new Date(entry.startMs).toISOString()}`,
        `#EXTINF:${(entry.durationMs / 1000).toFixed(3)},`,
      );
      if (entry.byteRange) lines.push(`#EXT-X-BYTERANGE:${entry.byteRange}`);
      lines.push(entry.uri);
    });
    return `${lines.join('\n')}\n`;
  }

  private add(entry: FootageEntry): void {
    this.seen.add(keyOf(entry));
    this.mediaStarts.push(this.totalSeconds);
    this.totalSeconds += entry.durationMs / 1000;
    this.entries.push(entry);
  }

  private placeAt(index: number, momentMs: number): Place {
    const entry = this.entries[index];
    const start = this.mediaStarts[index];
    if (!entry || start === undefined) throw new RangeError(`there is no fragment ${index}`);
    return { index, momentMs, mediaSeconds: start + (momentMs - entry.startMs) / 1000 };
  }
}

/** Index of the last of `items`, sorted by `valueOf`, whose value is at most `limit`; -1 when there is none. */
export function lastAtOrBefore<T>(items: readonly T[], valueOf: (item: T) => number, limit: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueOf(items[middle] as T) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
