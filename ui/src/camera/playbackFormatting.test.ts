// Moments, ranges and notices of playback as text and in addresses.
import { expect, test } from 'vitest';
import { formatAddressMoment, parseMoment } from './useMomentInAddress';
import { markEdge } from './CameraView';
import { formatNotice } from './HistoryOverlay';
import { readMoment } from '../widgets/MomentFields';

const T = Date.parse('2026-03-01T10:00:00Z');
const context = { timeZone: 'UTC', reasonAt: () => null, oldestMs: null };

test('a moment in the address is parsed with any UTC offset, other text is rejected', () => {
  expect(parseMoment('2026-03-01T11:00:00+01:00')).toBe(T);
  expect(parseMoment(String(T))).toBe(T);
  expect(parseMoment('yesterday')).toBeNull();
  expect(parseMoment('12')).not.toBe(12);
  expect(parseMoment(null)).toBeNull();
  expect(formatAddressMoment(T + 999)).toBe('2026-03-01T10:00:00Z');
});

test('date and time are read in the time zone of the camera, also at clock changes', () => {
  expect(readMoment('Europe/Berlin', '2026-03-01', '11:00')).toBe(T);
  // Skipped in spring: the moment of the change. Twice in autumn: the first.
  expect(readMoment('Europe/Berlin', '2026-03-29', '02:30:00')).toBe(Date.parse('2026-03-29T01:00:00Z'));
  expect(readMoment('Europe/Berlin', '2026-10-25', '02:30:00')).toBe(Date.parse('2026-10-25T00:30:00Z'));
  expect(readMoment('Europe/Berlin', '', '02:30')).toBeNull();
  expect(readMoment('Europe/Berlin', '2026-03-01', 'noon')).toBeNull();
});

test('a range has its ends in order, whichever end is set first', () => {
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

test('a skipped gap is reported with its length and its reason', () => {
  const skip = { fromMs: T, toMs: T + 125_000 };
  expect(formatNotice({ kind: 'skipped', skip }, { ...context, reasonAt: () => 'no route to the camera' })).toBe(
    'No footage for 2 min 5 s (no route to the camera). Skipped to 10:02:05',
  );
  expect(formatNotice({ kind: 'skipped', skip }, { ...context, oldestMs: T + 125_000 })).toMatch(
    /^Nothing older is recorded\. Playing from .*10:02:05$/,
  );
  expect(formatNotice({ kind: 'skipped', skip, isUnreadable: true }, context)).toBe(
    'No footage for 2 min 5 s (its file is missing or damaged). Skipped to 10:02:05',
  );
});
