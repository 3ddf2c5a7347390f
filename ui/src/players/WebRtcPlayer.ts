// The live player over WebRTC, without a user interface: keeps one camera on a <video> element while viewing is
// desired, across failures of the network, the server and the camera.
import { FootagePreview } from './FootagePreview';
import { drawFreezeFrame } from './freezeFrame';
import { FIRST_SNAPSHOT, PlaybackLost, type PlayerSnapshot, type PlayerState } from './playerState';
import { recallRoute, rememberRoute } from './playerMemory';
import { readReceiver, type LiveStats, type ReceiverSample } from './receiverStatistics';
import { decideReconnect, HEALTHY_AFTER_MS } from './reconnectPolicy';
import type { WebSocketFactory } from './SignalingClient';
import { PlayerStore } from './PlayerStore';
import { onNextFrame, playOrMute } from './videoElement';
import { ViewerSession, type SessionListener } from './ViewerSession';

/** Permission to watch, as the REST API grants it. */
export interface Grant {
  token: string;
  signaling_url: string;
  ice_servers: RTCIceServer[];
}

export interface WebRtcPlayerOptions {
  /** Throws PlaybackLost with the reason when watching is not possible. */
  requestGrant(signal: AbortSignal): Promise<Grant>;
  fetchFootage(signal: AbortSignal): Promise<Blob>;
  openSocket?: WebSocketFactory;
  createSession?: (
    url: string,
    listener: SessionListener,
  ) => Pick<ViewerSession, 'join' | 'stats' | 'close' | 'restartIce' | 'pause' | 'resume'>;
  random?: () => number;
}

type Session = ReturnType<NonNullable<WebRtcPlayerOptions['createSession']>>;

/** A tab that is hidden and silent for this long is not watched: the server pauses sending. */
const PAUSE_HIDDEN_AFTER_MS = 30_000;
/** Without a new frame for this long, the viewer is informed. */
const FROZEN_AFTER_MS = 3_000;
/** Frozen for this long although the camera sends: a new session is opened. */
const REBUILD_AFTER_MS = 7_000;
/** The same limit before the first frame; longer than any reasonable key-frame interval. */
const FIRST_FRAME_LIMIT_MS = 25_000;
const WATCH_INTERVAL_MS = 500;
const STATISTICS_INTERVAL_MS = 1_000;
/**
 * Timers that stood still for this long: the tab was frozen or the device slept, and the server has closed the connection.
 * Longer than the minute between two timers of a tab that is only hidden.
 */
const SLEPT_AFTER_MS = 90_000;
const OFFLINE = { kind: 'offline', message: 'this device is offline' } as const;

export class WebRtcPlayer {
  private readonly store = new PlayerStore<PlayerSnapshot>(FIRST_SNAPSHOT);
  private readonly statisticsListeners = new Set<(statistics: LiveStats | null) => void>();
  private readonly options: WebRtcPlayerOptions;
  private video: HTMLVideoElement | null = null;
  private preview: FootagePreview | null = null;
  private freezeFrame: HTMLCanvasElement | null = null;
  private session: Session | null = null;
  private abort: AbortController | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  private watchTimer: ReturnType<typeof setInterval> | undefined;
  private statisticsTimer: ReturnType<typeof setInterval> | undefined;
  private sample: ReceiverSample | null = null;
  private lastFrameAt = -1;
  /** Wall clock of the last watchFrames(): it goes on while the device sleeps. */
  private watchedAt = 0;
  /** Since when the session has had tracks, in performance.now(). */
  private tracksSince: number | null = null;
  private liveSince: number | null = null;
  private isDesired = false;
  private isPaused = false;
  private isAwaitingGrant = false;
  private isSourceFlowing = true;
  private hasOtherTransport = false;
  private hasFirstPicture = false;
  private hasFirstLiveFrame = false;
  private lastSocketUrl = recallRoute().signalingUrl;

  constructor(options: WebRtcPlayerOptions) {
    this.options = options;
  }

  // --- the interface for the page ----------------------------------------------------------------------------

  getSnapshot = this.store.getSnapshot;

  subscribe = this.store.subscribe;

  subscribeStatistics = (listener: (statistics: LiveStats | null) => void): (() => void) => {
    this.statisticsListeners.add(listener);
    return () => this.statisticsListeners.delete(listener);
  };

  /** Takes the elements to draw on; returns the function that releases them. */
  attach(video: HTMLVideoElement, preview: HTMLVideoElement, freezeFrame: HTMLCanvasElement): () => void {
    this.video = video;
    this.preview = new FootagePreview(preview);
    this.freezeFrame = freezeFrame;
    video.dataset.playerState = this.snapshot.state;
    this.applySound();
    const online = () => this.comeOnline();
    const offline = () => this.goOffline();
    const visibility = () => this.followVisibility();
    document.addEventListener('visibilitychange', visibility);
    window.addEventListener('online', online);
    window.addEventListener('offline', offline);
    return () => {
      document.removeEventListener('visibilitychange', visibility);
      window.removeEventListener('online', online);
      window.removeEventListener('offline', offline);
      this.disconnect();
      this.video = null;
      this.preview = null;
      this.freezeFrame = null;
    };
  }

  connect(): void {
    if (this.isDesired) return;
    this.isDesired = true;
    this.hasFirstPicture = false;
    this.hasFirstLiveFrame = false;
    performance.mark('player:connect');
    this.update({ state: 'connecting', cause: null, attempt: 0, retryAt: null });
    this.watchedAt = Date.now();
    this.watchTimer = setInterval(() => this.watchFrames(), WATCH_INTERVAL_MS);
    this.statisticsTimer = setInterval(() => void this.readStatistics(), STATISTICS_INTERVAL_MS);
    this.showPreview();
    void this.attemptOnce();
  }

  /** May be called twice. */
  disconnect(): void {
    if (!this.isDesired && this.snapshot.state === 'idle') return;
    this.isDesired = false;
    clearInterval(this.watchTimer);
    clearInterval(this.statisticsTimer);
    this.endAttempt();
    this.preview?.close();
    this.clearFreezeFrame();
    if (this.video) this.video.srcObject = null;
    this.reportStatistics(null);
    this.update({ state: 'idle', cause: null, attempt: 0, retryAt: null, hasAudio: false });
  }

  /** Starts the next attempt now instead of at its due time. */
  retryNow(): void {
    if (!this.isDesired) {
      this.connect();
      return;
    }
    if (this.session && this.snapshot.state === 'live') return;
    this.endAttempt();
    void this.attemptOnce();
  }

  setSound(isMuted: boolean, volume: number): void {
    this.update({ isMuted, volume });
    this.applySound();
  }

  /** Takes the server's view of the camera: a frozen picture is the player's fault only while the stream flows. */
  setSourceFlowing(isFlowing: boolean): void {
    const hasReturned = isFlowing && !this.isSourceFlowing;
    this.isSourceFlowing = isFlowing;
    if (hasReturned && this.isDesired && this.retryTimer !== undefined) this.retryNow();
  }

  /** While the picture is shown over another transport, attempts continue at longer intervals. */
  setHasOtherTransport(hasOtherTransport: boolean): void {
    this.hasOtherTransport = hasOtherTransport;
  }

  // --- one attempt -------------------------------------------------------------------------------------------

  private async attemptOnce(): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    this.isAwaitingGrant = true;
    try {
      // The address rarely changes: the socket is opened while the token is being requested.
      if (this.lastSocketUrl) this.openSession(this.lastSocketUrl);
      const grant = await this.options.requestGrant(abort.signal);
      if (abort.signal.aborted) return;
      this.isAwaitingGrant = false;
      if (this.session && grant.signaling_url !== this.lastSocketUrl) this.session.close();
      const isReady = this.session && grant.signaling_url === this.lastSocketUrl;
      const session = isReady && this.session ? this.session : this.openSession(grant.signaling_url);
      this.lastSocketUrl = grant.signaling_url;
      rememberRoute({ signalingUrl: grant.signaling_url, userAgent: navigator.userAgent });
      await session.join(grant.token, grant.ice_servers);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.plan(
        error instanceof PlaybackLost ? error : new PlaybackLost('server_error', String((error as Error).message)),
      );
    }
  }

  private openSession(url: string): Session {
    const create =
      this.options.createSession ??
      ((address, listener) => new ViewerSession(address, listener, { openSocket: this.options.openSocket }));
    const session: Session = create(url, {
      onTracks: (stream) => {
        if (session === this.session) this.showTracks(stream);
      },
      onTracksEnding: () => {
        if (session === this.session) this.drawFreezeFrame();
      },
      onUnavailable: () => {
        if (session !== this.session) return;
        this.tracksSince = null;
        this.update({
          state: 'waiting',
          cause: { kind: 'no_video_yet', message: 'the camera sends no video yet' },
          attempt: 0,
        });
      },
      onLost: (loss) => {
        if (session !== this.session) return;
        this.session = null;
        // Opened before its token arrived, the socket may time out: the attempt then opens another one.
        if (!this.isAwaitingGrant) this.plan(loss);
      },
    });
    this.session = session;
    return session;
  }

  private endAttempt(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.hiddenTimer);
    this.retryTimer = undefined;
    this.isPaused = false;
    this.abort?.abort();
    this.abort = null;
    const session = this.session;
    this.session = null;
    session?.close();
    this.sample = null;
    this.tracksSince = null;
  }

  private plan(loss: PlaybackLost): void {
    if (!this.isDesired) return;
    this.drawFreezeFrame();
    this.endAttempt();
    const wasHealthy = this.liveSince !== null && performance.now() - this.liveSince > HEALTHY_AFTER_MS;
    this.liveSince = null;
    const attempt = wasHealthy ? 0 : this.snapshot.attempt;
    const decision = decideReconnect({
      kind: loss.kind,
      attempt,
      isOnline: navigator.onLine,
      random: (this.options.random ?? Math.random)(),
      hasOtherTransport: this.hasOtherTransport,
    });
    const cause = { kind: loss.kind, message: loss.message };
    if (decision.action === 'give_up') {
      this.isDesired = false;
      clearInterval(this.watchTimer);
      clearInterval(this.statisticsTimer);
      this.update({ state: 'failed', cause, retryAt: null });
    } else if (decision.action === 'wait_for_network') {
      this.update({ state: 'reconnecting', cause: OFFLINE, retryAt: null });
    } else {
      const state: PlayerState =
        loss.kind === 'stream_stopped' || loss.kind === 'no_stream' ? 'waiting' : 'reconnecting';
      this.update({ state, cause, attempt: attempt + 1, retryAt: Date.now() + decision.delayMs });
      this.retryTimer = setTimeout(() => {
        this.retryTimer = undefined;
        void this.attemptOnce();
      }, decision.delayMs);
    }
  }

  private comeOnline(): void {
    if (!this.isDesired) return;
    if (this.session && this.tracksSince !== null) void this.session.restartIce();
    else this.retryNow();
  }

  private goOffline(): void {
    if (!this.isDesired) return;
    // A session survives some seconds without network; watchFrames ends it when the picture stays away.
    if (this.session && this.tracksSince !== null) this.update({ state: 'reconnecting', cause: OFFLINE });
    else this.plan(new PlaybackLost('network', OFFLINE.message));
  }

  /** Pauses receiving in a tab that stays hidden and silent; resumes it when the tab is visible again. */
  private followVisibility(): void {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) {
      this.hiddenTimer = setTimeout(() => this.pauseHidden(), PAUSE_HIDDEN_AFTER_MS);
      return;
    }
    if (this.hasSlept()) {
      this.wakeUp();
      return;
    }
    this.lastFrameAt = performance.now();
    if (!this.isPaused) return;
    this.isPaused = false;
    this.session?.resume();
    if (this.snapshot.state === 'live') this.update({ state: 'connecting' });
  }

  private hasSlept(): boolean {
    const now = Date.now();
    const stillMs = now - this.watchedAt;
    this.watchedAt = now;
    return this.isDesired && stillMs > SLEPT_AFTER_MS;
  }

  /** Opens another session at once: to find out that the old one is gone would take some seconds more. */
  private wakeUp(): void {
    this.drawFreezeFrame();
    this.endAttempt();
    this.liveSince = null;
    this.update({ state: 'reconnecting', cause: null, attempt: 0, retryAt: null });
    if (navigator.onLine) void this.attemptOnce();
    else this.plan(new PlaybackLost('network', OFFLINE.message));
  }

  private pauseHidden(): void {
    const isHeard = this.snapshot.hasAudio && !this.snapshot.isMuted;
    if (!this.session || this.tracksSince === null || isHeard || document.pictureInPictureElement) return;
    this.isPaused = true;
    this.session.pause();
  }

  // --- pictures ----------------------------------------------------------------------------------------------

  private showPreview(): void {
    void this.preview?.show(this.options.fetchFootage, () => {
      this.markFirstPicture();
      if (this.snapshot.state === 'connecting') this.update({ state: 'preview', cause: null });
    });
  }

  private showTracks(stream: MediaStream): void {
    const { video } = this;
    if (!video) return;
    this.update({ hasAudio: stream.getAudioTracks().length > 0 });
    if (video.srcObject === stream) return;
    if (this.snapshot.state === 'live') this.update({ state: 'reconnecting', cause: null });
    this.drawFreezeFrame();
    this.tracksSince = performance.now();
    this.sample = null;
    video.srcObject = stream;
    this.followFrames(video, stream);
    const isCurrent = () => video.srcObject === stream;
    playOrMute(video, isCurrent, () => this.setSound(true, this.snapshot.volume));
  }

  private followFrames(video: HTMLVideoElement, stream: MediaStream): void {
    const onFrame = () => {
      if (video !== this.video || video.srcObject !== stream || !this.isDesired) return;
      this.lastFrameAt = performance.now();
      if (this.session && this.snapshot.state !== 'live') this.goLive();
      onNextFrame(video, onFrame);
    };
    onNextFrame(video, onFrame);
  }

  private goLive(): void {
    this.markFirstPicture();
    if (!this.hasFirstLiveFrame) {
      this.hasFirstLiveFrame = true;
      performance.mark('player:first-live-frame');
    }
    this.liveSince ??= performance.now();
    this.preview?.close();
    this.clearFreezeFrame();
    this.update({ state: 'live', cause: null, attempt: 0, retryAt: null });
  }

  private markFirstPicture(): void {
    if (this.hasFirstPicture) return;
    this.hasFirstPicture = true;
    performance.mark('player:first-picture');
  }

  /** Detects frames that stop without an event from the server. */
  private watchFrames(): void {
    if (this.hasSlept() && !document.hidden) {
      this.wakeUp();
      return;
    }
    if (document.hidden || !this.session || this.tracksSince === null) return;
    const now = performance.now();
    const { state } = this.snapshot;
    const stillMs = now - Math.max(this.lastFrameAt, this.tracksSince);
    if (state === 'live' && stillMs > FROZEN_AFTER_MS) {
      this.update({
        state: 'waiting',
        cause: { kind: 'no_frames', message: 'no picture was received for some seconds' },
      });
    }
    if ((state === 'connecting' || state === 'preview') && !this.isSourceFlowing && stillMs > FROZEN_AFTER_MS) {
      this.update({ state: 'waiting', cause: { kind: 'no_video_yet', message: 'the camera sends no video yet' } });
    }
    const limitMs = this.lastFrameAt >= this.tracksSince ? REBUILD_AFTER_MS : FIRST_FRAME_LIMIT_MS;
    if (this.isSourceFlowing && stillMs > limitMs) {
      this.plan(new PlaybackLost('stalled', 'the picture stopped although the camera sends video'));
    }
  }

  /** Keeps the last picture on the screen while the live element shows none. */
  private drawFreezeFrame(): void {
    const { video, freezeFrame } = this;
    if (!video || !freezeFrame || video.videoWidth === 0 || !video.srcObject) return;
    drawFreezeFrame(video, freezeFrame);
    // Without a source the live element is transparent, and the freeze frame below it is visible.
    video.srcObject = null;
  }

  private clearFreezeFrame(): void {
    if (this.freezeFrame) this.freezeFrame.hidden = true;
  }

  // --- sound, statistics, state ------------------------------------------------------------------------------

  private applySound(): void {
    if (!this.video) return;
    this.video.muted = this.snapshot.isMuted;
    this.video.volume = this.snapshot.volume;
  }

  private async readStatistics(): Promise<void> {
    const report = await this.session?.stats().catch(() => null);
    if (!report) {
      this.reportStatistics(null);
      return;
    }
    this.sample = readReceiver(report as unknown as Iterable<[string, unknown]>, this.sample);
    this.reportStatistics(this.sample?.statistics ?? null);
  }

  private reportStatistics(statistics: LiveStats | null): void {
    for (const listener of this.statisticsListeners) listener(statistics);
  }

  private get snapshot(): PlayerSnapshot {
    return this.store.getSnapshot();
  }

  private update(change: Partial<PlayerSnapshot>): void {
    this.store.update(change, this.video);
  }
}
