// One attempt to play a recording: the feed that fetches its playlist and the hls.js instance that plays it. It is closed
// and replaced for another window or after an error; HistoryPlayer decides when.
import { createFeedLoader } from './feedLoader';
import { mediaTimeOf, momentAt, type TimedFragment } from './footageClock';
import { FootageFeed, type Opening } from './FootageFeed';
import type { Place } from './FootagePlaylist';
import { followFrames, type FootageSession, type RecordingListener, type RecordingSource } from './FootageSession';
import { createHls, onHlsError, onHlsTracks, type HlsInstance } from './hlsLibrary';
import { bufferBudget, type Speed } from './historyState';

export class RecordingSession implements FootageSession {
  readonly feed: FootageFeed;
  readonly place: Place;
  readonly isPastEnd: boolean;
  private readonly hls: HlsInstance;
  private readonly playlistUrl: string;
  private isClosed = false;

  private constructor({ feed, place, isPastEnd }: Opening, hls: HlsInstance, playlistUrl: string) {
    this.feed = feed;
    this.place = place;
    this.isPastEnd = isPastEnd;
    this.hls = hls;
    this.playlistUrl = playlistUrl;
  }

  /** Throws FootageUnavailable or HlsUnsupported. */
  static async open(
    source: RecordingSource,
    momentMs: number,
    side: 'after' | 'before',
    signal: AbortSignal,
  ): Promise<RecordingSession> {
    const opening = await FootageFeed.open(source, momentMs, side, signal);
    const hls = await (source.createHls ?? createHls)({
      ...bufferBudget(source.getSpeed()),
      pLoader: createFeedLoader(opening.feed, source.playlistUrl) as never,
      startPosition: opening.place.mediaSeconds,
      enableWorker: false,
      lowLatencyMode: false,
      maxBufferHole: 0.6,
      nudgeMaxRetry: 6,
    });
    return new RecordingSession(opening, hls, source.playlistUrl);
  }

  get isOpen(): boolean {
    return !this.isClosed;
  }

  mount(video: HTMLVideoElement, listener: RecordingListener): void {
    onHlsError(this.hls, (data) => this.isOpen && listener.onError(data));
    onHlsTracks(this.hls, (hasAudio) => this.isOpen && listener.onTracks(hasAudio));
    this.hls.attachMedia(video);
    this.hls.loadSource(this.playlistUrl);
    followFrames(
      video,
      () => this.isOpen,
      (mediaSeconds) => listener.onFrame(mediaSeconds),
    );
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.hls.destroy();
  }

  /** The fragments with the media times that hls.js measured; empty when closed. */
  get fragments(): readonly TimedFragment[] {
    return this.isClosed ? [] : (this.hls.levels[0]?.details?.fragments ?? []);
  }

  find(momentMs: number, side: 'after' | 'before'): Place | null {
    return this.feed.covers(momentMs) ? this.feed.playlist.find(momentMs, side) : null;
  }

  seekTo(video: HTMLVideoElement, { index, momentMs, mediaSeconds }: Place): void {
    video.currentTime = mediaTimeOf(this.fragments, index, momentMs) ?? mediaSeconds;
  }

  momentAt(mediaSeconds: number): number | null {
    const isInside = mediaSeconds >= 0 && mediaSeconds <= this.feed.playlist.durationSeconds;
    return isInside ? momentAt(this.fragments, mediaSeconds) : null;
  }

  remainingSeconds(video: HTMLVideoElement): number {
    return this.feed.playlist.durationSeconds - video.currentTime;
  }

  keepAhead(remainingSeconds: number, speed: number, signal: AbortSignal): void {
    this.feed.keepAhead(remainingSeconds, speed, signal);
  }

  setSpeed(speed: Speed): void {
    Object.assign(this.hls.config, bufferBudget(speed));
  }

  recoverMediaError(): void {
    this.hls.recoverMediaError();
  }
}
