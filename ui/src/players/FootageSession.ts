// The form of one attempt to play a recording, which HistoryPlayer opens, closes and replaces: by hls.js, or by the browser itself.
import type { ErrorData } from 'hls.js';
import type { TimedFragment } from './footageClock';
import type { FeedSource, FootageFeed, Window } from './FootageFeed';
import type { Place } from './FootagePlaylist';
import type { HlsFactory } from './hlsLibrary';
import type { FootageUnavailable, Speed } from './historyState';

export interface RecordingSource extends FeedSource {
  /** Base address of the fragments in a playlist. */
  playlistUrl: string;
  /** Address of the playlist of a window. */
  addressOf(window: Window): string;
  createHls?: HlsFactory | undefined;
  /** Read when hls.js is created: the speed may change while the playlist is being fetched. */
  getSpeed(): Speed;
}

export interface RecordingListener {
  /** Every error of hls.js, fatal or not. */
  onError(data: ErrorData): void;
  /** The server no longer gives the footage. */
  onLoss(loss: FootageUnavailable): void;
  onTracks(hasAudio: boolean): void;
  /** Media time of each drawn frame; never called where the browser lacks requestVideoFrameCallback. */
  onFrame(mediaSeconds: number): void;
  /** Everything that this attempt can play is played, up to a moment; later footage needs another one. */
  onPlayed(endMs: number): void;
}

export interface FootageSession {
  readonly feed: FootageFeed;
  /** Where playback begins. */
  readonly place: Place;
  /** The requested moment lies after all footage. */
  readonly isPastEnd: boolean;
  readonly isOpen: boolean;
  /** The fragments with their media times; empty when closed. */
  readonly fragments: readonly TimedFragment[];
  /** Loads the recording into `video`. The listener is not called after close(). */
  mount(video: HTMLVideoElement, listener: RecordingListener): void;
  /** May be called twice. */
  close(): void;
  /** The place of a moment in the loaded window; null where another window is needed. */
  find(momentMs: number, side: 'after' | 'before'): Place | null;
  seekTo(video: HTMLVideoElement, place: Place): void;
  /** The moment at a media time; null outside of the loaded footage. */
  momentAt(mediaSeconds: number): number | null;
  remainingSeconds(video: HTMLVideoElement): number;
  /** Fetches what follows in time; to be called about twice a second. */
  keepAhead(remainingSeconds: number, speed: number, signal: AbortSignal): void;
  setSpeed(speed: Speed): void;
  recoverMediaError(): void;
}

/** Calls `onFrame` with the media time of each drawn frame while `isOpen`; never where the browser does not tell. */
export function followFrames(
  video: HTMLVideoElement,
  isOpen: () => boolean,
  onFrame: (mediaSeconds: number) => void,
): void {
  if (!('requestVideoFrameCallback' in video)) return;
  const follow = (_at: number, { mediaTime }: { mediaTime: number }) => {
    if (!isOpen()) return;
    onFrame(mediaTime);
    video.requestVideoFrameCallback(follow);
  };
  video.requestVideoFrameCallback(follow);
}
