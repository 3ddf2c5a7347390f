// Shows a camera's newest footage at once while WebRTC still waits for a key frame: a small MP4 is played
// fast up to its last frame. Errors are ignored: the live picture follows.
import { onNextFrame } from './videoElement';

const FASTEST = 16;

export class FootagePreview {
  private readonly video: HTMLVideoElement;
  private address: string | null = null;
  private abort: AbortController | null = null;

  constructor(video: HTMLVideoElement) {
    this.video = video;
  }

  /** Calls `onPicture` when the first picture is on the screen. */
  async show(fetchFootage: (signal: AbortSignal) => Promise<Blob>, onPicture: () => void): Promise<void> {
    this.close();
    const abort = new AbortController();
    this.abort = abort;
    let footage: Blob;
    try {
      footage = await fetchFootage(abort.signal);
    } catch {
      return;
    }
    if (abort.signal.aborted || footage.size === 0) return;
    this.address = URL.createObjectURL(footage);
    const { video } = this;
    video.muted = true;
    video.onloadeddata = () => {
      if (abort.signal.aborted) return;
      video.playbackRate = FASTEST;
      video.play().catch(() => {});
    };
    onNextFrame(video, () => {
      if (!abort.signal.aborted) onPicture();
    });
    video.onerror = () => this.close();
    video.src = this.address;
  }

  /** May be called twice. */
  close(): void {
    this.abort?.abort();
    this.abort = null;
    if (!this.address) return;
    this.video.onloadeddata = null;
    this.video.onerror = null;
    this.video.removeAttribute('src');
    this.video.load();
    URL.revokeObjectURL(this.address);
    this.address = null;
  }
}
