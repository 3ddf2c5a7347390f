// One attempt to play a recording: the feed that fetches its playlist and the hls.js instance that plays it. It is closed
// and replaced for another window or after an error; HistoryPlayer decides when.
import type { ErrorData } from 'hls.js';
import { createFeedLoader } from './feedLoader';
import { mediaTimeOf, momentAt, type TimedFragment } from './footageClock';
import { FootageFeed, type FeedSource, type Opening } from './FootageFeed';
import type { Place } from './FootagePlaylist';
import { createHls, onHlsError, onHlsTracks, type HlsFactory, type HlsInstance } from './hlsLibrary';
import { bufferBudget, type Speed } from './historyState';

export interface RecordingSource extends FeedSource {
  /** Base address of the fragments in a playlist. */
  playlistUrl: string;
  createHls?: HlsFactory | undefined;
  /** Read when hls.js is created: the speed may change while the playlist is being fetched. */
  getSpeed(): Speed;
}

export interface RecordingListener {
  /** Every error of hls.js, fatal or not. */
  onError(data: ErrorData): void;
  onTracks(hasAudio: boolean): void;
  /** Media time of each drawn frame; never called where the browser lacks requestVideoFrameCallback. */
  onFrame(mediaSeconds: number): void;
}

export class RecordingSession {
  readonly feed: FootageFeed;
  /** Where playback begins. */
  readonly place: Place;
  /** The requested moment lies after all footage. */
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

  /** Loads the recording into `video`. The listener is not called after close(). */
  mount(video: HTMLVideoElement, listener: RecordingListener): void {
    onHlsError(this.hls, (data) => this.isOpen && listener.onError(data));
    onHlsTracks(this.hls, (hasAudio) => this.isOpen && listener.onTracks(hasAudio));
    this.hls.attachMedia(video);
    this.hls.loadSource(this.playlistUrl);
    if (!('requestVideoFrameCallback' in video)) return;
    const onFrame = (_at: number, { mediaTime }: { mediaTime: number }) => {
      if (this.isClosed) return;
      listener.onFrame(mediaTime);
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }

  /** May be called twice. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.hls.destroy();
  }

  /** The fragments with the media times that hls.js measured; empty when closed. */
  get fragments(): readonly TimedFragment[] {
    return this.isClosed ? [] : (this.hls.levels[0]?.details?.fragments ?? []);
  }

  /** The place of a moment in the loaded window; null where another window is needed. */
  find(momentMs: number, side: 'after' | 'before'): Place | null {
    return this.feed.covers(momentMs) ? this.feed.playlist.find(momentMs, side) : null;
  }

  mediaTimeOf(place: Place): number {
    return mediaTimeOf(this.fragments, place.index, place.momentMs) ?? place.mediaSeconds;
  }

  /** The moment at a media time; null outside of the loaded footage. */
  momentAt(mediaSeconds: number): number | null {
    const isInside = mediaSeconds >= 0 && mediaSeconds <= this.feed.playlist.durationSeconds;
    return isInside ? momentAt(this.fragments, mediaSeconds) : null;
  }

  remainingSeconds(video: HTMLVideoElement): number {
    return this.feed.playlist.durationSeconds - video.currentTime;
  }

  setSpeed(speed: Speed): void {
    Object.assign(this.hls.config, bufferBudget(speed));
  }

  recoverMediaError(): void {
    this.hls.recoverMediaError();
  }
}
