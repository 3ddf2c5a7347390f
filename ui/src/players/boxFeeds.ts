// Where boxes come from: live from the stream of events, recorded from the API, in windows around the moment shown.
import { boxesQuery, fetchBoxes, type BoxesOfEvent } from '../api/detections';
import { EventStream, type ServiceEvent } from '../api/eventStream';
import type { BoxTracks, Sighting } from './boxTracks';

/** Fills the tracks until `close`; `follow` is called with the moment of each picture, null while it is unknown. */
export interface BoxFeed {
  follow(momentMs: number | null): void;
  close(): void;
}

/** Sightings of the past that are kept: the picture over HLS is some seconds behind. */
const KEPT_MS = 30_000;

interface ShownFact {
  at_ms: number;
  detector: string;
  boxes: {
    track: number;
    at_ms: number;
    label: string;
    score: number;
    x: number;
    y: number;
    width: number;
    height: number;
    is_event: boolean;
  }[];
}

/** Takes the boxes of the present. */
export function takeFact(tracks: BoxTracks, event: ServiceEvent): void {
  const fact = event.data as unknown as ShownFact;
  if (event.kind !== 'boxes' || !Array.isArray(fact.boxes)) return;
  for (const { track, at_ms: atMs, label, is_event: isEvent, ...box } of fact.boxes) {
    const seen: Sighting = { atMs, score: box.score, x: box.x, y: box.y, width: box.width, height: box.height };
    tracks.add(`${event.plugin} ${fact.detector} ${track}`, label, [seen], isEvent);
  }
  if (typeof fact.at_ms === 'number') tracks.forgetBefore(fact.at_ms - KEPT_MS);
}

export class LiveBoxes implements BoxFeed {
  private readonly stream: EventStream;

  constructor(deviceId: string, tracks: BoxTracks, onChange: () => void) {
    const take = (event: ServiceEvent) => {
      takeFact(tracks, event);
      onChange();
    };
    this.stream = new EventStream({ onEvent: take, onReset: () => {}, onLive: () => {} }, boxesQuery(deviceId));
    this.stream.open();
  }

  follow(): void {
    // The stream has what is shown.
  }

  close(): void {
    this.stream.close();
  }
}

const WINDOW_MS = 60_000;
/** The next window is loaded when the picture is so near to it. */
const AHEAD_MS = 20_000;
/** The boxes of an event that goes on are stored within this time. */
const SETTLED_MS = 15_000;
/** Pauses between requests of a window that is not settled, or that failed. */
const RETRY_MS = 3_000;
const MOST_WINDOWS = 30;

type Fetch = (startMs: number, endMs: number, signal: AbortSignal) => Promise<BoxesOfEvent[]>;

export class RecordedBoxes implements BoxFeed {
  /** Windows by their number, with the time at which each is to be loaded again; null: never. */
  private readonly windows = new Map<number, number | null>();
  private readonly abort = new AbortController();
  private readonly tracks: BoxTracks;
  private readonly onChange: () => void;
  private readonly fetch: Fetch;
  private readonly now: () => number;

  constructor(
    deviceId: string,
    tracks: BoxTracks,
    onChange: () => void,
    fetch: Fetch = (startMs, endMs, signal) => fetchBoxes(deviceId, startMs, endMs, signal),
    now: () => number = Date.now,
  ) {
    this.tracks = tracks;
    this.onChange = onChange;
    this.fetch = fetch;
    this.now = now;
  }

  follow(momentMs: number | null): void {
    if (momentMs === null) return;
    const current = Math.floor(momentMs / WINDOW_MS);
    this.want(current);
    const next = Math.floor((momentMs + AHEAD_MS) / WINDOW_MS);
    if (next !== current) this.want(next);
  }

  close(): void {
    this.abort.abort();
  }

  private want(number: number): void {
    const due = this.windows.get(number);
    if (due === null || (due !== undefined && due > this.now())) return;
    if (due === undefined && this.windows.size >= MOST_WINDOWS) {
      this.windows.clear();
      this.tracks.clear();
    }
    this.windows.set(number, Infinity);
    void this.load(number);
  }

  private async load(number: number): Promise<void> {
    const [startMs, endMs] = [number * WINDOW_MS, (number + 1) * WINDOW_MS];
    const askedAt = this.now();
    try {
      const found = await this.fetch(startMs, endMs, this.abort.signal);
      for (const { event_id: id, label, boxes } of found) {
        const sightings = boxes.map(([atMs, x, y, width, height, score]) => ({ atMs, x, y, width, height, score }));
        this.tracks.add(String(id), label, sightings);
      }
      this.windows.set(number, askedAt > endMs + SETTLED_MS ? null : this.now() + RETRY_MS);
      this.onChange();
    } catch {
      this.windows.set(number, this.now() + RETRY_MS);
    }
  }
}
