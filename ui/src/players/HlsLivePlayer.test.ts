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
  made = [];
  video = fakeVideo();
  player = new HlsLivePlayer('/playlist', (config) => {
    const instance = new FakeHls(config);
    made.push(instance);
    return Promise.resolve(instance.asInstance());
  });
});

afterEach(() => {
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
  player = new HlsLivePlayer('/playlist', () =>
    Promise.reject(new HlsUnsupported('this browser cannot play recordings in a page')),
  );
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
