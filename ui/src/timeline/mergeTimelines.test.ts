// Timelines of adjacent ranges are merged into one.
import { expect, test } from 'vitest';
import { cutTimeline, mergeTimelines } from './mergeTimelines';
import { NO_TIMELINE, type TimelineGap } from './model';

const span = (startMs: number, endMs: number, coverage = 1) => ({ startMs, endMs, coverage });
const gap = (startMs: number, endMs: number | null, reason = 'away'): TimelineGap => ({
  startMs,
  endMs,
  reason,
  by: null,
  tone: 'lost',
});

test('footage across a border becomes one span, whether the pieces cut it or not', () => {
  const cut = mergeTimelines([
    { ...NO_TIMELINE, spans: [span(0, 100)] },
    { ...NO_TIMELINE, spans: [span(100, 150)] },
  ]);
  const whole = mergeTimelines([
    { ...NO_TIMELINE, spans: [span(0, 150)] },
    { ...NO_TIMELINE, spans: [span(0, 150)] },
  ]);
  expect(cut.spans).toEqual([span(0, 150)]);
  expect(whole.spans).toEqual([span(0, 150)]);
});

test('spans of different coverage stay separate and never overlap', () => {
  const merged = mergeTimelines([
    { ...NO_TIMELINE, spans: [span(0, 100, 0.5)] },
    { ...NO_TIMELINE, spans: [span(90, 150, 1)] },
  ]);
  expect(merged.spans).toEqual([span(0, 100, 0.5), span(100, 150, 1)]);
});

test('a gap across a border becomes one gap, and stays open', () => {
  expect(
    mergeTimelines([
      { ...NO_TIMELINE, gaps: [gap(50, 100)] },
      { ...NO_TIMELINE, gaps: [gap(100, null)] },
    ]).gaps,
  ).toEqual([gap(50, null)]);
  expect(
    mergeTimelines([
      { ...NO_TIMELINE, gaps: [gap(50, 100, 'away')] },
      { ...NO_TIMELINE, gaps: [gap(100, 120, 'full')] },
    ]).gaps,
  ).toHaveLength(2);
});

test('events and protections in two pieces appear once; oldest and newest are those of all pieces', () => {
  const piece = {
    ...NO_TIMELINE,
    events: [{ atMs: 5, endMs: 20, kind: 'recording', label: 'Motion' }],
    protections: [{ id: '1', startMs: 0, endMs: 20, kind: 'hold', note: '' }],
  };
  const merged = mergeTimelines([
    { ...piece, oldestMs: 3, newestMs: 40 },
    undefined,
    { ...piece, oldestMs: 3, newestMs: 50 },
  ]);
  expect(merged.events).toHaveLength(1);
  expect(merged.protections).toHaveLength(1);
  expect([merged.oldestMs, merged.newestMs]).toEqual([3, 50]);
});

test('merging does not change its input', () => {
  const piece = { ...NO_TIMELINE, spans: [span(0, 100)], gaps: [gap(50, 100)] };
  mergeTimelines([piece, { ...NO_TIMELINE, spans: [span(100, 150)], gaps: [gap(100, 200)] }]);
  expect(piece).toEqual({ ...NO_TIMELINE, spans: [span(0, 100)], gaps: [gap(50, 100)] });
});

test('a cut keeps only items in the range', () => {
  const cut = cutTimeline(
    { ...NO_TIMELINE, spans: [span(0, 100), span(200, 300)], gaps: [gap(100, 200), gap(300, null)] },
    { startMs: 50, endMs: 150 },
  );
  expect(cut.spans).toEqual([span(50, 100)]);
  expect(cut.gaps).toEqual([gap(100, 200)]);
});

test('places are joined across a border, and the parts of a range are kept', () => {
  const place = (startMs: number, endMs: number, where: 'both' | 'archive') => ({ startMs, endMs, where });
  const merged = mergeTimelines([
    { ...NO_TIMELINE, places: [place(0, 50, 'archive'), place(50, 100, 'both')] },
    { ...NO_TIMELINE, places: [place(100, 150, 'both')] },
  ]);
  expect(merged.places).toEqual([place(0, 50, 'archive'), place(50, 150, 'both')]);
  expect(cutTimeline(merged, { startMs: 60, endMs: 70 }).places).toEqual([place(50, 150, 'both')]);
});
