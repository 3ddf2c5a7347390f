// Playing recordings: seeking to any moment, across gaps, and recovery from errors.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeHls } from '../../test/FakeHls';
import { fakeVideo, type FakeVideo } from '../../test/FakeVideo';
import { answerFootage, fragmentStarts } from '../../test/footage';
import type { Window } from './FootageFeed';
import { FootageUnavailable } from './historyState';
import { HistoryPlayer } from './HistoryPlayer';

const HOUR = 3_600_000;
const T = Date.parse('2026-03-01T10:00:00Z');
const NOW = T + 10 * HOUR;

let footage: number[];
let error: Error | null;
let requested: Window[];
let made: FakeHls[];
let video: FakeVideo;
let player: HistoryPlayer;
let detach: () => void;
let now: number;

const flush = async () => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};
const hls = () => made.at(-1) as FakeHls;
const state = () => player.getSnapshot().state;

async function open(momentMs: number): Promise<void> {
  player.seek(momentMs);
  await flush();
  video.element.currentTime = Number(hls()?.config.startPosition ?? 0);
  video.setReady(true);
}

beforeEach(() => {
  vi.useFakeTimers();
  footage = fragmentStarts(T, T + HOUR);
  error = null;
  requested = [];
  made = [];
  now = NOW;
  video = fakeVideo();
  player = new HistoryPlayer({
    fetchPlaylist: (window) => {
      requested.push(window);
      if (error) return Promise.reject(error);
      try {
        return Promise.resolve(answerFootage(footage, window));
      } catch (error) {
        return Promise.reject(error as Error);
      }
    },
    playlistUrl: '/playlist',
    addressOf: ({ fromMs, toMs }) => `/playlist?start=${fromMs}&end=${toMs}`,
    createHls: (config) => {
      const instance = new FakeHls(config);
      made.push(instance);
      return Promise.resolve(instance.asInstance());
    },
    now: () => now,
    random: () => 1,
  });
  detach = player.attach(video.element, document.createElement('canvas'));
});

afterEach(() => {
  detach();
  vi.useRealTimers();
});

test('a moment is played from the window around it', async () => {
  await open(T + 1_800_000);
  expect(state()).toBe('playing');
  expect(player.getMoment()).toBe(T + 1_800_000);
  expect(requested).toEqual([{ fromMs: T + 1_200_000, toMs: T + 1_800_000 + HOUR }]);
  expect(hls().config.startPosition).toBe(600);
  video.advanceTo(601);
  vi.advanceTimersByTime(300);
  video.advanceTo(601.5);
  expect(player.getMoment()).toBe(T + 1_801_500);
});

test('a moment in the loaded window is shown without a request', async () => {
  await open(T + 1_800_000);
  player.seek(T + 1_900_000);
  expect(video.element.currentTime).toBe(700);
  expect(requested).toHaveLength(1);
  expect(made).toHaveLength(1);
});

test('a moment outside of the window opens another one, and the previous hls.js is destroyed', async () => {
  footage = fragmentStarts(T, T + 5 * HOUR);
  await open(T);
  await open(T + 4 * HOUR);
  expect(requested).toHaveLength(2);
  expect(made[0]?.isDestroyed).toBe(true);
  expect(player.getMoment()).toBe(T + 4 * HOUR);
});

test('a moment in a gap leads to the next footage with a notice', async () => {
  footage = [...fragmentStarts(T, T + 600_000), ...fragmentStarts(T + 900_000, T + HOUR)];
  await open(T + 700_000);
  expect(player.getMoment()).toBe(T + 900_000);
  expect(player.getSnapshot().notice).toEqual({ kind: 'skipped', skip: { fromMs: T + 700_000, toMs: T + 900_000 } });
});

test('a gap of a day is crossed to the nearest footage that the server names', async () => {
  footage = [...fragmentStarts(T - 24 * HOUR, T - 23 * HOUR), ...fragmentStarts(T, T + HOUR)];
  await open(T - 12 * HOUR);
  expect(player.getMoment()).toBe(T);
});

test('going back into a gap leads to the footage before it', async () => {
  footage = [...fragmentStarts(T, T + 600_000), ...fragmentStarts(T + 900_000, T + HOUR)];
  await open(T + 905_000);
  player.skip(-10);
  // Five of the ten seconds lie before the gap, because gaps do not count.
  expect(player.getMoment()).toBe(T + 595_000);
});

test('a gap that playback crosses is reported', async () => {
  footage = [...fragmentStarts(T, T + 600_000), ...fragmentStarts(T + 900_000, T + HOUR)];
  await open(T + 598_000);
  const at = Number(hls().config.startPosition);
  video.advanceTo(at + 1.9);
  video.advanceTo(at + 2.1);
  expect(player.getSnapshot().notice).toEqual({ kind: 'skipped', skip: { fromMs: T + 600_000, toMs: T + 900_000 } });
  expect(player.getMoment()).toBeCloseTo(T + 900_100, -1);
});

test('the next window is fetched before the current one ends, and playback continues in it', async () => {
  footage = fragmentStarts(T, T + 3 * HOUR);
  await open(T + 600_000);
  expect(player.getMoment()).toBe(T + 600_000);
  video.advanceTo(600 + 3_600 - 30);
  vi.advanceTimersByTime(1_000);
  await flush();
  expect(requested).toHaveLength(2);
  expect(requested[1]?.fromMs).toBe(T + 600_000 + HOUR - 2_000 + 1);
  expect(made).toHaveLength(1);
  const details = hls().levels[0]?.details.fragments ?? [];
  expect(details.at(-1)?.programDateTime).toBeGreaterThan(T + 2 * HOUR);
});

test('a moment after the newest footage shows its end with the state ended', async () => {
  await open(T + 5 * HOUR);
  expect(state()).toBe('ended');
  expect(player.getMoment()).toBeGreaterThan(T + HOUR - 2_000);
  expect(video.play).not.toHaveBeenCalled();
});

test('playback that reaches the newest footage ends, and continues when more is recorded', async () => {
  now = T + HOUR + 2_000;
  await open(T + HOUR - 20_000);
  video.advanceTo(Number(hls().config.startPosition) + 19.9);
  video.setReady(false);
  expect(state()).toBe('buffering');
  now += 30_000;
  vi.advanceTimersByTime(500);
  await flush();
  vi.advanceTimersByTime(500);
  expect(state()).toBe('ended');
  footage = fragmentStarts(T, T + HOUR + 20_000);
  now += 5_000;
  vi.advanceTimersByTime(1_000);
  await flush();
  video.setReady(true);
  expect(state()).toBe('playing');
});

test('a camera without recordings is reported and not requested again', async () => {
  footage = [];
  player.seek(T);
  await flush();
  expect(state()).toBe('failed');
  expect(player.getSnapshot().cause?.kind).toBe('no_footage');
  vi.advanceTimersByTime(60_000);
  expect(requested).toHaveLength(1);
});

test('a lost network is retried at the same moment with increasing delays', async () => {
  await open(T + 600_000);
  error = new FootageUnavailable('network', 'the server cannot be reached');
  hls().failFatally({ type: 'networkError', details: 'fragLoadError' });
  expect(state()).toBe('retrying');
  vi.advanceTimersByTime(500);
  await flush();
  expect(requested).toHaveLength(2);
  vi.advanceTimersByTime(500);
  await flush();
  expect(requested).toHaveLength(2);
  error = null;
  vi.advanceTimersByTime(600);
  await flush();
  expect(requested).toHaveLength(3);
  video.setReady(true);
  expect(state()).toBe('playing');
  expect(player.getMoment()).toBe(T + 600_000);
});

test('footage that retention deletes during playback is skipped to the next footage', async () => {
  await open(T + 600_000);
  footage = fragmentStarts(T + 1_200_000, T + HOUR);
  hls().failFatally({
    type: 'networkError',
    details: 'fragLoadError',
    response: { url: '', data: undefined, code: 404 },
  });
  await flush();
  video.setReady(true);
  expect(state()).toBe('playing');
  expect(player.getMoment()).toBe(T + 1_200_000);
  expect(player.getSnapshot().notice?.kind).toBe('skipped');
});

test('a listed file that is missing is excluded, and playback continues at the same moment', async () => {
  await open(T + 600_000);
  // Ten fragments ahead of the current one.
  hls().failFatally({
    type: 'networkError',
    details: 'fragLoadError',
    frag: { sn: 310 },
    response: { url: '', data: undefined, code: 404 },
  });
  await flush();
  video.setReady(true);
  expect(state()).toBe('playing');
  expect(player.getMoment()).toBe(T + 600_000);
  const starts = hls().levels[0]?.details.fragments.map(({ programDateTime }) => programDateTime);
  expect(starts).toContain(T + 618_000);
  expect(starts).not.toContain(T + 620_000);
  expect(starts).toContain(T + 622_000);
});

test('a storage that cannot be read at all is not skipped file by file forever', async () => {
  await open(T + 600_000);
  for (let count = 0; count < 120 && state() !== 'retrying'; count += 1) {
    hls().failFatally({
      type: 'networkError',
      details: 'fragLoadError',
      response: { url: '', data: undefined, code: 404 },
    });
    await flush();
  }
  expect(state()).toBe('retrying');
  expect(player.getSnapshot().cause?.kind).toBe('removed');
});

test('the decoder is reset once; a fragment that fails again is excluded', async () => {
  await open(T + 600_000);
  hls().failFatally({ type: 'mediaError', details: 'bufferAppendError' });
  expect(hls().recoveries).toBe(1);
  hls().failFatally({ type: 'mediaError', details: 'bufferAppendError' });
  await flush();
  expect(made).toHaveLength(2);
  expect(player.getSnapshot().notice?.kind).toBe('damaged');
});

test('an unsupported codec is reported and not retried', async () => {
  await open(T);
  hls().failFatally({ type: 'mediaError', details: 'bufferAddCodecError', mimeType: 'hvc1.1.6.L93' });
  expect(player.getSnapshot()).toMatchObject({ state: 'failed', cause: { kind: 'unsupported' } });
});

test('fast playback is muted and keeps the sound settings', async () => {
  await open(T);
  player.setSound(false, 0.5);
  player.setSpeed(16);
  expect(video.element.playbackRate).toBe(16);
  expect(video.element.muted).toBe(true);
  player.setSpeed(2);
  expect(video.element.muted).toBe(false);
});

test('a speed that cannot be kept is lowered with a notice', async () => {
  await open(T);
  player.setSpeed(16);
  for (let second = 1; second <= 7; second += 1) {
    video.advanceTo(second * 2);
    vi.advanceTimersByTime(1_000);
  }
  expect(player.getSnapshot()).toMatchObject({ speed: 8, notice: { kind: 'too_fast', requested: 16, now: 8 } });
});

test('fast playback returns to normal speed at the newest footage', async () => {
  now = T + HOUR + 1_000;
  await open(T + HOUR - 20_000);
  player.setSpeed(2);
  video.advanceTo(Number(hls().config.startPosition) + 17);
  vi.advanceTimersByTime(600);
  expect(player.getSnapshot()).toMatchObject({ speed: 1, notice: { kind: 'caught_up' } });
});

test('a step moves by one frame and pauses', async () => {
  await open(T + 600_000);
  player.step(1);
  expect(state()).toBe('paused');
  expect(video.element.currentTime).toBeCloseTo(600.06, 3);
  player.step(-1);
  expect(video.element.currentTime).toBeCloseTo(600.04, 3);
});

test('a moment that is not stored yet is replaced by the latest possible one', async () => {
  now = T + HOUR;
  await open(T + HOUR + 60_000);
  expect(player.getMoment()).toBe(T + HOUR - 15_000);
  expect(state()).toBe('playing');
});

test('a seek during a pause stays paused', async () => {
  await open(T);
  player.pause();
  video.play.mockClear();
  player.seek(T + 60_000);
  expect(state()).toBe('paused');
  expect(video.play).not.toHaveBeenCalled();
});

test('close releases everything and may be called twice', async () => {
  await open(T);
  player.close();
  player.close();
  expect(hls().isDestroyed).toBe(true);
  expect(state()).toBe('idle');
  expect(player.getMoment()).toBeNull();
  vi.advanceTimersByTime(60_000);
  expect(requested).toHaveLength(1);
});

const refusal = (message: string) => ({
  type: 'networkError',
  details: 'fragLoadError',
  response: { url: '', data: undefined, code: 503 },
  networkDetails: { response: new TextEncoder().encode(JSON.stringify({ message })).buffer },
});

test('footage that the archive does not send is reported in the words of the server while nothing can be shown', async () => {
  player.seek(T);
  await flush();
  hls().emit('hlsError', { fatal: false, ...refusal('the archive is away') });
  expect(state()).toBe('retrying');
  expect(player.getSnapshot().cause).toEqual({ kind: 'server', message: 'the archive is away' });
  await vi.advanceTimersByTimeAsync(600);
  await flush();
  expect(state()).toBe('buffering');
  expect(player.getSnapshot().cause?.message).toBe('the archive is away');
  video.setReady(true);
  expect(state()).toBe('playing');
  expect(player.getSnapshot().cause).toBeNull();
});

test('an archive that does not send does not interrupt footage that is loaded already', async () => {
  await open(T);
  hls().emit('hlsError', { fatal: false, ...refusal('the archive is away') });
  expect(state()).toBe('playing');
  expect(player.getSnapshot().cause).toBeNull();
});

test('footage whose file is missing although it is listed is skipped with the reason', async () => {
  await open(T);
  hls().failFatally({
    type: 'networkError',
    details: 'fragLoadError',
    frag: { sn: 0 },
    response: { url: '', data: undefined, code: 404 },
  });
  await flush();
  expect(player.getSnapshot().notice).toMatchObject({ kind: 'skipped', skip: { fromMs: T }, isUnreadable: true });
});

test('footage that hls.js cannot load and leaves out is reported', async () => {
  await open(T + 600_000);
  const at = Number(hls().config.startPosition);
  video.advanceTo(at + 1.9);
  for (const fragment of hls().levels[0]?.details.fragments ?? [])
    if (fragment.start >= at + 2 && fragment.start < at + 62) fragment.gap = true;
  video.advanceTo(at + 62.1);
  expect(player.getSnapshot().notice).toMatchObject({ kind: 'skipped', isUnreadable: true });
});
