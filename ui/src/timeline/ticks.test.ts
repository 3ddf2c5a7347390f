// Ticks at round local times, from a minute to a year, also across clock changes.
import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './model';
import { buildTicks, chooseStep, contextStep, TICK_STEPS } from './ticks';
import { wallAt } from '../formatting/timeZone';
import { tickLabel } from './labels';

const range = (start: string, lengthMs: number) => ({
  startMs: Date.parse(start),
  endMs: Date.parse(start) + lengthMs,
});
const hourly = TICK_STEPS.find(({ unit, count }) => unit === 'clock' && count === HOUR_MS)!;
const sixHourly = TICK_STEPS.find(({ unit, count }) => unit === 'clock' && count === 6 * HOUR_MS)!;

test('between 4 and 40 ticks fit a wide screen at every width', () => {
  for (let width = MINUTE_MS; width <= 366 * DAY_MS; width *= 1.3) {
    const view = range('2026-03-01T00:00:00Z', width);
    const step = chooseStep(view, 1200, () => 60);
    const visible = buildTicks(view, step, 'Europe/Berlin').filter(({ atMs }) => atMs >= view.startMs);
    expect(visible.length).toBeGreaterThanOrEqual(3);
    expect(visible.length).toBeLessThanOrEqual(21);
  }
});

test('a repeated hour has two ticks with the same label', () => {
  const ticks = buildTicks(range('2026-10-24T22:00:00Z', 6 * HOUR_MS), hourly, 'Europe/Berlin');
  expect(ticks.map(({ atMs }) => tickLabel(hourly, 'Europe/Berlin', atMs))).toEqual([
    '00:00',
    '01:00',
    '02:00',
    '02:00',
    '03:00',
    '04:00',
    '05:00',
  ]);
  expect(ticks.every(({ atMs }, index) => index === 0 || atMs - ticks[index - 1]!.atMs === HOUR_MS)).toBe(true);
});

test('a skipped hour has no tick', () => {
  const ticks = buildTicks(range('2026-03-28T23:00:00Z', 4 * HOUR_MS), hourly, 'Europe/Berlin');
  expect(ticks.map(({ atMs }) => tickLabel(hourly, 'Europe/Berlin', atMs))).toEqual([
    '00:00',
    '01:00',
    '03:00',
    '04:00',
    '05:00',
  ]);
});

test('wide steps stay on round hours across a clock change', () => {
  for (const start of ['2026-10-24T22:00:00Z', '2026-03-28T23:00:00Z']) {
    const ticks = buildTicks(range(start, 30 * HOUR_MS), sixHourly, 'Europe/Berlin');
    expect(ticks.map(({ atMs }) => wallAt('Europe/Berlin', atMs) % (6 * HOUR_MS))).toEqual(ticks.map(() => 0));
  }
});

test('every step advances and ends in every zone', () => {
  for (const zone of ['UTC', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Africa/Cairo', 'America/St_Johns']) {
    for (const step of TICK_STEPS) {
      const ticks = buildTicks(range('2026-04-01T05:17:00Z', step.spanMs * 12), step, zone);
      expect(ticks.length).toBeGreaterThan(10);
      expect(ticks.length).toBeLessThan(16);
      expect(ticks.every(({ atMs }, index) => index === 0 || atMs > ticks[index - 1]!.atMs)).toBe(true);
    }
  }
});

test('the first tick lies before the range, so that its label can stay visible', () => {
  const view = range('2026-11-22T10:30:00Z', 3 * HOUR_MS);
  expect(buildTicks(view, hourly, 'UTC')[0]?.atMs).toBeLessThan(view.startMs);
});

test('midnight is major among hours, the first among days, January among months', () => {
  const majors = (start: string, length: number, step: (typeof TICK_STEPS)[number]) =>
    buildTicks(range(start, length), step, 'UTC')
      .filter(({ isMajor }) => isMajor)
      .map(({ atMs }) => new Date(atMs).toISOString().slice(0, 13));
  expect(majors('2026-11-21T20:00:00Z', 30 * HOUR_MS, hourly)).toEqual(['2026-11-22T00', '2026-11-23T00']);
  const daily = TICK_STEPS.find(({ unit }) => unit === 'day')!;
  expect(majors('2026-10-20T00:00:00Z', 20 * DAY_MS, daily)).toEqual(['2026-11-01T00']);
  expect(contextStep(TICK_STEPS.at(-1)!)).toBeNull();
});
