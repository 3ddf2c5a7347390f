// The player for recordings, without a user interface: shows the requested moment on a <video> element, across gaps,
// deletions, network errors and damaged files, and reports its state.
import type { ErrorData } from 'hls.js';
import { STORE_DELAY_MS, type FetchPlaylist, type Window } from './FootageFeed';
import type { Place } from './FootagePlaylist';
import type { FootageSession } from './FootageSession';
import { momentAt } from './footageClock';
import { FrameStepper } from './FrameStepper';
import { drawFreezeFrame } from './freezeFrame';
import type { HlsFactory } from './hlsLibrary';
import {
  FIRST_HISTORY,
  FootageUnavailable,
  retryDelayMs,
  skippedNotice,
  SPEEDS,
  type HistoryNotice,
  type HistorySnapshot,
  type Speed,
} from './historyState';
import { asLoss, classifyError, outageOf } from './historyErrors';
import { applySoundAndSpeed, observeState, observeVideo } from './historyVideo';
import { needsNativeHls } from './mediaSupport';
import { MomentTracker } from './MomentTracker';
import { NATIVE_OPEN_ERROR } from './NativeHls';
import { NativeRecordingSession } from './NativeRecordingSession';
import { PlayerStore } from './PlayerStore';
import { RateWatchdog } from './RateWatchdog';
import { RecordingSession } from './RecordingSession';
import { UnplayableFragments } from './UnplayableFragments';
import { playOrMute } from './videoElement';

export interface HistoryPlayerOptions {
  /** Throws FootageUnavailable. */
  fetchPlaylist: FetchPlaylist;
  /** Base address of the fragments in a playlist. */
  playlistUrl: string;
  /** Address of the playlist of a window, for browsers that play it themselves. */
  addressOf(window: Window): string;
  createHls?: HlsFactory;
  now?: () => number;
  random?: () => number;
}

const WATCH_INTERVAL_MS = 500;
/** Without new footage for this long, the player is at the end of the footage. */
const ENDED_AFTER_MS = 12_000;
/** Faster playback falls back to normal speed this close to the newest footage. */
const CAUGHT_UP_SECONDS = 3;
/** Playback this long without an error resets the count of attempts. */
const HEALTHY_AFTER_MS = 10_000;
/** A browser that fails to open more footage than this in a row cannot decode any of it. */
const MAX_UNOPENED = 4;

export class HistoryPlayer {
  private readonly store = new PlayerStore<HistorySnapshot>(FIRST_HISTORY);
  private readonly moment = new MomentTracker();
  private readonly options: HistoryPlayerOptions;
  private readonly now: () => number;
  private video: HTMLVideoElement | null = null;
  private freezeFrame: HTMLCanvasElement | null = null;
  /** Closed but kept after an error: skip() still needs to know that footage was open. */
  private session: FootageSession | null = null;
  private abort: AbortController | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private watchTimer: ReturnType<typeof setInterval> | undefined;
  /** Compared to drop the results of an earlier load. */
  private generation = 0;
  private isPlayingDesired = false;
  private isPastEnd = false;
  private isLoading = false;
  private readonly stepper = new FrameStepper();
  private readonly rateWatchdog = new RateWatchdog();
  private healthySince: number | null = null;
  /** Failures of the browser to open footage that the server has, since the last picture. */
  private unopened = 0;
  private readonly unplayable = new UnplayableFragments();

  constructor(options: HistoryPlayerOptions) {
    this.options = options;
    this.now = options.now ?? Date.now;
  }

  // --- the interface for the page ----------------------------------------------------------------------------

  getSnapshot = this.store.getSnapshot;

  subscribe = this.store.subscribe;

  /** The moment on the screen in milliseconds since 1970, by the recording's own clock; null before the first seek. */
  getMoment = this.moment.get;

  subscribeMoment = this.moment.subscribe;

  /** The capture time of the frame with this media time; null while nothing is open. */
  momentOf = (mediaSeconds: number): number | null => {
    const fragments = this.session?.isOpen && !this.isLoading ? this.session.fragments : [];
    return momentAt(fragments, mediaSeconds);
  };

  /** Takes the elements to draw on; returns the function that releases them. */
  attach(video: HTMLVideoElement, freezeFrame: HTMLCanvasElement): () => void {
    this.video = video;
    this.freezeFrame = freezeFrame;
    this.applySound();
    const stopObserving = observeVideo(video, {
      onChange: () => this.refresh(),
      onTime: (mediaSeconds) => this.followMoment(mediaSeconds),
      getFrame: () => this.stepper.frame,
    });
    const online = () => this.snapshot.state === 'retrying' && this.retryNow();
    // Phones pause a video in the background, and leave it so.
    const shown = () => {
      const isExpected = this.isPlayingDesired && !this.isPastEnd && this.session?.isOpen;
      if (!document.hidden && isExpected && video.paused) this.startVideo();
    };
    window.addEventListener('online', online);
    document.addEventListener('visibilitychange', shown);
    return () => {
      this.close();
      stopObserving();
      window.removeEventListener('online', online);
      document.removeEventListener('visibilitychange', shown);
      this.video = null;
      this.freezeFrame = null;
    };
  }

  /** Shows a moment: at once when it is loaded, else from a new window; in a gap, the nearest footage on `side`. */
  seek(requestedMs: number, side: 'after' | 'before' = 'after'): void {
    const momentMs = Math.min(requestedMs, this.now() - STORE_DELAY_MS);
    this.moment.report(momentMs);
    this.resetErrors();
    const place = this.session?.find(momentMs, side);
    if (this.session?.isOpen && place && !this.isLoading) {
      this.isPastEnd = false;
      this.goTo(this.session, place, momentMs);
    } else void this.load(momentMs, side);
  }

  /** Seeks by seconds of footage, forwards or backwards; gaps do not count. */
  skip(seconds: number): void {
    const { video, session } = this;
    const currentMs = this.moment.get();
    if (!video || !session || currentMs === null) return;
    const momentMs = session.momentAt(video.currentTime + seconds) ?? currentMs + seconds * 1000;
    this.seek(momentMs, seconds < 0 ? 'before' : 'after');
  }

  /** Steps one frame forwards or backwards and pauses. */
  step(direction: 1 | -1): void {
    const { video } = this;
    if (!video || !this.session?.isOpen) return;
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
    if (this.session?.isOpen) this.session.setSpeed(speed);
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

  /** Starts the next attempt now instead of at its due time. */
  retryNow(): void {
    const momentMs = this.moment.get();
    if (momentMs === null) return;
    this.isPlayingDesired = true;
    void this.load(momentMs, 'after');
  }

  /** Ends playback and releases network, decoder and memory. May be called twice. */
  close(): void {
    this.generation += 1;
    this.abort?.abort();
    this.abort = null;
    clearTimeout(this.retryTimer);
    clearInterval(this.watchTimer);
    this.watchTimer = undefined;
    this.session?.close();
    this.session = null;
    this.isLoading = false;
    this.isPlayingDesired = false;
    if (this.freezeFrame) this.freezeFrame.hidden = true;
    this.moment.clear();
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
    // The last error stays until an attempt succeeds: a text that comes and goes cannot be read.
    this.update(
      this.snapshot.attempt > 0
        ? { state: 'retrying', retryAt: null }
        : { state: 'loading', cause: null, retryAt: null },
    );
    try {
      const Session = !this.options.createHls && needsNativeHls() ? NativeRecordingSession : RecordingSession;
      const session: FootageSession = await Session.open(
        { ...this.options, now: this.now, excluded: this.unplayable.keys, getSpeed: () => this.snapshot.speed },
        momentMs,
        side,
        abort.signal,
      );
      if (generation !== this.generation || this.video !== video) {
        session.close();
        return;
      }
      this.mount(session, video, momentMs, notice);
    } catch (error) {
      if (abort.signal.aborted || generation !== this.generation) return;
      this.isLoading = false;
      this.fail(asLoss(error));
    }
  }

  private mount(
    session: FootageSession,
    video: HTMLVideoElement,
    requestedMs: number,
    notice: HistoryNotice | null,
  ): void {
    const { place, isPastEnd } = session;
    this.drawFreezeFrame();
    this.session?.close();
    this.session = session;
    this.isLoading = false;
    this.isPastEnd = isPastEnd;
    this.moment.restart();
    this.stepper.reset();
    this.moment.report(place.momentMs);
    const skipped = isPastEnd ? null : skippedNotice(requestedMs, place.momentMs);
    // After an error its text stays until there is a picture.
    const { attempt, cause } = this.snapshot;
    const told = notice ?? this.explain(skipped);
    this.update({ state: 'loading', cause: attempt > 0 ? cause : null, notice: told });
    session.mount(video, {
      onError: (data) => this.handleError(data),
      onLoss: (loss) => this.fail(loss),
      onPlayed: (endMs) => void this.load(endMs, 'after'),
      onTracks: (hasAudio) => this.update({ hasAudio }),
      onFrame: (mediaSeconds) => this.showFrame(mediaSeconds),
    });
    this.resetRateWatchdog();
    this.applySound();
    if (this.isPlayingDesired && !isPastEnd) this.startVideo();
    else video.pause();
    this.refresh();
  }

  private goTo(session: FootageSession, place: Place, requestedMs: number): void {
    const { video } = this;
    if (!video) return;
    this.moment.restart();
    this.stepper.reset();
    this.moment.report(place.momentMs);
    this.update({ notice: this.explain(skippedNotice(requestedMs, place.momentMs)) });
    session.seekTo(video, place);
    if (this.isPlayingDesired) this.startVideo();
    this.resetRateWatchdog();
    this.refresh();
  }

  // --- errors ------------------------------------------------------------------------------------------------

  private handleError(data: ErrorData): void {
    this.unopened += (data.details as string) === NATIVE_OPEN_ERROR ? 1 : 0;
    if (this.unopened > MAX_UNOPENED) {
      this.fail(new FootageUnavailable('unsupported', 'this browser cannot decode this video'));
      return;
    }
    const error = classifyError(data);
    if (error === 'media') this.handleMediaError(data);
    else if (error === 'gone') this.continueWithout(data, null);
    else if (error) this.fail(error);
    else this.tellOutage(data);
  }

  /** hls.js asks again by itself: nothing is lost while there is footage to show, and a viewer who waits sees the reason. */
  private tellOutage(data: ErrorData): void {
    this.refresh();
    const { state } = this.snapshot;
    const outage = state === 'loading' || state === 'buffering' ? outageOf(data) : null;
    if (outage) this.fail(outage);
  }

  /** Resets the decoder first; a fragment that fails again is excluded. */
  private handleMediaError(data: ErrorData | null): void {
    if (this.unplayable.isRepeatedMediaError(performance.now())) {
      this.continueWithout(data, { kind: 'damaged', atMs: this.moment.get() ?? 0 });
      return;
    }
    this.drawFreezeFrame();
    this.session?.recoverMediaError();
    if (this.isPlayingDesired) this.startVideo();
  }

  /**
   * Reloads without the fragment that failed, or else without the one that plays. If it was deleted after the playlist was
   * read, the new playlist lacks it; if it is still listed, its file is missing or damaged and must not be requested again.
   */
  private continueWithout(data: ErrorData | null, notice: HistoryNotice | null): void {
    const { session } = this;
    const momentMs = this.moment.get();
    if (!session || momentMs === null) return;
    const excluded = this.unplayable.exclude(session.feed.playlist, data?.frag?.sn, momentMs);
    if (!excluded) {
      this.fail(new FootageUnavailable('removed', 'too much of this footage cannot be read'));
      return;
    }
    this.drawFreezeFrame();
    void this.load(
      momentMs,
      'after',
      notice && { ...notice, ...(notice.kind === 'damaged' ? { atMs: excluded.startMs } : {}) },
    );
  }

  private fail(loss: FootageUnavailable): void {
    this.drawFreezeFrame();
    this.session?.close();
    const { attempt } = this.snapshot;
    const cause = { kind: loss.kind, message: loss.message };
    const delayMs = retryDelayMs(loss.kind, attempt, (this.options.random ?? Math.random)());
    const momentMs = this.moment.get();
    if (delayMs === null || momentMs === null) {
      this.update({ state: 'failed', cause, retryAt: null });
      return;
    }
    this.update({ state: 'retrying', cause, attempt: attempt + 1, retryAt: Date.now() + delayMs });
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => void this.load(momentMs, 'after'), delayMs);
  }

  private resetErrors(): void {
    clearTimeout(this.retryTimer);
    this.healthySince = null;
    if (this.snapshot.attempt > 0 || this.snapshot.cause) this.update({ attempt: 0, cause: null, retryAt: null });
  }

  // --- during playback ---------------------------------------------------------------------------------------

  private watch(): void {
    const { video, session, abort } = this;
    if (!video || !session?.isOpen || !abort) return;
    const { feed } = session;
    const remaining = session.remainingSeconds(video);
    const { speed } = this.snapshot;
    session.keepAhead(remaining, speed, abort.signal);
    if (feed.isAtTail && speed > 1 && remaining < CAUGHT_UP_SECONDS * speed && this.isPlayingDesired) {
      this.setSpeed(1);
      this.update({ notice: { kind: 'caught_up' } });
    }
    this.watchRate(video, remaining);
    this.refresh();
  }

  /** Reacts to playback that stands still or cannot keep its speed. */
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
      this.update({ notice: { kind: 'too_fast', requested: speed, now: lower } });
    }
  }

  private resetRateWatchdog(): void {
    this.rateWatchdog.reset(performance.now(), this.video?.currentTime ?? 0);
  }

  private showFrame(mediaSeconds: number): void {
    this.stepper.notice(mediaSeconds, this.isPlayingDesired && this.snapshot.speed <= 1);
    if (this.freezeFrame) this.freezeFrame.hidden = true;
    this.followMoment(mediaSeconds);
  }

  private followMoment(mediaSeconds: number): void {
    const { session } = this;
    if (this.isLoading || !session?.isOpen) return;
    const frame = this.moment.advance(session.fragments, mediaSeconds, this.snapshot.speed);
    if (!frame || this.video?.readyState === 0) return;
    this.unopened = 0;
    const { momentMs, skip, isUnreadable } = frame;
    if (skip && this.isPlayingDesired)
      this.update({ notice: this.explain({ kind: 'skipped', skip, ...(isUnreadable ? { isUnreadable } : {}) }) });
    const isDue = skip !== null || !this.isPlayingDesired || this.moment.isReportDue;
    if (isDue && !this.video?.seeking) this.moment.report(momentMs);
  }

  /** Derives the state from the element; no other method decides it while footage is loaded. */
  private refresh(): void {
    const { video, snapshot } = this;
    if (!video || snapshot.state === 'idle' || snapshot.state === 'retrying' || snapshot.state === 'failed') return;
    const state = observeState(video, {
      isOpening: this.isLoading || !this.session?.isOpen,
      isPastEnd: this.isPastEnd,
      isPlayingDesired: this.isPlayingDesired,
      hasRunOut: this.hasRunOut(video),
    });
    const isShown = state !== 'loading' && state !== 'buffering';
    if (state !== snapshot.state || (isShown && snapshot.cause))
      this.update({ state, cause: isShown ? null : snapshot.cause });
  }

  /** Says of skipped footage when it was left out because it could not be read. */
  private explain(notice: HistoryNotice | null): HistoryNotice | null {
    if (notice?.kind !== 'skipped') return notice;
    const { fromMs, toMs } = notice.skip;
    const leftOut = this.session?.feed.playlist.skipped ?? [];
    const isUnreadable = leftOut.some(({ startMs, durationMs }) => startMs < toMs && startMs + durationMs > fromMs);
    return isUnreadable ? { ...notice, isUnreadable } : notice;
  }

  private hasRunOut(video: HTMLVideoElement): boolean {
    const { session } = this;
    if (!session?.feed.isAtTail || session.remainingSeconds(video) > 2) return false;
    return this.now() - session.feed.grewAt > ENDED_AFTER_MS;
  }

  private drawFreezeFrame(): void {
    const { video, freezeFrame } = this;
    if (video && freezeFrame && video.readyState >= 2) drawFreezeFrame(video, freezeFrame);
  }

  private startVideo(): void {
    const { video } = this;
    if (!video) return;
    const isCurrent = () => video === this.video;
    playOrMute(video, isCurrent, () => this.setSound(true, this.snapshot.volume));
  }

  private applySound(): void {
    if (this.video) applySoundAndSpeed(this.video, this.snapshot);
  }

  private get snapshot(): HistorySnapshot {
    return this.store.getSnapshot();
  }

  private update(change: Partial<HistorySnapshot>): void {
    this.store.update(change, this.video);
  }
}
