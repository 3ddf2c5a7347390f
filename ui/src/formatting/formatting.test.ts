// Formatting of sentences, statistics and durations.
import { expect, test } from 'vitest';
import { formatAudio, formatBitrate, formatFps, formatMs } from './statistics';
import { formatLength, formatSpan, formatUtc } from './moments';
import { sentence } from './sentence';

test("the server's messages become sentences", () => {
  expect(sentence("'name' is taken")).toBe("'name' is taken.");
  expect(sentence('the camera refused')).toBe('The camera refused.');
  expect(sentence('Done.')).toBe('Done.');
});

test('a moment in a message is formatted in the given time zone', () => {
  expect(
    sentence(
      'the nearest before it is at 2026-03-01T10:00:00.250Z, the nearest after it is at 2026-03-01T11:30:00Z',
      'Europe/Berlin',
    ),
  ).toBe(
    'The nearest before it is at Sun, 1 Mar 2026, 11:00:00 CET, the nearest after it is at Sun, 1 Mar 2026, 12:30:00 CET.',
  );
});

test('unknown statistics are a dash, never 0', () => {
  expect([formatFps(null), formatBitrate(undefined), formatMs(null)]).toEqual(['–', '–', '–']);
});

test('statistics have units and few digits', () => {
  expect([
    formatFps(24.97),
    formatFps(0.5),
    formatBitrate(4012),
    formatBitrate(312.4),
    formatMs(4.25),
    formatMs(12_345),
  ]).toEqual(['25', '0.5', '4.0 Mbit/s', '312 kbit/s', '4.3 ms', '12.3 s']);
  expect(formatAudio({ codec: 'aac', sample_rate: 44100, channels: 2 })).toBe('AAC 44.1 kHz stereo');
});

test('durations have at most two units', () => {
  expect([5_000, 300_000, 12_000_000, 200_000_000].map(formatSpan)).toEqual(['5 s', '5 min', '3 h 20 min', '2 d 7 h']);
});

test('UTC times are marked as UTC', () => {
  expect(formatUtc('2026-01-02T03:04:05Z')).toBe('2026-01-02 03:04:05 UTC');
});

test('lengths have at most two units and are never zero', () => {
  expect([300, 2_000, 123_000, 3_600_000, 3_900_000, 273_600_000].map(formatLength)).toEqual([
    '0.3 s',
    '2 s',
    '2 min 3 s',
    '1 h',
    '1 h 5 min',
    '3 d 4 h',
  ]);
  expect(formatLength(1)).toBe('0.1 s');
});
