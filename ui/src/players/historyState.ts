// The states of the recorded player, its errors and notices; shared by the player and its page.
import { MIN_SKIP_MS, type Skip } from './footageClock';

/** Selectable playback speeds. */
export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;
export type Speed = (typeof SPEEDS)[number];

/** At higher speeds, sound is not intelligible. */
export const FASTEST_WITH_SOUND: Speed = 4;

export type HistoryState = 'idle' | 'loading' | 'playing' | 'paused' | 'buffering' | 'ended' | 'retrying' | 'failed';

export type FootageLossKind =
  'network' | 'server' | 'no_footage' | 'removed' | 'deleted' | 'forbidden' | 'unsupported' | 'damaged';

/** Footage that cannot be played. `nearest…` are the nearest moments with footage. */
export class FootageUnavailable extends Error {
  readonly kind: FootageLossKind;
  readonly nearestBeforeMs: number | null;
  readonly nearestAfterMs: number | null;

  constructor(
    kind: FootageLossKind,
    message: string,
    nearestBeforeMs: number | null = null,
    nearestAfterMs: number | null = null,
  ) {
    super(message);
    this.name = 'FootageUnavailable';
    this.kind = kind;
    this.nearestBeforeMs = nearestBeforeMs;
    this.nearestAfterMs = nearestAfterMs;
  }
}

/** A message that does not interrupt playback. */
export type HistoryNotice =
  /** `isUnreadable`: there is footage, whose file is missing or damaged. */
  | { kind: 'skipped'; skip: Skip; isUnreadable?: true }
  | { kind: 'too_fast'; requested: Speed; now: Speed }
  | { kind: 'caught_up' }
  | { kind: 'damaged'; atMs: number };

/** The notice that another moment is shown than the requested one; null when the difference is too small to matter. */
export function skippedNotice(requestedMs: number, shownMs: number): HistoryNotice | null {
  if (Math.abs(shownMs - requestedMs) < MIN_SKIP_MS) return null;
  return {
    kind: 'skipped',
    skip: shownMs > requestedMs ? { fromMs: requestedMs, toMs: shownMs } : { fromMs: shownMs, toMs: requestedMs },
  };
}

export interface HistorySnapshot {
  state: HistoryState;
  /** Why the player waits, retries or failed; null without an error. */
  cause: { kind: FootageLossKind; message: string } | null;
  attempt: number;
  /** When the next attempt is due, in milliseconds of Date.now(). */
  retryAt: number | null;
  notice: HistoryNotice | null;
  speed: Speed;
  hasAudio: boolean;
  isMuted: boolean;
  volume: number;
}

export const FIRST_HISTORY: HistorySnapshot = {
  state: 'idle',
  cause: null,
  attempt: 0,
  retryAt: null,
  notice: null,
  speed: 1,
  hasAudio: false,
  isMuted: true,
  volume: 1,
};

export interface Budget {
  maxBufferLength: number;
  maxMaxBufferLength: number;
  maxBufferSize: number;
  backBufferLength: number;
}

/** Buffer sizes of hls.js: larger at higher speeds, within the memory limits of browsers. */
export function bufferBudget(speed: Speed): Budget {
  const ahead = Math.min(90, 20 + 8 * speed);
  return {
    maxBufferLength: ahead,
    maxMaxBufferLength: 2 * ahead,
    maxBufferSize: 96_000_000,
    backBufferLength: speed > 4 ? 10 : 30,
  };
}

const RETRY_DELAYS_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];

/** Doubles up to 15 seconds; null where another attempt cannot help. */
export function retryDelayMs(kind: FootageLossKind, attempt: number, random: number): number | null {
  if (
    kind === 'forbidden' ||
    kind === 'deleted' ||
    kind === 'unsupported' ||
    kind === 'no_footage' ||
    kind === 'damaged'
  )
    return null;
  const longest = RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length - 1)] ?? 15_000;
  return Math.round(longest * (0.5 + random / 2));
}
