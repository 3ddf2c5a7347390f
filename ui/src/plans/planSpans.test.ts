// The weekly plan: overnight spans, merging, dragging.
import { expect, test } from 'vitest';
import { clockText, parseClock } from '../formatting/clock';
import {
  onClock,
  pieces,
  PLAN_PRESETS,
  planOf,
  retime,
  shift,
  spansOf,
  formatPlanSpan,
  resize,
  tidy,
} from './planSpans';

test('a plan survives the conversion to spans and back', () => {
  const plan = { monday: [['08:00', '18:00']], friday: [['22:00', '06:00']], sunday: [['00:00', '24:00']] } as const;
  expect(planOf(spansOf(plan as never))).toEqual(plan);
});

test('a span across midnight is drawn on two days, also from Sunday to Monday', () => {
  const spans = spansOf({ sunday: [['22:00', '06:00']] });
  expect(pieces(spans, 6)).toEqual([{ index: 0, start: 1320, end: 1440, isRemainder: false }]);
  expect(pieces(spans, 0)).toEqual([{ index: 0, start: 0, end: 360, isRemainder: true }]);
  expect(formatPlanSpan(spans[0]!)).toBe('Sunday, 22:00 to 06:00 on Monday');
});

test('adjacent spans are merged', () => {
  expect(
    planOf([
      { day: 0, start: 480, end: 600 },
      { day: 0, start: 600, end: 720 },
      { day: 0, start: 800, end: 900 },
    ]),
  ).toEqual({
    monday: [
      ['08:00', '12:00'],
      ['13:20', '15:00'],
    ],
  });
});

test('a whole day has only one notation', () => {
  expect(planOf([{ day: 0, start: 480, end: 480 + 1440 }])).toEqual({
    monday: [['08:00', '24:00']],
    tuesday: [['00:00', '08:00']],
  });
  expect(planOf([{ day: 6, start: 0, end: 1440 }])).toEqual({ sunday: [['00:00', '24:00']] });
});

test('times are parsed in the forms that people type', () => {
  expect([parseClock('8:30'), parseClock('08.30'), parseClock('24:00')]).toEqual([510, 510, 1440]);
  expect([parseClock('24:01'), parseClock('8:60'), parseClock('8'), parseClock('noon')]).toEqual([
    null,
    null,
    null,
    null,
  ]);
  expect([510, 1440, 1800].map((minutes) => clockText(onClock(minutes)))).toEqual(['08:30', '24:00', '06:00']);
});

test('an end that is not after its start is on the next day', () => {
  expect(retime({ day: 0, start: 0, end: 60 }, 1320, 360)).toEqual({ day: 0, start: 1320, end: 1800 });
});

test('moving keeps the length and the day, resizing keeps the other end', () => {
  const span = { day: 2, start: 600, end: 660 };
  expect(shift(span, -900)).toEqual({ day: 2, start: 0, end: 60 });
  expect(shift(span, 5_000)).toEqual({ day: 2, start: 1425, end: 1485 });
  expect(resize(span, 'end', 0)).toEqual({ day: 2, start: 600, end: 605 });
  expect(resize(span, 'start', 5_000)).toEqual({ day: 2, start: 655, end: 660 });
});

test('presets are valid plans: no day has overlapping spans', () => {
  for (const { spans } of PLAN_PRESETS) {
    expect(tidy(spans)).toHaveLength(spans.length);
    for (const day of Object.values(planOf(spans))) {
      const minutes = day.map(([from, to]) => [parseClock(from)!, parseClock(to)!]);
      expect(minutes.every(([start, end]) => start !== end)).toBe(true);
    }
  }
});

test('working hours and their complement cover the week exactly once', () => {
  const covered = new Array<number>(7 * 96).fill(0);
  for (const { spans } of PLAN_PRESETS.filter(({ label }) => /orking hours/.test(label))) {
    for (const { day, start, end } of spans) {
      for (let minute = start; minute < end; minute += 15) covered[((day * 1440 + minute) % 10_080) / 15]! += 1;
    }
  }
  expect(covered.every((count) => count === 1)).toBe(true);
});
