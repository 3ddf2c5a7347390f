// Boxes of the present from the stream of events, and of recordings in windows that are loaded as they are shown.
import { expect, test, vi } from 'vitest';
import type { BoxesOfEvent } from '../api/detections';
import type { ServiceEvent } from '../api/eventStream';
import { RecordedBoxes, takeFact } from './boxFeeds';
import { placeOfPicture } from './BoxPainter';
import { BoxTracks } from './boxTracks';

const fact = (data: Record<string, unknown>, kind = 'boxes'): ServiceEvent => ({
  change: 'passing',
  kind,
  device_id: 'd1',
  plugin: 'eyes',
  data,
});
const box = (track: number, atMs: number, x: number) => ({
  track,
  at_ms: atMs,
  label: 'dog',
  score: 0.5,
  x,
  y: 0,
  width: 0.1,
  height: 0.1,
  is_event: false,
});

test('facts of the present become tracks; other facts do not', () => {
  const tracks = new BoxTracks();
  takeFact(tracks, fact({ at_ms: 1000, detector: 'objects', boxes: [box(1, 1000, 0.1), box(2, 900, 0.5)] }));
  takeFact(tracks, fact({ at_ms: 1400, detector: 'objects', boxes: [box(1, 1400, 0.3)] }));
  takeFact(tracks, fact({ progress: 0.5 }, 'job'));
  takeFact(tracks, fact({ nonsense: true }));
  const shown = tracks.at(1200, 400);
  expect(shown.map(({ key, label, isEvent }) => [key, label, isEvent])).toEqual([
    ['eyes objects 1', 'dog', false],
    ['eyes objects 2', 'dog', false],
  ]);
  expect(shown[0]!.x).toBeCloseTo(0.2);
});

const BASE_MS = 1_790_000_040_000;
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test('windows are loaded once, the next one ahead, and those of the present again', async () => {
  let nowMs = BASE_MS + 50_000;
  const tracks = new BoxTracks();
  const changed = vi.fn();
  const found: BoxesOfEvent[] = [{ event_id: 7, label: 'cat', boxes: [[BASE_MS + 1000, 0.1, 0.2, 0.3, 0.4, 0.9]] }];
  const fetch = vi.fn(() => Promise.resolve(found));
  const feed = new RecordedBoxes('d1', tracks, changed, fetch, () => nowMs);
  feed.follow(null);
  expect(fetch).not.toHaveBeenCalled();
  feed.follow(BASE_MS + 1000);
  feed.follow(BASE_MS + 1040);
  await settle();
  expect(fetch).toHaveBeenCalledTimes(1);
  expect(fetch).toHaveBeenCalledWith(BASE_MS, BASE_MS + 60_000, expect.any(AbortSignal));
  expect(changed).toHaveBeenCalledTimes(1);
  expect(tracks.at(BASE_MS + 1100, 500)).toMatchObject([{ key: '7', label: 'cat', x: 0.1, score: 0.9 }]);
  // Its end is near: boxes of it may still be written.
  nowMs += 5_000;
  feed.follow(BASE_MS + 1080);
  expect(fetch).toHaveBeenCalledTimes(2);
  await settle();
  nowMs += 60_000;
  feed.follow(BASE_MS + 45_000);
  expect(fetch).toHaveBeenCalledTimes(4);
  await settle();
  feed.follow(BASE_MS + 30_000);
  expect(fetch).toHaveBeenCalledTimes(4);
  feed.close();
});

test('a failed window is tried again after a pause', async () => {
  let nowMs = BASE_MS + 600_000;
  const fetch = vi.fn(() => Promise.reject(new Error('away')));
  const feed = new RecordedBoxes(
    'd1',
    new BoxTracks(),
    () => {},
    fetch,
    () => nowMs,
  );
  feed.follow(BASE_MS);
  await settle();
  feed.follow(BASE_MS);
  expect(fetch).toHaveBeenCalledTimes(1);
  nowMs += 4_000;
  feed.follow(BASE_MS);
  expect(fetch).toHaveBeenCalledTimes(2);
  await settle();
});

test('the picture lies in the middle of its element, between bars', () => {
  const { left, top, width } = placeOfPicture({ width: 1000, height: 500 }, { width: 640, height: 480 });
  expect([left, top, width].map(Math.round)).toEqual([167, expect.closeTo(0), 667]);
  expect(placeOfPicture({ width: 300, height: 600 }, { width: 160, height: 90 }).top).toBeCloseTo(215.6, 1);
  expect(placeOfPicture({ width: 300, height: 600 }, { width: 0, height: 0 }).width).toBeGreaterThanOrEqual(0);
});
