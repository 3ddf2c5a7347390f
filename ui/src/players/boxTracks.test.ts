// Boxes between sightings, after them, and capture times of WebRTC.
import { expect, test } from 'vitest';
import { BoxTracks, type Sighting } from './boxTracks';
import { captureTimeOf } from './captureTime';

const seen = (atMs: number, x: number, score = 0.5): Sighting => ({ atMs, x, y: 0.2, width: 0.1, height: 0.3, score });

test('between two sightings a box moves evenly', () => {
  const tracks = new BoxTracks();
  tracks.add('a', 'person', [seen(1000, 0.1), seen(1400, 0.3)]);
  const [box] = tracks.at(1100, 0);
  expect(box).toMatchObject({ key: 'a', label: 'person' });
  expect(box!.x).toBeCloseTo(0.15);
  expect(tracks.at(900, 500)).toEqual([]);
});

test('sightings may come in any order, and twice', () => {
  const tracks = new BoxTracks();
  tracks.add('a', 'person', [seen(1400, 0.3), seen(1000, 0.1), seen(1400, 0.5)]);
  expect(tracks.at(1200, 0)[0]!.x).toBeCloseTo(0.3);
  expect(tracks.newestMs).toBe(1400);
});

test('over a long gap nothing is drawn', () => {
  const tracks = new BoxTracks();
  tracks.add('a', 'person', [seen(1000, 0.1), seen(9000, 0.3)]);
  expect(tracks.at(5000, 400)).toEqual([]);
  expect(tracks.at(1200, 400)).toHaveLength(1);
});

test('after the last sighting the motion goes on for a while', () => {
  const tracks = new BoxTracks();
  tracks.add('a', 'person', [seen(0, 0.1), seen(1000, 0.2), seen(1400, 0.24), seen(2000, 0.3)]);
  expect(tracks.at(2500, 1000)[0]!.x).toBeCloseTo(0.35);
  expect(tracks.at(3100, 1000)).toEqual([]);
});

test('old sightings and objects that have gone are forgotten', () => {
  const tracks = new BoxTracks();
  tracks.add('a', 'person', [seen(1000, 0.1), seen(2000, 0.1)]);
  tracks.add('b', 'car', [seen(1000, 0.1)], false);
  tracks.forgetBefore(1500);
  expect(tracks.at(1200, 100)).toEqual([]);
  expect(tracks.at(2000, 100)).toHaveLength(1);
  tracks.keepOnly((key) => key !== 'a');
  expect(tracks.at(2000, 100)).toEqual([]);
});

test('a time stamp of RTP is a capture time, also over its turn and with a wrong clock', () => {
  const capturedMs = 1_790_000_000_123;
  const stamp = Math.round(capturedMs * 90) % 2 ** 32;
  for (const nowMs of [capturedMs, capturedMs + 300, capturedMs - 4_000, capturedMs + 5 * 3_600_000]) {
    expect(captureTimeOf(stamp, nowMs)).toBeCloseTo(capturedMs, 0);
  }
});
