// Steps from frame to frame. Cameras send frames unevenly, so the start of the next frame is known only once it is shown.

/** Assumed duration of a frame before one has been measured. */
const DEFAULT_SECONDS = 1 / 25;
const MIN_SECONDS = 0.008;
/** Time for the browser to draw the frame after a seek. */
const DRAWN_AFTER_MS = 70;
/** After this many attempts of growing distance without a new frame, the current frame is the last one. */
const MAX_ATTEMPTS = 24;
const MAX_AHEAD = 50;

export class FrameStepper {
  /** Start of the frame on the screen, where the browser reports it. */
  private frameSeconds: number | null = null;
  private shortest: number | null = null;
  /** Steps requested while one is running; negative for backwards. */
  private ahead = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  get frame(): number | null {
    return this.frameSeconds;
  }

  /** After a seek: the previous frame is no longer on the screen. */
  reset(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.ahead = 0;
    this.frameSeconds = null;
  }

  /** Takes a drawn frame. During playback at normal speed the distances show how short a frame can be. */
  notice(mediaSeconds: number, isPlaying: boolean): void {
    const length = this.frameSeconds === null ? 0 : mediaSeconds - this.frameSeconds;
    if (isPlaying && length >= MIN_SECONDS && length < 1.1) this.shortest = Math.min(length, this.shortest ?? length);
    this.frameSeconds = mediaSeconds;
  }

  step(video: HTMLVideoElement, direction: 1 | -1): void {
    if (this.timer !== undefined) {
      this.ahead = Math.max(-MAX_AHEAD, Math.min(MAX_AHEAD, this.ahead + direction));
      return;
    }
    const length = this.shortest ?? DEFAULT_SECONDS;
    const from = this.frameSeconds;
    if (from === null || Math.abs(from - video.currentTime) > 2) {
      // No frame is known: seek to the estimated middle of the neighbouring frame.
      video.currentTime = Math.max(0, video.currentTime + (direction > 0 ? 1.5 : -0.5) * length);
    } else if (direction < 0) {
      // The frame shown just before the start of this one is the previous frame.
      this.seek(video, Math.max(0, from - MIN_SECONDS / 2), null, length, 0);
    } else this.seek(video, from + 1.2 * length, from, length, 0);
  }

  /** `from` is the start of the frame to leave; null when one attempt is sufficient. */
  private seek(video: HTMLVideoElement, target: number, from: number | null, stride: number, attempt: number): void {
    video.currentTime = target;
    const check = () => {
      if (video.seeking) {
        this.timer = setTimeout(check, DRAWN_AFTER_MS);
        return;
      }
      this.timer = undefined;
      const isSame = from !== null && this.frameSeconds !== null && this.frameSeconds <= from + 0.001;
      if (isSame && attempt < MAX_ATTEMPTS) {
        this.seek(video, target + 0.7 * stride, from, attempt < 6 ? stride : stride * 1.2, attempt + 1);
        return;
      }
      if (this.ahead === 0) return;
      const direction = this.ahead > 0 ? 1 : -1;
      this.ahead -= direction;
      this.step(video, direction);
    };
    this.timer = setTimeout(check, DRAWN_AFTER_MS);
  }
}
