// Moments, ranges and notices of playback in words and addresses.
import { expect, test } from 'vitest';
import { formatAddressMoment, parseMoment } from './useMomentInAddress';
import { markEdge } from './CameraView';
import { formatNotice } from './HistoryOverlay';
import { readMoment } from '../widgets/MomentFields';

const T = Date.parse('2026-03-01T10:00:00Z');
const facts = { timeZone: 'UTC', reasonAt: () => null, oldestMs: null };

test('a moment in the address is read with any offset, and nothing else is taken for one', () => {
  expect(parseMoment('2026-03-01T11:00:00+01:00')).toBe(T);
  expect(parseMoment(String(T))).toBe(T);
  expect(parseMoment('yesterday')).toBeNull();
  expect(parseMoment('12')).not.toBe(12);
  expect(parseMoment(null)).toBeNull();
  expect(formatAddressMoment(T + 999)).toBe('2026-03-01T10:00:00Z');
});

test('date and time are read on the clocks of the camera, also where they are turned', () => {
  expect(readMoment('Europe/Berlin', '2026-03-01', '11:00')).toBe(T);
  // Skipped in spring: the moment of the change. Twice in autumn: the first.
  expect(readMoment('Europe/Berlin', '2026-03-29', '02:30:00')).toBe(Date.parse('2026-03-29T01:00:00Z'));
  expect(readMoment('Europe/Berlin', '2026-10-25', '02:30:00')).toBe(Date.parse('2026-10-25T00:30:00Z'));
  expect(readMoment('Europe/Berlin', '', '02:30')).toBeNull();
  expect(readMoment('Europe/Berlin', '2026-03-01', 'noon')).toBeNull();
});

test('a range has its ends in order, whichever is set first', () => {
  expect(markEdge(null, 'end', T)).toEqual({ startMs: T - 60_000, endMs: T });
  expect(markEdge({ startMs: T - 60_000, endMs: T }, 'start', T - 10_000)).toEqual({ startMs: T - 10_000, endMs: T });
  expect(markEdge({ startMs: T, endMs: T + 60_000 }, 'end', T - 5_000)).toEqual({
    startMs: T - 65_000,
    endMs: T - 5_000,
  });
  expect(markEdge({ startMs: T - 60_000, endMs: T }, 'start', T + 5_000)).toEqual({
    startMs: T + 5_000,
    endMs: T + 65_000,
  });
});

test('what was skipped is said with its length and its reason', () => {
  const skip = { fromMs: T, toMs: T + 125_000 };
  expect(formatNotice({ kind: 'skipped', skip }, { ...facts, reasonAt: () => 'no route to the camera' })).toBe(
    'No footage for 2 min 5 s (no route to the camera). Skipped to 10:02:05',
  );
  expect(formatNotice({ kind: 'skipped', skip }, { ...facts, oldestMs: T + 125_000 })).toMatch(
    /^Nothing older is recorded: shown from .*10:02:05$/,
  );
});
