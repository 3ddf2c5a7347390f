// Drawing and playing of a video element, as every player needs them.

/** Calls `callback` after the next drawn frame, also where requestVideoFrameCallback is missing. */
export function onNextFrame(video: HTMLVideoElement, callback: () => void): void {
  if ('requestVideoFrameCallback' in video) {
    video.requestVideoFrameCallback(() => callback());
    return;
  }
  (video as HTMLVideoElement).addEventListener('timeupdate', () => callback(), { once: true });
}

/** Plays `video`; where the browser forbids sound without a click, `mute` is called and the video plays silently. */
export function playOrMute(video: HTMLVideoElement, isCurrent: () => boolean, mute: () => void): void {
  video.play()?.catch((error: DOMException) => {
    if (error.name !== 'NotAllowedError' || !isCurrent()) return;
    mute();
    video.play().catch(() => {});
  });
}
