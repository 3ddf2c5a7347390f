// The footage of one stretch of time, put together from the server's playlists window by window. hls.js is given one
// playlist that only ever grows at its end, so playback goes from window to window without a break.

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
  /** Where hls.js has it on the media's own clock, as long as it has not measured better. */
  mediaSeconds: number;
}

const CONTIGUOUS_WITHIN_MS = 500;

const keyOf = (entry: FootageEntry): string => `${entry.uri}|${entry.byteRange ?? ''}`;

/** Reads a media playlist. Lines that say nothing about footage are passed over. */
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
    if (line.startsWith('#EXTINF:')) durationMs = Number.parseFloat(line.slice(8)) * 1000;
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
  /** Changes whenever something was added. */
  revision = 0;
  private readonly seen = new Set<string>();
  private readonly mediaStarts: number[] = [];
  private totalSeconds = 0;

  /** Adds what is new in a playlist of the same device; answers how many fragments that was. */
  append(text: string): number {
    let added = 0;
    for (const entry of parsePlaylist(text)) {
      const key = keyOf(entry);
      const last = this.entries.at(-1);
      if (this.seen.has(key) || (last && entry.startMs < last.startMs)) continue;
      const isApart = last !== undefined && Math.abs(entry.startMs - last.startMs - last.durationMs) > CONTIGUOUS_WITHIN_MS;
      this.seen.add(key);
      this.mediaStarts.push(this.totalSeconds);
      this.totalSeconds += entry.durationMs / 1000;
      this.entries.push(last ? { ...entry, isDiscontinuity: entry.isDiscontinuity || isApart } : entry);
      added += 1;
    }
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

  /** The footage at a moment, or else the next after it ('after') or the last before it ('before'); null when there is none. */
  find(momentMs: number, side: 'after' | 'before' = 'after'): Place | null {
    const index = lastAtOrBefore(this.entries, (entry) => entry.startMs, momentMs);
    const entry = this.entries[index];
    if (entry && momentMs < entry.startMs + entry.durationMs) return this.placeAt(index, momentMs);
    if (side === 'before') return entry ? this.placeAt(index, entry.startMs + Math.max(0, entry.durationMs - 40)) : null;
    const next = this.entries[index + 1];
    return next ? this.placeAt(index + 1, next.startMs) : null;
  }

  /** The whole as one playlist without an end: what comes is appended. */
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
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(entry.startMs).toISOString()}`, `#EXTINF:${(entry.durationMs / 1000).toFixed(3)},`);
      if (entry.byteRange) lines.push(`#EXT-X-BYTERANGE:${entry.byteRange}`);
      lines.push(entry.uri);
    });
    return `${lines.join('\n')}\n`;
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
