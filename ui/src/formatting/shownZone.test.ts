// One clock on all pages; tests run in UTC.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatClock, formatDateTime, formatShortMoment } from './moments';
import { chooseClock, clockChoice, shownZone, subscribeToClock } from './shownZone';

const AT = `${new Date().getUTCFullYear()}-06-01T02:11:00Z`;

beforeEach(() => chooseClock('own'));
afterEach(() => chooseClock('own'));

test('the choice decides the zone, and is told and remembered', () => {
  const told: string[] = [];
  const stop = subscribeToClock(() => told.push(clockChoice()));
  expect(shownZone('America/New_York')).toBe('UTC');
  chooseClock('camera');
  expect(shownZone('America/New_York')).toBe('America/New_York');
  expect(shownZone(null)).toBe('UTC');
  expect(shownZone('Not/AZone')).toBe('UTC');
  chooseClock('utc');
  expect(shownZone('America/New_York')).toBe('UTC');
  stop();
  expect(told).toEqual(['camera', 'utc']);
  expect(localStorage.getItem('vas.clock')).toBe('utc');
});

test('a time on another clock than the viewer’s names its zone', () => {
  expect(formatClock(AT, 'UTC')).toBe('02:11:00');
  expect(formatClock(AT, 'Europe/Berlin')).toBe('04:11:00 CEST');
  expect(formatDateTime(AT, 'America/New_York')).toMatch(/31 May.*22:11:00 GMT-4|May 31.*22:11:00.*(EDT|GMT-4)/);
  expect(formatShortMoment(AT, 'Europe/Berlin')).toContain('04:11 CEST');
});

test('summer time changes the name of the zone', () => {
  expect(formatClock(`${new Date().getUTCFullYear()}-12-01T02:11:00Z`, 'Europe/Berlin')).toBe('03:11:00 CET');
});
