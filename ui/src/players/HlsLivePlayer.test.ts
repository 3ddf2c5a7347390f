// The live player over HLS: it starts, reports its delay, and recovers by itself.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeHls } from '../../test/FakeHls';
import { fakeVideo, type FakeVideo } from '../../test/FakeVideo';
import { HlsLivePlayer } from './HlsLivePlayer';
import { HlsUnsupported } from './hlsLibrary';

let made: FakeHls[];
let video: FakeVideo;
let player: HlsLivePlayer;

const flush = () => vi.advanceTimersByTimeAsync(0);
const hls = () => made.at(-1) as FakeHls;

beforeEach(() => {
  vi.useFakeTimers();
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
  made = [];
  video = fakeVideo();
  player = new HlsLivePlayer({
    playlistUrl: '/playlist',
    createHls: (config) => {
      const instance = new FakeHls(config);
      made.push(instance);
      return Promise.resolve(instance.asInstance());
    },
  });
});

let isHidden = false;

function hide(hidden: boolean): void {
  isHidden = hidden;
  document.dispatchEvent(new Event('visibilitychange'));
}

/** Time passes without timers, as on a device that sleeps. */
function sleep(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

afterEach(() => {
  isHidden = false;
  player.stop();
  vi.useRealTimers();
});

test('the player is live once a frame is drawn, and reports its delay', async () => {
  player.start(video.element);
  expect(player.getSnapshot().state).toBe('connecting');
  await flush();
  expect(hls().config.lowLatencyMode).toBe(true);
  video.advanceTo(1);
  expect(player.getSnapshot().state).toBe('live');
  vi.advanceTimersByTime(1_000);
  expect(player.getSnapshot().latencySeconds).toBe(3);
});

test('a lost connection is retried and reported', async () => {
  player.start(video.element);
  await flush();
  hls().failFatally({ type: 'networkError', details: 'levelLoadError' });
  expect(player.getSnapshot()).toMatchObject({ state: 'reconnecting', cause: 'the server cannot be reached' });
  expect(hls().isDestroyed).toBe(true);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(made).toHaveLength(2);
  video.advanceTo(2);
  expect(player.getSnapshot().state).toBe('live');
});

test('a frozen picture is reloaded', async () => {
  player.start(video.element);
  await flush();
  video.advanceTo(1);
  await vi.advanceTimersByTimeAsync(13_000);
  expect(made).toHaveLength(2);
});

test('a browser without Media Source Extensions is reported and not tried again', async () => {
  player = new HlsLivePlayer({
    playlistUrl: '/playlist',
    createHls: () => Promise.reject(new HlsUnsupported('this browser cannot play recordings in a page')),
  });
  player.start(video.element);
  await flush();
  expect(player.getSnapshot().state).toBe('failed');
});

test('stop releases everything and may be called twice', async () => {
  player.start(video.element);
  await flush();
  player.stop();
  player.stop();
  expect(hls().isDestroyed).toBe(true);
  expect(player.getSnapshot().state).toBe('idle');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(made).toHaveLength(1);
});

async function watchLive(): Promise<void> {
  player.start(video.element);
  await flush();
  video.advanceTo(1);
}

test('a hidden and silent tab loads nothing, and shows the present moment when it is visible again', async () => {
  await watchLive();
  hide(true);
  await vi.advanceTimersByTimeAsync(31_000);
  expect(hls().isDestroyed).toBe(true);
  await vi.advanceTimersByTimeAsync(3 * 3_600_000);
  expect(made).toHaveLength(1);
  hide(false);
  await flush();
  expect(made).toHaveLength(2);
  video.advanceTo(2);
  expect(player.getSnapshot()).toMatchObject({ state: 'live', cause: null });
});

test('a tab that is hidden for some seconds plays on, also where the browser paused the video', async () => {
  await watchLive();
  const before = video.play.mock.calls.length;
  hide(true);
  await vi.advanceTimersByTimeAsync(9_000);
  hide(false);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(made).toHaveLength(1);
  expect(video.play.mock.calls.length).toBe(before + 1);
});

test('a hidden tab with sound plays on', async () => {
  await watchLive();
  hls().emit('hlsBufferCodecs', { audio: {}, video: {} });
  player.setSound(false, 1);
  hide(true);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(hls().isDestroyed).toBe(false);
});

test.each(['visible', 'hidden'])('a device that slept for hours with a %s tab opens the stream anew', async (tab) => {
  await watchLive();
  if (tab === 'hidden') hide(true);
  sleep(5 * 3_600_000);
  if (tab === 'hidden') hide(false);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(made).toHaveLength(2);
  expect(made[0]?.isDestroyed).toBe(true);
  video.advanceTo(2);
  expect(player.getSnapshot().state).toBe('live');
});

test('a picture far behind jumps to now, unless that gains nothing', async () => {
  await watchLive();
  hls().latency = 30;
  hls().liveSyncPosition = 28;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(video.element.currentTime).toBe(28);
  hls().liveSyncPosition = 28.5;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(video.element.currentTime).toBe(28);
});

test('a network that is back is used at once', async () => {
  await watchLive();
  hls().failFatally({ type: 'networkError', details: 'levelLoadError' });
  window.dispatchEvent(new Event('online'));
  await flush();
  expect(made).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(made).toHaveLength(2);
});
