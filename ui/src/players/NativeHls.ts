// HLS by the browser itself, in the form of hls.js, for browsers without Media Source Extensions: the element loads the playlist.
import type { ErrorData } from 'hls.js';
import { currentDateMs, isHeard } from './nativeVideo';

type Handler = (name: string, data: unknown) => void;

/** `details` of an error of the element; the element does not tell the server's answer. */
export const NATIVE_ERROR = 'nativeError';
/** The same, before the element could open the stream. */
export const NATIVE_OPEN_ERROR = 'nativeOpenError';

const MEDIA_ERR_DECODE = 3;
/** Distance from the end of what can be loaded at which live playback begins, where the browser offers everything. */
const HOLD_BACK_SECONDS = 3;

export class NativeHls {
  readonly config: Record<string, unknown>;
  /** The element does not list its fragments. */
  readonly levels = [];
  private readonly handlers = new Map<string, Handler[]>();
  private video: HTMLVideoElement | null = null;
  private url: string | null = null;
  private startPosition: number | null;
  private hasMetadata = false;
  private readonly listeners: [string, () => void][] = [
    ['loadedmetadata', () => this.begin()],
    ['seeked', () => this.show()],
    [
      'playing',
      () => {
        this.show();
        this.reportTracks();
      },
    ],
    ['error', () => this.reportError()],
  ];

  constructor(config: { startPosition?: number | undefined } = {}) {
    this.config = { ...config };
    this.startPosition = config.startPosition ?? null;
  }

  on(name: string, handler: Handler): void {
    this.handlers.set(name, [...(this.handlers.get(name) ?? []), handler]);
  }

  attachMedia(video: HTMLVideoElement): void {
    this.video = video;
    for (const [name, listener] of this.listeners) video.addEventListener(name, listener);
  }

  loadSource(url: string): void {
    this.url = url;
    this.startLoad();
  }

  startLoad(): void {
    const { video, url } = this;
    if (!video || url === null) return;
    this.hasMetadata = false;
    // The element may present the first picture of the playlist before it is where playback begins.
    video.style.visibility = this.startPosition ? 'hidden' : '';
    video.preload = 'auto';
    video.src = url;
    video.load();
  }

  /** Before the stream is open, the element forgets where it should be. */
  seekTo(seconds: number): void {
    if (this.hasMetadata && this.video) this.video.currentTime = seconds;
    else this.startPosition = seconds;
  }

  /** Loads the stream again, at the position on the screen where it was open. */
  recoverMediaError(): void {
    if (this.video && this.hasMetadata && this.startPosition !== null) this.startPosition = this.video.currentTime;
    this.startLoad();
  }

  /** May be called twice. */
  destroy(): void {
    const { video } = this;
    this.video = null;
    this.handlers.clear();
    if (!video) return;
    for (const [name, listener] of this.listeners) video.removeEventListener(name, listener);
    video.style.visibility = '';
    video.pause();
    video.removeAttribute('src');
    video.load();
  }

  /** Delay behind the present moment by the stream's own clock, or else behind the newest footage; 0 before it is known. */
  get latency(): number {
    const { video } = this;
    if (!video || !this.hasMetadata) return 0;
    const dateMs = currentDateMs(video);
    const byClock = dateMs === null ? 0 : (Date.now() - dateMs) / 1000;
    return byClock > 0 ? byClock : Math.max(0, (this.newestSeconds ?? video.currentTime) - video.currentTime);
  }

  get liveSyncPosition(): number | null {
    const newest = this.newestSeconds;
    return newest === null ? null : Math.max(0, newest - HOLD_BACK_SECONDS);
  }

  private get newestSeconds(): number | null {
    const seekable = this.video?.seekable;
    if (!seekable || seekable.length === 0) return null;
    const end = seekable.end(seekable.length - 1);
    return Number.isFinite(end) ? end : null;
  }

  private begin(): void {
    const { video, startPosition } = this;
    if (!video) return;
    this.hasMetadata = true;
    // A playlist that still grows would begin at its end.
    if (startPosition !== null && Math.abs(video.currentTime - startPosition) > 0.01) video.currentTime = startPosition;
    else this.show();
    this.reportTracks();
  }

  private show(): void {
    if (this.video && this.hasMetadata) this.video.style.visibility = '';
  }

  private reportTracks(): void {
    if (this.video) this.emit('hlsBufferCodecs', isHeard(this.video) ? { audio: {}, video: {} } : { video: {} });
  }

  private reportError(): void {
    const { video } = this;
    // Emptying the element reports an error of its own.
    if (!video?.hasAttribute('src')) return;
    const type = video.error?.code === MEDIA_ERR_DECODE ? 'mediaError' : 'networkError';
    const details = this.hasMetadata ? NATIVE_ERROR : NATIVE_OPEN_ERROR;
    this.emit('hlsError', { type, details, fatal: true } as unknown as ErrorData);
  }

  private emit(name: string, data: unknown): void {
    for (const handler of this.handlers.get(name) ?? []) handler(name, data);
  }
}
