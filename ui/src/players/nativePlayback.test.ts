// Both players in a browser without Media Source Extensions, as iPhones before iOS 17.1: the element plays HLS itself.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeNativeVideo, stubNativeHls, type FakeNativeVideo } from '../../test/FakeNativeVideo';
import { answerFootage, fragmentStarts } from '../../test/footage';
import { FootageUnavailable } from './historyState';
import { HistoryPlayer } from './HistoryPlayer';
import { HlsLivePlayer } from './HlsLivePlayer';
import { needsNativeHls } from './mediaSupport';

const HOUR = 3_600_000;
const T = Date.parse('2026-03-01T10:00:00Z');

let video: FakeNativeVideo;
let restore: () => void;

const flush = async () => {
  for (let turn = 0; turn < 40; turn += 1) await vi.advanceTimersByTimeAsync(0);
};

beforeEach(() => {
  vi.useFakeTimers();
  restore = stubNativeHls();
  video = fakeNativeVideo();
});

afterEach(() => {
  restore();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test.each(['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource'])('with %s, hls.js is used', (name) => {
  expect(needsNativeHls()).toBe(true);
  vi.stubGlobal(name, class {});
  expect(needsNativeHls()).toBe(false);
});

test('a browser that can do neither is told', async () => {
  restore();
  const player = new HlsLivePlayer({ playlistUrl: '/live' });
  player.start(video.element);
  await flush();
  expect(player.getSnapshot()).toMatchObject({ state: 'failed', cause: expect.stringContaining('Media Source') });
  player.stop();
});

describe('live', () => {
  let player: HlsLivePlayer;
  let reason: string | null;

  beforeEach(async () => {
    reason = null;
    player = new HlsLivePlayer({ playlistUrl: '/live', readReason: () => Promise.resolve(reason) });
    player.start(video.element);
    await flush();
  });

  afterEach(() => player.stop());

  test('the element plays the address of the live playlist', () => {
    expect(video.addresses).toEqual(['/live']);
    expect(video.play).toHaveBeenCalled();
    video.open();
    video.advanceTo(1);
    expect(player.getSnapshot().state).toBe('live');
  });

  test('the delay is that of the wall clock of the picture', () => {
    const start = Date.now() - 6_000;
    video.open((seconds) => start + seconds * 1000);
    video.advanceTo(1);
    vi.advanceTimersByTime(1_000);
    expect(player.getSnapshot().latencySeconds).toBe(6);
  });

  test('without a wall clock, the delay is the distance from the newest footage', () => {
    video.open();
    video.setSeekable(9);
    video.advanceTo(4);
    vi.advanceTimersByTime(1_000);
    expect(player.getSnapshot().latencySeconds).toBe(5);
  });

  test('an error is explained by the server, and another attempt follows', async () => {
    reason = "device 'Yard' sends no video yet: it is connecting, try again";
    video.fail(4);
    await flush();
    expect(player.getSnapshot()).toMatchObject({ state: 'reconnecting', cause: reason });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(video.addresses).toEqual(['/live', '/live']);
  });

  test('an error although the server gives the playlist is one of decoding', async () => {
    video.fail(3);
    await flush();
    expect(player.getSnapshot().cause).toBe('this browser cannot decode what the camera sends');
  });

  test('stop takes the address from the element', () => {
    player.stop();
    expect(video.element.hasAttribute('src')).toBe(false);
    video.fail(4);
    expect(player.getSnapshot().state).toBe('idle');
  });
});

describe('recorded', () => {
  let footage: number[];
  let error: Error | null;
  let now: number;
  let player: HistoryPlayer;
  let detach: () => void;

  beforeEach(() => {
    footage = fragmentStarts(T, T + HOUR);
    error = null;
    now = T + 10 * HOUR;
    player = new HistoryPlayer({
      playlistUrl: '/playlist',
      addressOf: ({ fromMs, toMs }) => `/playlist?${fromMs}-${toMs}`,
      fetchPlaylist: async (window) => {
        await Promise.resolve();
        if (error) throw error;
        return answerFootage(footage, window);
      },
      now: () => now,
      random: () => 1,
    });
    detach = player.attach(video.element, document.createElement('canvas'));
  });

  afterEach(() => detach());

  async function open(momentMs: number, clock?: (mediaSeconds: number) => number): Promise<void> {
    player.seek(momentMs);
    await flush();
    video.open(clock);
  }

  const state = () => player.getSnapshot().state;

  test('the element plays the playlist of the window, from the moment on', async () => {
    await open(T + 1_800_000);
    expect(video.addresses).toEqual([`/playlist?${T + 1_200_000}-${T + 1_800_000 + HOUR}`]);
    expect(video.element.currentTime).toBe(600);
    expect(state()).toBe('playing');
    expect(player.getMoment()).toBe(T + 1_800_000);
    video.advanceTo(601);
    vi.advanceTimersByTime(300);
    video.advanceTo(601.5);
    expect(player.getMoment()).toBe(T + 1_801_500);
  });

  test('the picture is hidden until it is the one where playback begins', async () => {
    const { element } = video;
    const before: string[] = [];
    element.addEventListener('seeked', () => before.push(element.style.visibility), { capture: true });
    player.seek(T + 1_800_000);
    await flush();
    expect(element.style.visibility).toBe('hidden');
    element.dispatchEvent(new Event('loadedmetadata'));
    expect(before).toEqual(['hidden']);
    expect(element.style.visibility).toBe('');
  });

  test('the picture is shown at once where playback begins with the playlist, and after the end', async () => {
    await open(T);
    expect(video.element.style.visibility).toBe('');
    player.seek(T + 1_800_000);
    await flush();
    detach();
    expect(video.element.style.visibility).toBe('');
  });

  test('a moment in the window is a seek; one before the stream is open is not lost', async () => {
    player.seek(T + 1_800_000);
    await flush();
    player.seek(T + 1_820_000);
    video.open();
    expect(video.element.currentTime).toBe(620);
    player.seek(T + 1_850_000);
    expect(video.element.currentTime).toBe(650);
    player.skip(-10);
    expect(video.element.currentTime).toBe(640);
    expect(video.addresses).toHaveLength(1);
  });

  test('a moment outside of the window opens the playlist of another one', async () => {
    footage = fragmentStarts(T, T + 5 * HOUR);
    await open(T);
    await open(T + 4 * HOUR);
    expect(video.addresses).toHaveLength(2);
    expect(player.getMoment()).toBe(T + 4 * HOUR);
  });

  test('a gap that playback crosses is reported', async () => {
    footage = [...fragmentStarts(T, T + 600_000), ...fragmentStarts(T + 900_000, T + HOUR)];
    await open(T + 598_000);
    const at = video.element.currentTime;
    video.advanceTo(at + 1.9);
    video.advanceTo(at + 2.1);
    expect(player.getSnapshot().notice).toEqual({
      kind: 'skipped',
      skip: { fromMs: T + 600_000, toMs: T + 900_000 },
    });
    expect(player.getMoment()).toBeCloseTo(T + 900_100, -1);
  });

  test('the wall clock of the picture corrects the durations of the playlist', async () => {
    // Each fragment lasts 2.1 s in the media, and 2 s in the playlist.
    const clock = (seconds: number) => T + Math.floor(seconds / 2.1) * 2_000 + (seconds % 2.1) * 1_000;
    await open(T, clock);
    for (let seconds = 0.5; seconds < 42; seconds += 0.5) {
      video.advanceTo(seconds);
      vi.advanceTimersByTime(300);
    }
    expect(Math.abs((player.getMoment() ?? 0) - clock(41.5))).toBeLessThan(120);
    player.seek(T + 40_500);
    // The fragments that were not played yet are known to the last measured one.
    expect(Math.abs(video.element.currentTime - 42.5)).toBeLessThan(0.15);
  });

  test('a clock that means something else changes nothing', async () => {
    await open(T, () => Date.parse('1970-01-01T00:00:00Z'));
    video.advanceTo(10);
    vi.advanceTimersByTime(300);
    video.advanceTo(11);
    expect(player.getMoment()).toBe(T + 11_000);
  });

  test('after the end of the window, playback continues with the next one', async () => {
    footage = fragmentStarts(T, T + 5 * HOUR);
    await open(T);
    video.end();
    await flush();
    expect(video.addresses).toHaveLength(2);
    expect(player.getMoment()).toBe(T + HOUR);
    expect(player.getSnapshot().notice).toBeNull();
  });

  test('at the end of all footage, the player ends', async () => {
    await open(T + HOUR - 5_000);
    video.end();
    await flush();
    video.open();
    expect(state()).toBe('ended');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(video.addresses.length).toBeLessThanOrEqual(2);
  });

  test('footage that is still being recorded is followed without another address', async () => {
    footage = fragmentStarts(T, T + 60_000);
    now = T + 60_000;
    await open(T + 30_000);
    for (let second = 0; second < 60; second += 1) {
      now += 1_000;
      if (second % 2 === 1) footage = fragmentStarts(T, now);
      video.advanceTo(video.element.currentTime + 1);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(video.addresses).toHaveLength(1);
    expect(player.getMoment()).toBeGreaterThan(T + 85_000);
    expect(state()).toBe('playing');
  });

  test('speed and sound are set on the element', async () => {
    await open(T);
    player.setSpeed(2);
    player.setSound(false, 0.5);
    expect(video.element.playbackRate).toBe(2);
    expect(video.element.defaultPlaybackRate).toBe(2);
    expect(video.element.volume).toBe(0.5);
  });

  test.each([
    [new FootageUnavailable('network', 'the server cannot be reached'), 'retrying'],
    [new FootageUnavailable('forbidden', 'you may not watch these recordings'), 'failed'],
    [new FootageUnavailable('deleted', 'there is no such device'), 'failed'],
  ])('an error of the element is explained by the server: %s', async (loss, expected) => {
    await open(T);
    error = loss;
    video.fail(2);
    await flush();
    expect(player.getSnapshot()).toMatchObject({ state: expected, cause: { kind: loss.kind, message: loss.message } });
  });

  test('a lost server is asked again, and playback continues at the same moment', async () => {
    await open(T + 600_000);
    vi.advanceTimersByTime(300);
    video.advanceTo(610);
    error = new FootageUnavailable('network', 'the server cannot be reached');
    video.fail(2);
    await flush();
    error = null;
    await vi.advanceTimersByTimeAsync(1_000);
    video.open();
    expect(state()).toBe('playing');
    expect(player.getMoment()).toBe(T + 610_000);
  });

  test('a damaged fragment is left out: another window begins behind it', async () => {
    await open(T + 600_000);
    video.advanceTo(600.5);
    vi.advanceTimersByTime(300);
    video.advanceTo(601);
    video.fail(3);
    await flush();
    expect(video.addresses).toHaveLength(2);
    expect(video.addresses[1]).toBe(video.addresses[0]);
    video.open();
    expect(video.element.currentTime).toBe(601);
    video.fail(3);
    await flush();
    video.open();
    expect(video.addresses[2]).toMatch(new RegExp(`\\?${T + 602_000}-`));
    expect(player.getMoment()).toBe(T + 602_000);
    expect(player.getSnapshot().notice).toEqual({ kind: 'damaged', atMs: T + 600_000 });
    // Footage before the damaged fragment can still be reached.
    await open(T + 590_000);
    expect(video.addresses[3]).toMatch(new RegExp(`-${T + 600_000}$`));
  });

  test('a video that the browser cannot decode at all is told, and not tried for ever', async () => {
    player.seek(T);
    await flush();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      video.fail(4);
      await flush();
    }
    expect(player.getSnapshot()).toMatchObject({ state: 'failed', cause: { kind: 'unsupported' } });
    expect(video.addresses.length).toBeLessThan(10);
  });

  test('close takes the address from the element', async () => {
    await open(T);
    player.close();
    expect(video.element.hasAttribute('src')).toBe(false);
    expect(state()).toBe('idle');
  });
});
