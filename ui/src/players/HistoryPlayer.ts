// Plays recordings without any user interface: keeps a <video> element at the moment somebody wishes to see, over gaps,
// deletions, network trouble and damaged files, and says what it does.
import type { ErrorData } from 'hls.js';
import { createFeedLoader } from './feedLoader';
import { FootageFeed, STORE_DELAY_MS, type FetchPlaylist, type Opening } from './FootageFeed';
import { mediaTimeOf, momentAt, skipBehind, SMALLEST_SKIP_MS, type TimedFragment } from './footageClock';
import { keyOf, type Place } from './FootagePlaylist';
import { FrameStepper } from './FrameStepper';
import { drawFreezeFrame } from './freezeFrame';
import { createHls, type HlsFactory, type HlsInstance } from './hlsLibrary';
import {
  bufferBudget,
  FASTEST_WITH_SOUND,
  FIRST_HISTORY,
  FootageUnavailable,
  retryDelayMs,
  SPEEDS,
  type HistoryNotice,
  type HistorySnapshot,
  type HistoryState,
  type Speed,
} from './historyState';
import { asLoss, classifyError } from './historyErrors';
import { RateWatchdog } from './RateWatchdog';

export interface HistoryPlayerOptions {
  /** Throws FootageUnavailable. */
  fetchPlaylist: FetchPlaylist;
  /** What the fragments' addresses in a playlist are relative to. */
  playlistUrl: string;
  createHls?: HlsFactory;
  now?: () => number;
  random?: () => number;
}

const WATCH_INTERVAL_MS = 500;
const MOMENT_INTERVAL_MS = 200;
/** Nothing new for so long: said to be the end of the footage. */
const ENDED_AFTER_MS = 12_000;
/** As near to what is being recorded as playback at speed may come. */
const CAUGHT_UP_SECONDS = 3;
const HEALTHY_AFTER_MS = 10_000;
/** More than this cannot be read: something is wrong with more than a file. */
const MAX_EXCLUDED = 100;

export class HistoryPlayer {
  private snapshot: HistorySnapshot = FIRST_HISTORY;
  private momentMs: number | null = null;
  private readonly listeners = new Set<() => void>();
  private readonly momentListeners = new Set<() => void>();
  private readonly options: HistoryPlayerOptions;
  private readonly now: () => number;
  private video: HTMLVideoElement | null = null;
  private freezeFrame: HTMLCanvasElement | null = null;
  private hls: HlsInstance | null = null;
  private feed: FootageFeed | null = null;
  private abort: AbortController | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private watchTimer: ReturnType<typeof setInterval> | undefined;
  /** What an older load still has under way is dropped by comparing this. */
  private generation = 0;
  private isPlayingDesired = false;
  private isPastEnd = false;
  private isLoading = false;
  private momentToldAt = 0;
  /** Of the frame before, since the last seek; null while there was none. */
  private lastMediaSeconds: number | null = null;
  private readonly stepper = new FrameStepper();
  private readonly rateWatchdog = new RateWatchdog();
  private healthySince: number | null = null;
  private mediaErrorAt = Number.NEGATIVE_INFINITY;
  private readonly excluded = new Set<string>();

  constructor(options: HistoryPlayerOptions) {
    this.options = options;
    this.now = options.now ?? Date.now;
  }

  // --- what a page needs -------------------------------------------------------------------------------------

  getSnapshot = (): HistorySnapshot => this.snapshot;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The moment on the screen in milliseconds since 1970, by the recording's own clock; null before anything is asked for. */
  getMoment = (): number | null => this.momentMs;

  subscribeMoment = (listener: () => void): (() => void) => {
    this.momentListeners.add(listener);
    return () => this.momentListeners.delete(listener);
  };

  /** Takes the elements to draw on; returns what gives them back. */
  attach(video: HTMLVideoElement, freezeFrame: HTMLCanvasElement): () => void {
    this.video = video;
    this.freezeFrame = freezeFrame;
    this.applySound();
    const refresh = () => this.refresh();
    const events = ['playing', 'pause', 'play', 'waiting', 'seeking', 'seeked', 'canplay', 'loadeddata'] as const;
    for (const name of events) video.addEventListener(name, refresh);
    // Frames tell exactly what is on the screen; where they do not tell, the clock has to do.
    const hasFrames: boolean = 'requestVideoFrameCallback' in video;
    const tick = () => (!hasFrames || document.hidden) && this.followMoment(video.currentTime);
    const settle = () => {
      const frame = hasFrames ? this.stepper.frame : video.currentTime;
      if (frame !== null) this.followMoment(frame);
    };
    video.addEventListener('timeupdate', tick);
    video.addEventListener('seeked', settle);
    const online = () => this.snapshot.state === 'retrying' && this.retryNow();
    window.addEventListener('online', online);
    return () => {
      this.close();
      for (const name of events) video.removeEventListener(name, refresh);
      video.removeEventListener('timeupdate', tick);
      video.removeEventListener('seeked', settle);
      window.removeEventListener('online', online);
      this.video = null;
      this.freezeFrame = null;
    };
  }

  /** Shows a moment: at once where it is at hand, else from a new window. Where nothing is recorded, the next footage on that side. */
  seek(wantedMs: number, side: 'after' | 'before' = 'after'): void {
    const momentMs = Math.min(wantedMs, this.now() - STORE_DELAY_MS);
    this.reportMoment(momentMs);
    this.resetErrors();
    const place = this.feed?.covers(momentMs) ? this.feed.playlist.find(momentMs, side) : null;
    if (this.hls && place && !this.isLoading) {
      this.isPastEnd = false;
      this.goTo(place, momentMs);
    } else void this.load(momentMs, side);
  }

  /** Seconds of footage forwards or backwards; gaps take no time. */
  skip(seconds: number): void {
    const { video, feed } = this;
    if (!video || !feed || this.momentMs === null) return;
    const target = video.currentTime + seconds;
    const fragments = this.fragments;
    const moment = target >= 0 && target <= feed.playlist.durationSeconds ? momentAt(fragments, target) : null;
    this.seek(moment ?? this.momentMs + seconds * 1000, seconds < 0 ? 'before' : 'after');
  }

  /** One frame forwards or backwards, paused. */
  step(direction: 1 | -1): void {
    const { video } = this;
    if (!video || !this.hls) return;
    this.pause();
    this.stepper.step(video, direction);
  }

  play(): void {
    this.isPlayingDesired = true;
    if (this.snapshot.state === 'failed') this.retryNow();
    this.startVideo();
    this.resetRateWatchdog();
    this.refresh();
  }

  pause(): void {
    this.isPlayingDesired = false;
    this.video?.pause();
    this.refresh();
  }

  toggle(): void {
    if (this.isPlayingDesired && this.snapshot.state !== 'failed') this.pause();
    else this.play();
  }

  setSpeed(speed: Speed): void {
    this.update({ speed, notice: this.snapshot.notice?.kind === 'too_fast' ? null : this.snapshot.notice });
    if (this.hls) Object.assign(this.hls.config, bufferBudget(speed));
    this.resetRateWatchdog();
    this.applySound();
  }

  setSound(isMuted: boolean, volume: number): void {
    this.update({ isMuted, volume });
    this.applySound();
  }

  dismissNotice(): void {
    if (this.snapshot.notice) this.update({ notice: null });
  }

  /** Tries now what would be tried later. */
  retryNow(): void {
    if (this.momentMs === null) return;
    this.isPlayingDesired = true;
    void this.load(this.momentMs, 'after');
  }

  /** Ends playback and lets the network, the decoder and the memory go. May be called twice. */
  close(): void {
    this.generation += 1;
    this.abort?.abort();
    this.abort = null;
    clearTimeout(this.retryTimer);
    clearInterval(this.watchTimer);
    this.watchTimer = undefined;
    this.dropHls();
    this.feed = null;
    this.isLoading = false;
    this.isPlayingDesired = false;
    if (this.freezeFrame) this.freezeFrame.hidden = true;
    this.momentMs = null;
    this.update({ state: 'idle', cause: null, attempt: 0, retryAt: null, notice: null, hasAudio: false });
  }

  // --- loading -----------------------------------------------------------------------------------------------

  private async load(momentMs: number, side: 'after' | 'before', notice: HistoryNotice | null = null): Promise<void> {
    const { video } = this;
    if (!video) return;
    this.generation += 1;
    const generation = this.generation;
    clearTimeout(this.retryTimer);
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    if (this.snapshot.state === 'idle') this.isPlayingDesired = true;
    this.isLoading = true;
    this.watchTimer ??= setInterval(() => this.watch(), WATCH_INTERVAL_MS);
    // Another try says what is wrong until it has succeeded: words that come and go cannot be read.
    this.update(
      this.snapshot.attempt > 0
        ? { state: 'retrying', retryAt: null }
        : { state: 'loading', cause: null, retryAt: null },
    );
    try {
      const opening = await FootageFeed.open(
        { fetchPlaylist: this.options.fetchPlaylist, now: this.now, excluded: this.excluded },
        momentMs,
        side,
        abort.signal,
      );
      const { speed } = this.snapshot;
      const hls = await (this.options.createHls ?? createHls)({
        ...bufferBudget(speed),
        pLoader: createFeedLoader(opening.feed, this.options.playlistUrl) as never,
        startPosition: opening.place.mediaSeconds,
        enableWorker: false,
        lowLatencyMode: false,
        maxBufferHole: 0.6,
        nudgeMaxRetry: 6,
      });
      if (generation !== this.generation || this.video !== video) {
        hls.destroy();
        return;
      }
      this.mount(hls, opening, momentMs, notice);
    } catch (error) {
      if (abort.signal.aborted || generation !== this.generation) return;
      this.isLoading = false;
      this.fail(asLoss(error));
    }
  }

  private mount(
    hls: HlsInstance,
    { feed, place, isPastEnd }: Opening,
    askedMs: number,
    notice: HistoryNotice | null,
  ): void {
    const { video } = this;
    if (!video) return;
    this.drawFreezeFrame();
    this.dropHls();
    this.hls = hls;
    this.feed = feed;
    this.isLoading = false;
    this.isPastEnd = isPastEnd;
    this.lastMediaSeconds = null;
    this.stepper.reset();
    this.reportMoment(place.momentMs);
    this.update({ state: 'loading', cause: null, notice: notice ?? this.noticeOf(askedMs, place.momentMs, isPastEnd) });
    hls.on(
      'hlsError' as never,
      ((_name: string, data: ErrorData) => {
        if (hls === this.hls) this.handleError(data);
      }) as never,
    );
    hls.on(
      'hlsBufferCodecs' as never,
      ((_name: string, tracks: object) => {
        if (hls === this.hls) this.update({ hasAudio: 'audio' in tracks || 'audiovideo' in tracks });
      }) as never,
    );
    hls.attachMedia(video);
    hls.loadSource(this.options.playlistUrl);
    this.resetRateWatchdog();
    this.followFrames(video, hls);
    this.applySound();
    if (this.isPlayingDesired && !isPastEnd) this.startVideo();
    else video.pause();
    this.refresh();
  }

  private dropHls(): void {
    const hls = this.hls;
    this.hls = null;
    hls?.destroy();
  }

  private goTo(place: Place, askedMs: number): void {
    const { video } = this;
    if (!video) return;
    const seconds = mediaTimeOf(this.fragments, place.index, place.momentMs) ?? place.mediaSeconds;
    this.lastMediaSeconds = null;
    this.stepper.reset();
    this.reportMoment(place.momentMs);
    this.update({ notice: this.noticeOf(askedMs, place.momentMs, false) });
    video.currentTime = seconds;
    if (this.isPlayingDesired) this.startVideo();
    this.resetRateWatchdog();
    this.refresh();
  }

  private noticeOf(askedMs: number, shownMs: number, isPastEnd: boolean): HistoryNotice | null {
    if (isPastEnd || Math.abs(shownMs - askedMs) < SMALLEST_SKIP_MS) return null;
    return {
      kind: 'skipped',
      skip: shownMs > askedMs ? { fromMs: askedMs, toMs: shownMs } : { fromMs: shownMs, toMs: askedMs },
    };
  }

  // --- trouble -----------------------------------------------------------------------------------------------

  private handleError(data: ErrorData): void {
    const error = classifyError(data);
    if (error === 'media') this.handleMediaError(data);
    else if (error === 'gone') this.goOnWithout(data, null);
    else if (error) this.fail(error);
  }

  /** First the decoder is set up anew; a fragment that stops it again is left out. */
  private handleMediaError(data: ErrorData | null): void {
    const now = performance.now();
    const isRepeated = now - this.mediaErrorAt < HEALTHY_AFTER_MS;
    this.mediaErrorAt = isRepeated ? Number.NEGATIVE_INFINITY : now;
    if (isRepeated) {
      this.goOnWithout(data, { kind: 'damaged', atMs: this.momentMs ?? 0 });
      return;
    }
    this.drawFreezeFrame();
    this.hls?.recoverMediaError();
    if (this.isPlayingDesired) this.startVideo();
  }

  /**
   * Loads anew without the fragment that failed, or else the one that plays. Deleted since the playlist was read: the new
   * playlist knows. Still listed: its file is missing or damaged, and it must not be asked for again.
   */
  private goOnWithout(data: ErrorData | null, notice: HistoryNotice | null): void {
    const { feed, momentMs } = this;
    if (!feed || momentMs === null) return;
    const failed = typeof data?.frag?.sn === 'number' ? data.frag.sn : feed.playlist.find(momentMs)?.index;
    const entry = failed === undefined ? undefined : feed.playlist.entries[failed];
    if (!entry || this.excluded.size >= MAX_EXCLUDED) {
      this.fail(new FootageUnavailable('removed', 'too much of this footage cannot be read'));
      return;
    }
    this.excluded.add(keyOf(entry));
    this.drawFreezeFrame();
    void this.load(
      momentMs,
      'after',
      notice && { ...notice, ...(notice.kind === 'damaged' ? { atMs: entry.startMs } : {}) },
    );
  }

  private fail(loss: FootageUnavailable): void {
    this.drawFreezeFrame();
    this.dropHls();
    const { attempt } = this.snapshot;
    const cause = { kind: loss.kind, message: loss.message };
    const delayMs = retryDelayMs(loss.kind, attempt, (this.options.random ?? Math.random)());
    if (delayMs === null || this.momentMs === null) {
      this.update({ state: 'failed', cause, retryAt: null });
      return;
    }
    const momentMs = this.momentMs;
    this.update({ state: 'retrying', cause, attempt: attempt + 1, retryAt: Date.now() + delayMs });
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => void this.load(momentMs, 'after'), delayMs);
  }

  private resetErrors(): void {
    clearTimeout(this.retryTimer);
    this.healthySince = null;
    if (this.snapshot.attempt > 0 || this.snapshot.cause) this.update({ attempt: 0, cause: null, retryAt: null });
  }

  // --- while it plays ----------------------------------------------------------------------------------------

  private get fragments(): readonly TimedFragment[] {
    return this.hls?.levels[0]?.details?.fragments ?? [];
  }

  private watch(): void {
    const { video, feed, abort } = this;
    if (!video || !feed || !this.hls || !abort) return;
    const remaining = feed.playlist.durationSeconds - video.currentTime;
    const { speed } = this.snapshot;
    feed.keepAhead(remaining, speed, abort.signal);
    if (feed.isAtTail && speed > 1 && remaining < CAUGHT_UP_SECONDS * speed && this.isPlayingDesired) {
      this.setSpeed(1);
      this.update({ notice: { kind: 'caught_up' } });
    }
    this.watchRate(video, remaining);
    this.refresh();
  }

  /** Notices playback that stands still or cannot keep its speed. */
  private watchRate(video: HTMLVideoElement, remaining: number): void {
    const at = performance.now();
    const { speed, state, attempt } = this.snapshot;
    if (state === 'playing') {
      this.healthySince ??= at;
      if (at - this.healthySince > HEALTHY_AFTER_MS && attempt > 0) this.update({ attempt: 0 });
    } else this.healthySince = null;
    if (!this.isPlayingDesired || this.isLoading || document.hidden || remaining < 2 || video.seeking) {
      this.resetRateWatchdog();
      return;
    }
    const verdict = this.rateWatchdog.judge(at, video.currentTime, speed);
    const lower = SPEEDS[SPEEDS.indexOf(speed) - 1];
    if (verdict === 'stuck') this.handleMediaError(null);
    else if (verdict === 'slow' && speed > 1 && lower) {
      this.setSpeed(lower);
      this.update({ notice: { kind: 'too_fast', asked: speed, now: lower } });
    }
  }

  private resetRateWatchdog(): void {
    this.rateWatchdog.reset(performance.now(), this.video?.currentTime ?? 0);
  }

  private followFrames(video: HTMLVideoElement, hls: HlsInstance): void {
    if (!('requestVideoFrameCallback' in video)) return;
    const onFrame = (_at: number, { mediaTime }: { mediaTime: number }) => {
      if (hls !== this.hls || video !== this.video) return;
      this.stepper.notice(mediaTime, this.isPlayingDesired && this.snapshot.speed <= 1);
      if (this.freezeFrame) this.freezeFrame.hidden = true;
      this.followMoment(mediaTime);
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }

  private followMoment(mediaSeconds: number): void {
    if (this.isLoading || !this.hls) return;
    const fragments = this.fragments;
    const moment = momentAt(fragments, mediaSeconds);
    const before = this.lastMediaSeconds;
    this.lastMediaSeconds = mediaSeconds;
    if (moment === null || this.video?.readyState === 0) return;
    const isNext = before !== null && mediaSeconds > before && mediaSeconds - before < 2 * this.snapshot.speed;
    const skip = isNext ? skipBehind(fragments, before, mediaSeconds) : null;
    if (skip && this.isPlayingDesired) this.update({ notice: { kind: 'skipped', skip } });
    const isDue =
      skip !== null || !this.isPlayingDesired || performance.now() - this.momentToldAt >= MOMENT_INTERVAL_MS;
    if (isDue && !this.video?.seeking) this.reportMoment(moment);
  }

  private reportMoment(momentMs: number): void {
    this.momentToldAt = performance.now();
    if (this.momentMs === momentMs) return;
    this.momentMs = momentMs;
    for (const listener of this.momentListeners) listener();
  }

  /** Says what the element is doing; nothing else decides this. */
  private refresh(): void {
    const { video, snapshot } = this;
    if (!video || snapshot.state === 'idle' || snapshot.state === 'retrying' || snapshot.state === 'failed') return;
    let state: HistoryState;
    if (this.isLoading || !this.hls) state = 'loading';
    else if (this.isPastEnd) state = 'ended';
    else if (video.readyState >= 3 && !video.seeking) state = this.isPlayingDesired ? 'playing' : 'paused';
    else if (video.readyState >= 2 && !video.seeking && !this.isPlayingDesired) state = 'paused';
    else if (this.hasRunOut(video)) state = 'ended';
    else state = 'buffering';
    if (state !== snapshot.state) this.update({ state });
  }

  private hasRunOut(video: HTMLVideoElement): boolean {
    const { feed } = this;
    if (!feed?.isAtTail || feed.playlist.durationSeconds - video.currentTime > 2) return false;
    return this.now() - feed.grewAt > ENDED_AFTER_MS;
  }

  private drawFreezeFrame(): void {
    const { video, freezeFrame } = this;
    if (video && freezeFrame && video.readyState >= 2) drawFreezeFrame(video, freezeFrame);
  }

  private startVideo(): void {
    const { video } = this;
    video?.play()?.catch((error: DOMException) => {
      // Sound without a click is forbidden; a silent picture is not.
      if (error.name !== 'NotAllowedError' || video !== this.video) return;
      this.setSound(true, this.snapshot.volume);
      video.play().catch(() => {});
    });
  }

  private applySound(): void {
    const { video, snapshot } = this;
    if (!video) return;
    video.muted = snapshot.isMuted || snapshot.speed > FASTEST_WITH_SOUND;
    video.volume = snapshot.volume;
    video.defaultPlaybackRate = snapshot.speed;
    video.playbackRate = snapshot.speed;
  }

  private update(change: Partial<HistorySnapshot>): void {
    this.snapshot = { ...this.snapshot, ...change };
    if (this.video) this.video.dataset.playerState = this.snapshot.state;
    for (const listener of this.listeners) listener();
  }
}
