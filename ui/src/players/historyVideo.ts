// The <video> element of a recorded player: its events, its frames and its sound.
import { FASTEST_WITH_SOUND, type HistorySnapshot, type HistoryState } from './historyState';

export interface VideoListener {
  /** The element may be in another state. */
  onChange(): void;
  /** The element shows this media time. */
  onTime(mediaSeconds: number): void;
  /** Media time of the frame on the screen; null before one is drawn. */
  getFrame(): number | null;
}

const STATE_EVENTS = ['playing', 'pause', 'play', 'waiting', 'seeking', 'seeked', 'canplay', 'loadeddata'] as const;

/** Returns the function that removes the listeners. */
export function observeVideo(video: HTMLVideoElement, { onChange, onTime, getFrame }: VideoListener): () => void {
  for (const name of STATE_EVENTS) video.addEventListener(name, onChange);
  // Frame callbacks give the exact time on the screen; without them, or in a hidden tab, the element's clock is used.
  const hasFrames: boolean = 'requestVideoFrameCallback' in video;
  const tick = () => (!hasFrames || document.hidden) && onTime(video.currentTime);
  const settle = () => {
    const frame = hasFrames ? getFrame() : video.currentTime;
    if (frame !== null) onTime(frame);
  };
  video.addEventListener('timeupdate', tick);
  video.addEventListener('seeked', settle);
  return () => {
    for (const name of STATE_EVENTS) video.removeEventListener(name, onChange);
    video.removeEventListener('timeupdate', tick);
    video.removeEventListener('seeked', settle);
  };
}

/** Sets volume and rate; playback too fast for sound is muted. */
export function applySoundAndSpeed(video: HTMLVideoElement, { isMuted, volume, speed }: HistorySnapshot): void {
  video.muted = isMuted || speed > FASTEST_WITH_SOUND;
  video.volume = volume;
  video.defaultPlaybackRate = speed;
  video.playbackRate = speed;
}

export interface Playback {
  /** hls.js is being opened. */
  isOpening: boolean;
  /** The requested moment lies after all footage. */
  isPastEnd: boolean;
  isPlayingDesired: boolean;
  /** The media is played to its end and no footage follows. */
  hasRunOut: boolean;
}

/** The player's state as the element shows it. */
export function observeState(video: HTMLVideoElement, playback: Playback): HistoryState {
  if (playback.isOpening) return 'loading';
  if (playback.isPastEnd) return 'ended';
  if (video.readyState >= 3 && !video.seeking) return playback.isPlayingDesired ? 'playing' : 'paused';
  if (video.readyState >= 2 && !video.seeking && !playback.isPlayingDesired) return 'paused';
  return playback.hasRunOut ? 'ended' : 'buffering';
}
