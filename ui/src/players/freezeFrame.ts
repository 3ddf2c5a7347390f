// Keeps the last picture of a video element on a canvas while the element loads another source.

/** Does nothing without a picture. */
export function drawFreezeFrame(video: HTMLVideoElement, freezeFrame: HTMLCanvasElement): void {
  if (video.videoWidth === 0) return;
  freezeFrame.width = video.videoWidth;
  freezeFrame.height = video.videoHeight;
  freezeFrame.getContext('2d')?.drawImage(video, 0, 0);
  freezeFrame.hidden = false;
}
