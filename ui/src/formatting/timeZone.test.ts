// Time zones with clock changes and skipped midnights.
import { expect, test } from 'vitest';
import { dateOf, dayBounds, instantOf, isTimeZone, offsetAt, wallAt } from './timeZone';

const at = (text: string) => Date.parse(text);
const wall = (text: string) => Date.parse(`${text}Z`);

test('an offset belongs to the moment, not to the day', () => {
  expect(offsetAt('Europe/Berlin', at('2026-03-29T00:59:59Z'))).toBe(3_600_000);
  expect(offsetAt('Europe/Berlin', at('2026-03-29T01:00:00Z'))).toBe(7_200_000);
  expect(offsetAt('Asia/Kathmandu', at('2026-01-01T00:00:00Z'))).toBe(20_700_000);
  expect(offsetAt('Australia/Lord_Howe', at('2026-07-01T00:00:00Z'))).toBe(37_800_000);
});

test('days at clock changes are 23 or 25 hours long', () => {
  const hours = (date: string) => {
    const { startMs, endMs } = dayBounds('Europe/Berlin', date);
    return (endMs - startMs) / 3_600_000;
  };
  expect([hours('2026-03-29'), hours('2026-06-01'), hours('2026-10-25')]).toEqual([23, 24, 25]);
});

test('a repeated hour means its first occurrence', () => {
  expect(instantOf('Europe/Berlin', wall('2026-10-25T02:30:00'))).toBe(at('2026-10-25T00:30:00Z'));
});

test('a skipped time means the moment of the clock change', () => {
  expect(instantOf('Europe/Berlin', wall('2026-03-29T02:30:00'))).toBe(at('2026-03-29T01:00:00Z'));
});

test('a day whose midnight is skipped begins with its first instant', () => {
  // In Cairo the clocks change at midnight: 00:00 becomes 01:00.
  const { startMs } = dayBounds('Africa/Cairo', '2026-04-24');
  expect(startMs).toBe(at('2026-04-23T22:00:00Z'));
  expect(new Date(wallAt('Africa/Cairo', startMs)).toISOString()).toBe('2026-04-24T01:00:00.000Z');
});

test('a date depends on the time zone', () => {
  expect(dateOf('Pacific/Auckland', at('2026-11-22T12:00:00Z'))).toBe('2026-11-23');
  expect(dateOf('America/Los_Angeles', at('2026-11-22T07:00:00Z'))).toBe('2026-11-21');
});

test('unknown time zone names are detected', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true);
  expect(isTimeZone('Europe/Atlantis')).toBe(false);
});
