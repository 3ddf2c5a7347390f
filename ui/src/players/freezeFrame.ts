// Keeps the last picture of a video element on a canvas, while the element loads something else.

/** Does nothing where there is no picture. */
export function holdPicture(video: HTMLVideoElement, held: HTMLCanvasElement): void {
  if (video.videoWidth === 0 || video.readyState < 2) return;
  held.width = video.videoWidth;
  held.height = video.videoHeight;
  held.getContext('2d')?.drawImage(video, 0, 0);
  held.hidden = false;
}
