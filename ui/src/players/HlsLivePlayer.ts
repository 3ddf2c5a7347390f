// The live player over low-latency HLS, without a user interface: some seconds behind, for networks where WebRTC fails.
import type { ErrorData } from 'hls.js';
import { momentAt } from './footageClock';
import { createHls, HlsUnsupported, onHlsError, onHlsTracks, type HlsFactory, type HlsInstance } from './hlsLibrary';
import { NATIVE_ERROR, NATIVE_OPEN_ERROR } from './NativeHls';
import { PlayerStore } from './PlayerStore';
import { decideReconnect } from './reconnectPolicy';
import { onNextFrame } from './videoElement';

export interface HlsLiveSnapshot {
  state: 'idle' | 'connecting' | 'live' | 'reconnecting' | 'failed';
  cause: string | null;
  /** Delay of the picture behind the newest footage; null before it is known. */
  latencySeconds: number | null;
  hasAudio: boolean;
}

const FIRST: HlsLiveSnapshot = { state: 'idle', cause: null, latencySeconds: null, hasAudio: false };
const WATCH_INTERVAL_MS = 1_000;
/** With a longer delay than this, playback jumps to now. */
const TOO_FAR_BEHIND_SECONDS = 12;
/** A jump to now that gains less than this would only interrupt. */
const MIN_JUMP_SECONDS = 1;
const STUCK_AFTER_MS = 10_000;
/** A tab that is hidden and silent for this long is not watched: nothing is loaded. */
const PAUSE_HIDDEN_AFTER_MS = 30_000;
/** Timers that stood still for this long: the device slept, and the playlist has moved on. */
const SLEPT_AFTER_MS = 10_000;

export interface HlsLiveOptions {
  playlistUrl: string;
  createHls?: HlsFactory;
  /** Why the server gives no playlist now, in its own words; null when it gives one. */
  readReason?: (signal: AbortSignal) => Promise<string | null>;
}

export class HlsLivePlayer {
  private readonly store = new PlayerStore<HlsLiveSnapshot>(FIRST);
  private readonly options: HlsLiveOptions;
  private video: HTMLVideoElement | null = null;
  private hls: HlsInstance | null = null;
  private attempt = 0;
  private generation = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private watchTimer: ReturnType<typeof setInterval> | undefined;
  private movedAt = 0;
  private movedTo = -1;
  private watchedAt = 0;
  private hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  private isPaused = false;
  private abort = new AbortController();

  constructor(options: HlsLiveOptions) {
    this.options = options;
  }

  getSnapshot = this.store.getSnapshot;

  subscribe = this.store.subscribe;

  /** Plays on `video` until stop(). */
  start(video: HTMLVideoElement): void {
    if (this.video) return;
    this.video = video;
    this.attempt = 0;
    this.abort = new AbortController();
    this.watchedAt = Date.now();
    this.watchTimer = setInterval(() => this.watch(), WATCH_INTERVAL_MS);
    const { signal } = this.abort;
    document.addEventListener('visibilitychange', () => this.followVisibility(), { signal });
    window.addEventListener('online', () => this.snapshot.state === 'reconnecting' && this.reopen(), { signal });
    this.update({ ...FIRST, state: 'connecting' });
    void this.attemptOnce();
  }

  /** May be called twice. */
  stop(): void {
    if (!this.video) return;
    this.generation += 1;
    clearTimeout(this.retryTimer);
    clearTimeout(this.hiddenTimer);
    clearInterval(this.watchTimer);
    this.abort.abort();
    this.isPaused = false;
    this.dropHls();
    this.video = null;
    this.update(FIRST);
  }

  /** The capture time of the frame with this media time; null while it is unknown. */
  momentOf = (mediaSeconds: number): number | null => {
    const details = this.hls?.levels?.[0]?.details;
    if (!details) return null;
    // The newest fragment is known by its parts alone.
    const { fragments, fragmentHint: newest } = details;
    return momentAt(newest ? [...fragments, newest] : fragments, mediaSeconds);
  };

  setSound(isMuted: boolean, volume: number): void {
    if (!this.video) return;
    this.video.muted = isMuted;
    this.video.volume = volume;
  }

  private async attemptOnce(): Promise<void> {
    this.generation += 1;
    const { generation, video } = this;
    try {
      const hls = await (this.options.createHls ?? createHls)({
        lowLatencyMode: true,
        enableWorker: false,
        backBufferLength: 10,
        maxLiveSyncPlaybackRate: 1.3,
        liveDurationInfinity: true,
      });
      if (generation !== this.generation || !video) {
        hls.destroy();
        return;
      }
      this.hls = hls;
      onHlsError(hls, (data) => {
        if (hls === this.hls && data.fatal) void this.handleError(hls, data);
      });
      onHlsTracks(hls, (hasAudio) => {
        if (hls === this.hls) this.update({ hasAudio });
      });
      hls.attachMedia(video);
      hls.loadSource(this.options.playlistUrl);
      this.movedAt = performance.now();
      onNextFrame(video, () => {
        if (hls !== this.hls) return;
        this.attempt = 0;
        this.update({ state: 'live', cause: null });
      });
      this.play(video);
    } catch (error) {
      if (generation !== this.generation) return;
      if (error instanceof HlsUnsupported) this.update({ state: 'failed', cause: error.message });
      else this.plan('the player could not be loaded');
    }
  }

  private async handleError(hls: HlsInstance, data: ErrorData): Promise<void> {
    let message: string | null = null;
    if (NATIVE_ERRORS.has(data.details)) {
      // The element does not say what the server answered: asks the server for the same playlist.
      message = (await this.options.readReason?.(this.abort.signal).catch(() => null)) ?? CANNOT_DECODE;
    }
    if (hls === this.hls) this.plan(message ?? messageOf(data));
  }

  /** Starts an attempt now instead of at its due time. */
  private reopen(): void {
    clearTimeout(this.retryTimer);
    this.dropHls();
    this.update({ state: 'connecting', cause: null, latencySeconds: null });
    void this.attemptOnce();
  }

  /** Loads nothing in a tab that stays hidden and silent; one that is visible again shows the present moment. */
  private followVisibility(): void {
    const { video } = this;
    clearTimeout(this.hiddenTimer);
    if (!video) return;
    if (document.hidden) {
      this.hiddenTimer = setTimeout(() => this.pauseHidden(), PAUSE_HIDDEN_AFTER_MS);
    } else if (this.isPaused || this.hasSlept()) {
      this.isPaused = false;
      this.attempt = 0;
      this.reopen();
    } else {
      // Phones pause a video in the background, and leave it so.
      if (video.paused && this.hls) this.play(video);
      this.movedAt = performance.now();
      this.watch();
    }
  }

  private pauseHidden(): void {
    const { video } = this;
    const isHeard = this.snapshot.hasAudio && video?.muted === false;
    if (!video || isHeard || document.pictureInPictureElement) return;
    this.isPaused = true;
    this.generation += 1;
    clearTimeout(this.retryTimer);
    this.dropHls();
  }

  /** Whether the timers stood still since the last call; in a hidden tab they may run once a minute only. */
  private hasSlept(): boolean {
    const now = Date.now();
    const stillMs = now - this.watchedAt;
    this.watchedAt = now;
    return stillMs > SLEPT_AFTER_MS;
  }

  private play(video: HTMLVideoElement): void {
    video.play().catch(() => {
      // The browser forbids sound without a click, but not a silent picture.
      video.muted = true;
      video.play().catch(() => {});
    });
  }

  private plan(cause: string): void {
    this.dropHls();
    const decision = decideReconnect({ kind: 'network', attempt: this.attempt, isOnline: true, random: Math.random() });
    this.attempt += 1;
    this.update({ state: 'reconnecting', cause, latencySeconds: null });
    clearTimeout(this.retryTimer);
    if (decision.action === 'retry')
      this.retryTimer = setTimeout(() => void this.attemptOnce(), Math.max(1_000, decision.delayMs));
  }

  private watch(): void {
    const { hls, video } = this;
    const hasSlept = this.hasSlept();
    if (!hls || !video) return;
    if (hasSlept && !document.hidden) {
      this.reopen();
      return;
    }
    const { latency, liveSyncPosition } = hls;
    if (latency > 0) this.update({ latencySeconds: Math.round(latency * 10) / 10 });
    const gain = (liveSyncPosition ?? 0) - video.currentTime;
    if (latency > TOO_FAR_BEHIND_SECONDS && liveSyncPosition && gain > MIN_JUMP_SECONDS)
      video.currentTime = liveSyncPosition;
    if (video.currentTime !== this.movedTo || document.hidden) {
      this.movedTo = video.currentTime;
      this.movedAt = performance.now();
    } else if (performance.now() - this.movedAt > STUCK_AFTER_MS) {
      this.plan('no picture was received for some seconds');
    }
  }

  private dropHls(): void {
    const hls = this.hls;
    this.hls = null;
    hls?.destroy();
  }

  private get snapshot(): HlsLiveSnapshot {
    return this.store.getSnapshot();
  }

  private update(change: Partial<HlsLiveSnapshot>): void {
    this.store.update(change, this.video);
  }
}

const NATIVE_ERRORS: ReadonlySet<string> = new Set([NATIVE_ERROR, NATIVE_OPEN_ERROR]);
const CANNOT_DECODE = 'this browser cannot decode what the camera sends';

function messageOf(data: ErrorData): string {
  const status = data.response?.code ?? 0;
  if (status === 404) return 'the camera sends no video yet';
  if (data.type === 'mediaError') return CANNOT_DECODE;
  return status >= 400 ? 'the server could not send the picture' : 'the server cannot be reached';
}
