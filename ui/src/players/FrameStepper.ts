// Steps from frame to frame. Cameras do not send them evenly, so where the next one begins is only known once it is shown.

/** How long a frame is taken to last before any has been seen. */
const DEFAULT_SECONDS = 1 / 25;
const MIN_SECONDS = 0.008;
/** Enough for the browser to draw what it sought. */
const DRAWN_AFTER_MS = 70;
/** A frame that lasts longer than these many ever longer attempts is the last one. */
const MAX_ATTEMPTS = 24;
const MAX_AHEAD = 50;

export class FrameStepper {
  /** Where the frame on the screen begins, where the browser tells. */
  private frameSeconds: number | null = null;
  private shortest: number | null = null;
  /** Steps asked for while one was under way: below zero backwards. */
  private ahead = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  get frame(): number | null {
    return this.frameSeconds;
  }

  /** After a seek: the frame that was on the screen is no longer. */
  reset(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.ahead = 0;
    this.frameSeconds = null;
  }

  /** A frame was drawn. While it plays at its own speed, the distances tell how short a frame may be. */
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
      // Nothing is known of frames: into the middle of the neighbour, as far as can be guessed.
      video.currentTime = Math.max(0, video.currentTime + (direction > 0 ? 1.5 : -0.5) * length);
    } else if (direction < 0) {
      // Whatever is shown just before this frame is the one before it.
      this.seek(video, Math.max(0, from - MIN_SECONDS / 2), null, length, 0);
    } else this.seek(video, from + 1.2 * length, from, length, 0);
  }

  /** `from` is the frame to get away from; null when one attempt is sure to do it. */
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
