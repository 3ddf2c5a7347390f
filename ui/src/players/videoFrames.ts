// Tells when a video element has drawn a frame, also where requestVideoFrameCallback is missing.

export function onNextFrame(video: HTMLVideoElement, callback: () => void): void {
  if ('requestVideoFrameCallback' in video) {
    video.requestVideoFrameCallback(() => callback());
    return;
  }
  (video as HTMLVideoElement).addEventListener('timeupdate', () => callback(), { once: true });
}
