// The live player over low-latency HLS, without a user interface: some seconds behind, for networks where WebRTC fails.
import type { ErrorData } from 'hls.js';
import { createHls, HlsUnsupported, onHlsError, onHlsTracks, type HlsFactory, type HlsInstance } from './hlsLibrary';
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
const STUCK_AFTER_MS = 10_000;

export class HlsLivePlayer {
  private readonly store = new PlayerStore<HlsLiveSnapshot>(FIRST);
  private readonly playlistUrl: string;
  private readonly create: HlsFactory;
  private video: HTMLVideoElement | null = null;
  private hls: HlsInstance | null = null;
  private attempt = 0;
  private generation = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private watchTimer: ReturnType<typeof setInterval> | undefined;
  private movedAt = 0;
  private movedTo = -1;

  constructor(playlistUrl: string, create: HlsFactory = createHls) {
    this.playlistUrl = playlistUrl;
    this.create = create;
  }

  getSnapshot = this.store.getSnapshot;

  subscribe = this.store.subscribe;

  /** Plays on `video` until stop(). */
  start(video: HTMLVideoElement): void {
    if (this.video) return;
    this.video = video;
    this.attempt = 0;
    this.watchTimer = setInterval(() => this.watch(), WATCH_INTERVAL_MS);
    this.update({ ...FIRST, state: 'connecting' });
    void this.attemptOnce();
  }

  /** May be called twice. */
  stop(): void {
    if (!this.video) return;
    this.generation += 1;
    clearTimeout(this.retryTimer);
    clearInterval(this.watchTimer);
    this.dropHls();
    this.video = null;
    this.update(FIRST);
  }

  setSound(isMuted: boolean, volume: number): void {
    if (!this.video) return;
    this.video.muted = isMuted;
    this.video.volume = volume;
  }

  private async attemptOnce(): Promise<void> {
    this.generation += 1;
    const { generation, video } = this;
    try {
      const hls = await this.create({
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
        if (hls === this.hls && data.fatal) this.plan(messageOf(data));
      });
      onHlsTracks(hls, (hasAudio) => {
        if (hls === this.hls) this.update({ hasAudio });
      });
      hls.attachMedia(video);
      hls.loadSource(this.playlistUrl);
      this.movedAt = performance.now();
      onNextFrame(video, () => {
        if (hls !== this.hls) return;
        this.attempt = 0;
        this.update({ state: 'live', cause: null });
      });
      video.play().catch(() => {
        // The browser forbids sound without a click, but not a silent picture.
        video.muted = true;
        video.play().catch(() => {});
      });
    } catch (error) {
      if (generation !== this.generation) return;
      if (error instanceof HlsUnsupported) this.update({ state: 'failed', cause: error.message });
      else this.plan('the player could not be loaded');
    }
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
    if (!hls || !video) return;
    const latency = hls.latency;
    if (latency > 0) this.update({ latencySeconds: Math.round(latency * 10) / 10 });
    if (latency > TOO_FAR_BEHIND_SECONDS && hls.liveSyncPosition) video.currentTime = hls.liveSyncPosition;
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

  private update(change: Partial<HlsLiveSnapshot>): void {
    this.store.update(change, this.video);
  }
}

function messageOf(data: ErrorData): string {
  const status = data.response?.code ?? 0;
  if (status === 404) return 'the camera sends no video yet';
  if (data.type === 'mediaError') return 'this browser cannot decode what the camera sends';
  return status >= 400 ? 'the server could not send the picture' : 'the server cannot be reached';
}
