// Times of day follow the browser's language, consistently in all formatters.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const AT = '2026-03-01T17:05:09Z';
const Native = Intl.DateTimeFormat;

/** All modules that format times, loaded with this language. */
async function loadFor(locale: string) {
  vi.stubGlobal('Intl', {
    ...Intl,
    DateTimeFormat: new Proxy(Native, {
      construct: (target, [given, options]: [string | undefined, Intl.DateTimeFormatOptions | undefined]) =>
        new target(given ?? locale, { timeZone: 'UTC', ...options }),
    }),
  });
  return {
    clock: await import('./clock'),
    labels: await import('../timeline/labels'),
    zoned: await import('./zonedTimes'),
    ticks: await import('../timeline/ticks'),
    moments: await import('./moments'),
    plan: await import('../plans/planSpans'),
    schedules: await import('../schedules/scheduleValues'),
  };
}

async function allClocksFor(locale: string): Promise<string[]> {
  const { labels, zoned, ticks, moments, plan, schedules } = await loadFor(locale);
  const minutes = ticks.TICK_STEPS.find(({ count }) => count === 300_000)!;
  return [
    zoned.formatTime('UTC', Date.parse(AT)),
    zoned.formatMoment('UTC', Date.parse(AT)),
    labels.tickLabel(minutes, 'UTC', Date.parse(AT)),
    moments.formatClock(AT),
    moments.formatDateTime(AT),
    moments.formatShortMoment(AT),
    plan.formatPlanSpan({ day: 0, start: 480, end: 1025 }),
    schedules.formatSchedule({ every_seconds: null, times: ['17:05'], weekdays: [] }),
  ];
}

beforeEach(() => {
  vi.resetModules();
  // A moment of another year has no time of day.
  vi.setSystemTime(AT);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('every formatter uses 12 hours where the language does', async () => {
  for (const text of await allClocksFor('en-US')) expect(text).toMatch(/\b5:05(:09)?\sPM/);
});

test('every formatter uses 24 hours where the language does', async () => {
  for (const locale of ['en-GB', 'de-DE', 'sv-SE']) {
    for (const text of await allClocksFor(locale)) expect(text).toMatch(/17[:.]05/);
  }
});

test('full hours are labelled without minutes', async () => {
  const { labels, ticks, clock } = await loadFor('en-US');
  const hourly = ticks.TICK_STEPS.find(({ count }) => count === 3_600_000)!;
  expect(labels.tickLabel(hourly, 'UTC', Date.parse('2026-03-01T17:00:00Z'))).toMatch(/^5\sPM$/);
  expect([0, 12, 18, 24].map(clock.formatHourOf)).toEqual([
    expect.stringMatching(/^12\sAM$/),
    expect.stringMatching(/^12\sPM$/),
    expect.stringMatching(/^6\sPM$/),
    expect.stringMatching(/^12\sAM$/),
  ]);
});

test('a formatted time of day can be parsed again, in every language', async () => {
  for (const locale of ['en-US', 'en-GB', 'es-MX', 'ko-KR', 'ar-EG', 'zh-TW', 'hi-IN', 'ja-JP']) {
    vi.resetModules();
    const { parseClock, formatClockOf } = (await loadFor(locale)).clock;
    for (const minutes of [0, 5, 510, 720, 725, 1110, 1439])
      expect(parseClock(formatClockOf(minutes)), locale).toBe(minutes);
  }
});

test('times are parsed with 24 and 12 hours, and sent to the API with 24', async () => {
  const { clock, schedules } = await loadFor('en-US');
  expect(['8:30', '08.30', '24:00', '8:30 AM', '8:30pm', '12:05 a.m.', '12 PM'].map(clock.parseClock)).toEqual([
    510, 510, 1440, 510, 1230, 5, 720,
  ]);
  expect(['8', '13:00 PM', '0:30 AM', '25:00', '8:60', 'pm'].map(clock.parseClock)).toEqual([
    null,
    null,
    null,
    null,
    null,
    null,
  ]);
  const shown = schedules.tidyTimes(['6:30 pm', '18:30', '8:05']);
  expect(shown).toEqual(['8:05 AM', '6:30 PM']);
  expect(
    schedules.scheduleFieldsOf({ ...schedules.newSchedule('UTC'), timing: 'times', times: shown }, 'd1').times,
  ).toEqual(['08:05', '18:30']);
});
