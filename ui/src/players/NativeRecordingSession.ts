// One attempt to play a recording by the browser itself, where hls.js cannot run: the element loads the playlist of a window from
// the server; the same window is fetched here as well, to know which moment is at which media time.
import type { ErrorData } from 'hls.js';
import { mediaTimeOf, momentAt, type TimedFragment } from './footageClock';
import { FootageFeed, type Opening, type Window } from './FootageFeed';
import type { FootageEntry, Place } from './FootagePlaylist';
import { followFrames, type FootageSession, type RecordingListener, type RecordingSource } from './FootageSession';
import { FootageUnavailable } from './historyState';
import { onHlsError, onHlsTracks, type HlsInstance } from './hlsLibrary';
import { NativeHls } from './NativeHls';
import { NativeTimeline } from './NativeTimeline';
import { currentDateMs } from './nativeVideo';

export class NativeRecordingSession implements FootageSession {
  readonly feed: FootageFeed;
  readonly place: Place;
  readonly isPastEnd: boolean;
  private readonly source: RecordingSource;
  private readonly window: Window;
  private readonly timeline = new NativeTimeline();
  /** Index of the first entry of the feed that the window has. */
  private readonly first: number;
  private revision = -1;
  private hls: NativeHls | null = null;
  private video: HTMLVideoElement | null = null;
  private readonly abort = new AbortController();
  private isClosed = false;

  private constructor(source: RecordingSource, { feed, place, isPastEnd }: Opening) {
    this.source = source;
    this.feed = feed;
    this.place = place;
    this.isPastEnd = isPastEnd;
    this.window = feed.playableAround(place);
    this.first = feed.playlist.entries.findIndex((entry) => entry.startMs + entry.durationMs > this.window.fromMs);
    this.measure();
  }

  /** Throws FootageUnavailable. */
  static async open(
    source: RecordingSource,
    momentMs: number,
    side: 'after' | 'before',
    signal: AbortSignal,
  ): Promise<NativeRecordingSession> {
    return new NativeRecordingSession(source, await FootageFeed.open(source, momentMs, side, signal));
  }

  get isOpen(): boolean {
    return !this.isClosed;
  }

  mount(video: HTMLVideoElement, listener: RecordingListener): void {
    const hls = new NativeHls({ startPosition: this.mediaTimeOf(this.place) });
    this.hls = hls;
    this.video = video;
    onHlsError(hls as unknown as HlsInstance, (data) => void this.explain(data, listener));
    onHlsTracks(hls as unknown as HlsInstance, (hasAudio) => this.isOpen && listener.onTracks(hasAudio));
    hls.attachMedia(video);
    const onEnded = () => listener.onPlayed(this.endMs);
    video.addEventListener('ended', onEnded, { signal: this.abort.signal });
    hls.loadSource(this.source.addressOf(this.window));
    followFrames(
      video,
      () => this.isOpen,
      (mediaSeconds) => listener.onFrame(mediaSeconds),
    );
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.abort.abort();
    this.hls?.destroy();
  }

  get fragments(): readonly TimedFragment[] {
    return this.isClosed ? [] : this.measure();
  }

  find(momentMs: number, side: 'after' | 'before'): Place | null {
    if (!this.feed.covers(momentMs)) return null;
    const place = this.feed.playlist.find(momentMs, side);
    const isPlayable = place !== null && place.index >= this.first && place.index - this.first < this.measure().length;
    return isPlayable ? place : null;
  }

  private mediaTimeOf({ index, momentMs }: Place): number {
    return mediaTimeOf(this.measure(), index - this.first, momentMs) ?? 0;
  }

  seekTo(_video: HTMLVideoElement, place: Place): void {
    this.hls?.seekTo(this.mediaTimeOf(place));
  }

  momentAt(mediaSeconds: number): number | null {
    const isInside = mediaSeconds >= 0 && mediaSeconds <= this.timeline.durationSeconds;
    return isInside ? momentAt(this.measure(), mediaSeconds) : null;
  }

  remainingSeconds(video: HTMLVideoElement): number {
    this.measure();
    return this.timeline.durationSeconds - video.currentTime;
  }

  keepAhead(remainingSeconds: number, speed: number, signal: AbortSignal): void {
    // A window in the past has its end; one that is still being recorded grows here as it does in the element.
    if (this.isGrowing) this.feed.keepAhead(remainingSeconds, speed, signal);
  }

  setSpeed(): void {
    // The element decides itself how much it buffers.
  }

  recoverMediaError(): void {
    this.hls?.recoverMediaError();
  }

  private get isGrowing(): boolean {
    return this.window.toMs > (this.source.now ?? Date.now)();
  }

  private get endMs(): number {
    const last = this.playable().at(-1);
    return last ? last.startMs + last.durationMs : this.window.toMs;
  }

  private playable(): FootageEntry[] {
    return this.feed.playlist.entries.slice(this.first).filter(({ startMs }) => startMs < this.window.toMs);
  }

  private measure(): readonly TimedFragment[] {
    const { timeline, video } = this;
    const { revision } = this.feed.playlist;
    if (revision !== this.revision) timeline.extend(this.playable());
    this.revision = revision;
    const dateMs = video && video.readyState > 1 && !video.seeking ? currentDateMs(video) : null;
    if (video && dateMs !== null) timeline.align(video.currentTime, dateMs);
    return timeline.fragments;
  }

  /** The element does not say what the server answered: asks the server for the same playlist. */
  private async explain(data: ErrorData, listener: RecordingListener): Promise<void> {
    try {
      await this.source.fetchPlaylist(this.window, this.abort.signal);
    } catch (error) {
      if (this.isClosed) return;
      if (!(error instanceof FootageUnavailable)) listener.onLoss(new FootageUnavailable('network', String(error)));
      else if (error.kind === 'no_footage')
        listener.onError({ ...data, type: 'networkError', response: { code: 404 } } as ErrorData);
      else listener.onLoss(error);
      return;
    }
    if (!this.isClosed) listener.onError({ ...data, type: 'mediaError' } as ErrorData);
  }
}
