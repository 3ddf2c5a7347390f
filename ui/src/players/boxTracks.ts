// Boxes of objects by capture time: what is to be drawn over the picture of a moment. Pure; times are passed in.

/** A box in parts of the picture, from its upper left corner. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Sighting extends Box {
  /** Capture time in milliseconds since 1970. */
  atMs: number;
  score: number;
}

export interface ShownBox extends Box {
  key: string;
  label: string;
  score: number;
  /** Whether it is an event, not only an object that is known. */
  isEvent: boolean;
}

interface Track {
  label: string;
  isEvent: boolean;
  sightings: Sighting[];
}

/** Between two sightings the box moves evenly, unless they are further apart. */
const MAX_GAP_MS = 2_500;
/** Motion is measured over at least this time, where there are sightings. */
const MOTION_MS = 600;

export class BoxTracks {
  private readonly tracks = new Map<string, Track>();

  /** The capture time of the newest sighting; null without any. */
  get newestMs(): number | null {
    let newest: number | null = null;
    for (const { sightings } of this.tracks.values()) {
      const last = sightings.at(-1);
      if (last && (newest === null || last.atMs > newest)) newest = last.atMs;
    }
    return newest;
  }

  /** Adds sightings of an object; those of a time that is known are replaced. */
  add(key: string, label: string, sightings: readonly Sighting[], isEvent = true): void {
    const track = this.tracks.get(key) ?? { label, isEvent, sightings: [] };
    track.label = label;
    track.isEvent = isEvent;
    this.tracks.set(key, track);
    for (const seen of sightings) {
      let at = track.sightings.length;
      while (at > 0 && (track.sightings[at - 1] as Sighting).atMs > seen.atMs) at -= 1;
      const isKnown = at > 0 && (track.sightings[at - 1] as Sighting).atMs === seen.atMs;
      track.sightings.splice(isKnown ? at - 1 : at, isKnown ? 1 : 0, seen);
    }
  }

  /** Objects that are no longer seen are not drawn any more. */
  keepOnly(isKept: (key: string) => boolean): void {
    for (const key of this.tracks.keys()) if (!isKept(key)) this.tracks.delete(key);
  }

  forgetBefore(momentMs: number): void {
    for (const [key, track] of this.tracks) {
      const from = track.sightings.findIndex(({ atMs }) => atMs >= momentMs);
      if (from < 0) this.tracks.delete(key);
      else track.sightings.splice(0, from);
    }
  }

  clear(): void {
    this.tracks.clear();
  }

  /**
   * The boxes of a moment. After its last sighting an object goes on as it moved, for `aheadMs`: live, the picture is
   * ahead of what detectors have seen.
   */
  at(momentMs: number, aheadMs: number): ShownBox[] {
    const shown: ShownBox[] = [];
    for (const [key, { label, isEvent, sightings }] of this.tracks) {
      const box = boxAt(sightings, momentMs, aheadMs);
      if (box) shown.push({ key, label, isEvent, ...box });
    }
    return shown;
  }
}

function boxAt(sightings: readonly Sighting[], momentMs: number, aheadMs: number): (Box & { score: number }) | null {
  let low = 0;
  let high = sightings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sightings[middle] as Sighting).atMs <= momentMs) low = middle + 1;
    else high = middle;
  }
  const before = sightings[low - 1];
  const after = sightings[low];
  if (!before) return null;
  if (after && after.atMs - before.atMs <= MAX_GAP_MS) {
    return blend(before, after, (momentMs - before.atMs) / (after.atMs - before.atMs));
  }
  const goneMs = momentMs - before.atMs;
  if (goneMs > aheadMs) return null;
  // Without the next sighting, the motion of the last ones goes on.
  let first = low - 1;
  while (first > 0 && before.atMs - (sightings[first] as Sighting).atMs < MOTION_MS) first -= 1;
  const origin = sightings[first] as Sighting;
  const span = before.atMs - origin.atMs;
  if (span <= 0 || span > MAX_GAP_MS) return before;
  const { x, y, width, height } = blend(origin, before, 1 + goneMs / span);
  // It moves on, but keeps its size: a box that is cut off by the edge would shrink to nothing.
  return {
    x: x + (width - before.width) / 2,
    y: y + (height - before.height) / 2,
    width: before.width,
    height: before.height,
    score: before.score,
  };
}

function blend(a: Sighting, b: Sighting, part: number): Box & { score: number } {
  const of = (from: number, to: number) => from + (to - from) * part;
  return {
    x: of(a.x, b.x),
    y: of(a.y, b.y),
    width: of(a.width, b.width),
    height: of(a.height, b.height),
    score: b.score,
  };
}
