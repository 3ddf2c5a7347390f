// One growing playlist from many windows.
import { expect, test } from 'vitest';
import { buildPlaylist } from '../../test/footage';
import { FootagePlaylist, keyOf, lastAtOrBefore, parsePlaylist } from './FootagePlaylist';

const T = Date.parse('2026-03-01T10:00:00Z');

test('every fragment has its moment, also when the playlist dates only some of them', () => {
  const text = [
    '#EXTM3U',
    '#EXT-X-MAP:URI="1.mp4",BYTERANGE="800@0"',
    '#EXT-X-PROGRAM-DATE-TIME:2026-03-01T11:00:00.000+01:00',
  ];
  text.push('#EXTINF:2.0,', '#EXT-X-BYTERANGE:1000@800', '1.mp4', '#EXTINF:1.5,', '#EXT-X-BYTERANGE:500', '1.mp4');
  const entries = parsePlaylist(text.join('\r\n'));
  expect(entries.map(({ startMs, durationMs, byteRange }) => [startMs - T, durationMs, byteRange])).toEqual([
    [0, 2000, '1000@800'],
    [2000, 1500, '500@1800'],
  ]);
});

test('a fragment marked as a gap is not footage, and the next one is a discontinuity', () => {
  const missing = `segments/${T + 2_000}.mp4`;
  const text = buildPlaylist([T, T + 2_000, T + 4_000]).replace(missing, `#EXT-X-GAP\n${missing}`);
  const entries = parsePlaylist(text);
  expect(entries.map(({ startMs }) => startMs - T)).toEqual([0, 4_000]);
  expect(entries[1]?.isDiscontinuity).toBe(true);
});

test('overlapping windows are joined without duplicate fragments', () => {
  const playlist = new FootagePlaylist();
  expect(playlist.append(buildPlaylist([T, T + 2_000]))).toBe(2);
  expect(playlist.append(buildPlaylist([T + 2_000, T + 4_000]))).toBe(1);
  expect(playlist.append(buildPlaylist([T + 2_000, T + 4_000]))).toBe(0);
  expect(playlist.revision).toBe(2);
  expect(playlist.durationSeconds).toBe(6);
  expect(playlist.render().match(/#EXT-X-DISCONTINUITY/g)).toBeNull();
});

test('a gap between two windows is a discontinuity, and takes no time in the media', () => {
  const playlist = new FootagePlaylist();
  playlist.append(buildPlaylist([T]));
  playlist.append(buildPlaylist([T + 3_600_000]));
  expect(playlist.render()).toMatch(/#EXT-X-DISCONTINUITY\n.*\n#EXT-X-PROGRAM-DATE-TIME:2026-03-01T11:00:00/);
  expect(playlist.find(T + 3_600_500)?.mediaSeconds).toBe(2.5);
});

test('a moment in a gap finds the next footage, or the previous one when going back', () => {
  const playlist = new FootagePlaylist();
  playlist.append(buildPlaylist([T, T + 60_000]));
  expect(playlist.find(T + 1_000)).toEqual({ index: 0, momentMs: T + 1_000, mediaSeconds: 1 });
  expect(playlist.find(T + 30_000)).toMatchObject({ index: 1, momentMs: T + 60_000 });
  expect(playlist.find(T + 30_000, 'before')).toMatchObject({ index: 0, momentMs: T + 1_960 });
  expect(playlist.find(T - 1)).toMatchObject({ index: 0, momentMs: T });
  expect(playlist.find(T - 1, 'before')).toBeNull();
  expect(playlist.find(T + 62_000)).toBeNull();
});

function cutAt(fragments: [number, number, number][]): string {
  const lines = [
    '#EXTM3U',
    '#EXT-X-MAP:URI="segments/7.mp4",BYTERANGE="800@0"',
    `#EXT-X-PROGRAM-DATE-TIME:${new Date(fragments[0]?.[0] ?? 0).toISOString()}`,
  ];
  fragments.forEach(([, seconds, size], index) => {
    const offset = fragments.slice(0, index).reduce((sum, one) => sum + one[2], 800);
    lines.push(`#EXTINF:${seconds.toFixed(3)},`, `#EXT-X-BYTERANGE:${size}@${offset}`, 'segments/7.mp4');
  });
  return lines.join('\n');
}

test('of a fragment that a window had cut shorter only the rest is added, without a discontinuity', () => {
  const playlist = new FootagePlaylist();
  playlist.append(
    cutAt([
      [T, 4, 4000],
      [T + 4_000, 1, 1000],
    ]),
  );
  const longer = cutAt([
    [T, 4, 4000],
    [T + 4_000, 4, 4000],
    [T + 8_000, 4, 4000],
  ]);
  expect(playlist.append(longer)).toBe(2);
  expect(playlist.entries.map(({ startMs, durationMs, byteRange }) => [startMs - T, durationMs, byteRange])).toEqual([
    [0, 4000, '4000@800'],
    [4_000, 1000, '1000@4800'],
    [5_000, 3000, '3000@5800'],
    [8_000, 4000, '4000@8800'],
  ]);
  expect(playlist.render()).not.toContain('DISCONTINUITY');
  expect(playlist.append(longer)).toBe(0);
});

test('the same holds where the byte range is part of the address', () => {
  const text = (size: number, seconds: number) =>
    `#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:${new Date(T).toISOString()}\n#EXTINF:${seconds},\nsegments/7/sound/800-${size}.m4s\n`;
  const playlist = new FootagePlaylist();
  playlist.append(text(1000, 1));
  playlist.append(text(4000, 4));
  expect(playlist.entries.map(({ uri, durationMs }) => [uri, durationMs])).toEqual([
    ['segments/7/sound/800-1000.m4s', 1000],
    ['segments/7/sound/1800-3000.m4s', 3000],
  ]);
});

test('footage whose times go back, after a clock was set back, is complete', () => {
  const playlist = new FootagePlaylist();
  expect(playlist.append(buildPlaylist([T + 60_000, T + 62_000, T + 10_000, T + 12_000]))).toBe(4);
  expect(playlist.find(T + 12_500)).toMatchObject({ index: 3 });
  expect(playlist.find(T + 61_000)).toMatchObject({ index: 0 });
});

test('an excluded fragment is treated as missing', () => {
  const all = parsePlaylist(buildPlaylist([T, T + 2_000, T + 4_000]));
  const playlist = new FootagePlaylist(new Set(all.slice(1, 2).map(keyOf)));
  expect(playlist.append(buildPlaylist([T, T + 2_000, T + 4_000]))).toBe(2);
  expect(playlist.entries[1]).toMatchObject({ startMs: T + 4_000, isDiscontinuity: true });
});

test('the init segment is listed again after each discontinuity and only then', () => {
  const playlist = new FootagePlaylist();
  playlist.append(buildPlaylist([T, T + 2_000, T + 60_000]));
  expect(playlist.render().match(/#EXT-X-MAP/g)).toHaveLength(2);
});

test('the last item at or before a limit is found', () => {
  const items = [1, 3, 5];
  expect([0, 1, 2, 5, 9].map((limit) => lastAtOrBefore(items, (item) => item, limit))).toEqual([-1, 0, 0, 2, 2]);
});
