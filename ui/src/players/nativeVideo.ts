// What a <video> element tells about a stream that it plays itself; each browser tells it in its own way.

interface NativeVideo {
  /** Safari: the wall clock at media time 0, as it follows from the position now; an invalid date without a clock. */
  getStartDate?(): Date;
  /** Safari. */
  audioTracks?: { length: number };
  /** Chromium. */
  webkitAudioDecodedByteCount?: number;
}

/** The wall clock of the picture on the screen (EXT-X-PROGRAM-DATE-TIME), in milliseconds since 1970; null where it is unknown. */
export function currentDateMs(video: HTMLVideoElement): number | null {
  const startMs = (video as NativeVideo).getStartDate?.().getTime() ?? Number.NaN;
  return Number.isFinite(startMs) ? startMs + video.currentTime * 1000 : null;
}

/** Whether the stream has sound; true where the browser does not tell. */
export function isHeard(video: HTMLVideoElement): boolean {
  const { audioTracks, webkitAudioDecodedByteCount } = video as NativeVideo;
  if (audioTracks) return audioTracks.length > 0;
  return webkitAudioDecodedByteCount === undefined || webkitAudioDecodedByteCount > 0;
}
