// Schedules as text and as form values, converted both ways, and their validation.
import { expect, test } from 'vitest';
import { buildSchedule } from '../../test/bookmarkFactories';
import {
  formatScheduleRetention,
  newSchedule,
  placeScheduleErrors,
  scheduleFieldsOf,
  scheduleRules,
  scheduleTitle,
  scheduleValuesOf,
  formatSchedule,
  tidyTimes,
  formatWeekdays,
} from './scheduleValues';

test('an interval is shown in the largest unit that fits', () => {
  const format = (every_seconds: number) => formatSchedule({ every_seconds, times: [], weekdays: [] });
  expect([45, 60, 600, 3_600, 5_400, 86_400, 172_800].map(format)).toEqual([
    'Every 45 seconds',
    'Every minute',
    'Every 10 minutes',
    'Every hour',
    'Every 90 minutes',
    'Every day',
    'Every 2 days',
  ]);
});

test('times and days are abbreviated', () => {
  expect(formatSchedule({ every_seconds: null, times: ['08:00', '18:30'], weekdays: ['saturday', 'sunday'] })).toBe(
    'At 08:00 and 18:30, Sat, Sun',
  );
  expect(formatSchedule({ every_seconds: null, times: ['08:00'], weekdays: [] })).toBe('At 08:00');
  const many = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, '0')}:00`);
  expect(formatSchedule({ every_seconds: null, times: many, weekdays: [] })).toBe(
    'At 00:00, 01:00, 02:00, 03:00, 04:00 and 19 more times',
  );
  expect(formatWeekdays(['monday', 'tuesday', 'wednesday', 'friday', 'sunday'])).toBe('Mon–Wed, Fri, Sun');
  expect(formatWeekdays(['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'])).toBe('');
});

test('a schedule without a name is titled by its timing', () => {
  expect(scheduleTitle(buildSchedule({ name: '' }))).toBe('Every 10 minutes');
});

test('the retention is shown, also without a limit', () => {
  expect(formatScheduleRetention({ keep_days: 30, keep_count: 500 })).toBe('30 days, newest 500');
  expect(formatScheduleRetention({ keep_days: null, keep_count: null })).toBe('No limit');
});

test('a schedule survives the conversion to form values and back', () => {
  for (const schedule of [
    buildSchedule(),
    buildSchedule({ every_seconds: null, times: ['08:00'], weekdays: ['monday'], keep_days: null, keep_count: 9 }),
  ]) {
    const { device_id, name, enabled, every_seconds, times, weekdays, time_zone, tags, keep_days, keep_count } =
      schedule;
    expect(scheduleFieldsOf(scheduleValuesOf(schedule), 'd1')).toEqual({
      device_id,
      name,
      enabled,
      every_seconds,
      times,
      weekdays,
      time_zone,
      tags,
      keep_days,
      keep_count,
    });
  }
});

test('only the selected timing is sent, whatever the other fields hold', () => {
  const values = { ...newSchedule('UTC'), count: 2, unit: 'hours' as const, times: ['08:00'] };
  expect(scheduleFieldsOf(values, 'd1')).toMatchObject({ every_seconds: 7_200, times: [] });
  expect(scheduleFieldsOf({ ...values, timing: 'times' }, 'd1')).toMatchObject({
    every_seconds: null,
    times: ['08:00'],
  });
});

test('times are sorted, and invalid times are refused', () => {
  expect(tidyTimes(['18:30', '8.05', '08:05'])).toEqual(['08:05', '18:30']);
  const values = { ...newSchedule('UTC'), timing: 'times' as const };
  expect(scheduleRules.times([], values)).toMatch(/at least one/);
  expect(scheduleRules.times(['24:00'], values)).toMatch(/not a time of day/);
  expect(scheduleRules.times(['08:30'], values)).toBeNull();
});

test('an interval is from one second to seven days', () => {
  const rule = (count: number | string, unit: 'seconds' | 'days') =>
    scheduleRules.count(count, { ...newSchedule('UTC'), unit });
  expect([rule(0, 'seconds'), rule('', 'seconds'), rule(8, 'days')].every(Boolean)).toBe(true);
  expect([rule(1, 'seconds'), rule(7, 'days')]).toEqual([null, null]);
});

test('errors of the server are shown at the form fields', () => {
  expect(placeScheduleErrors({ every_seconds: "'every_seconds' must be at least 1", device_id: 'no' })).toEqual({
    count: 'The interval must be at least 1.',
  });
});
