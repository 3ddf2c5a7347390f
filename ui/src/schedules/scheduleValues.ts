// Form values of a snapshot schedule: validation, conversion to and from the API, and formatting as text.
import type { Schedule, ScheduleFields } from '../api/schedules';
import type { Weekday } from '../api/recordingTypes';
import { clockText, formatClockOf, parseClock } from '../formatting/clock';
import { DAY_MINUTES, WEEKDAY_NAMES, WEEKDAYS } from '../plans/planSpans';
import { sentence } from '../formatting/sentence';

export type ScheduleUnit = 'seconds' | 'minutes' | 'hours' | 'days';

export interface ScheduleValues {
  name: string;
  enabled: boolean;
  timing: 'every' | 'times';
  /** An empty number field holds an empty string. */
  count: number | string;
  unit: ScheduleUnit;
  times: string[];
  weekdays: Weekday[];
  time_zone: string;
  tags: string[];
  keep_days: number | string;
  keep_count: number | string;
}

const UNITS: [ScheduleUnit, number][] = [
  ['days', 86_400],
  ['hours', 3_600],
  ['minutes', 60],
  ['seconds', 1],
];
const MAX_SECONDS = 7 * 86_400;
export const MAX_TIMES = 96;
/** 8:30 in minutes: the example of a time of day in texts. */
export const EXAMPLE_MINUTES = 510;

export const secondsOf = (count: number | string, unit: ScheduleUnit): number =>
  Number(count) * (UNITS.find(([name]) => name === unit)?.[1] ?? 1);

/** In the largest unit that fits: 3600 is 1 hour, 5400 is 90 minutes. */
export function unitOf(seconds: number): [number, ScheduleUnit] {
  const [unit, size] = UNITS.find(([, length]) => seconds % length === 0) ?? ['seconds', 1];
  return [seconds / size, unit];
}

export function newSchedule(timeZone: string): ScheduleValues {
  return {
    name: '',
    enabled: true,
    timing: 'every',
    count: 10,
    unit: 'minutes',
    times: [],
    weekdays: [],
    time_zone: timeZone,
    tags: [],
    keep_days: 30,
    keep_count: '',
  };
}

export function scheduleValuesOf(schedule: Schedule): ScheduleValues {
  const { name, enabled, every_seconds, times, weekdays, time_zone, tags, keep_days, keep_count } = schedule;
  const [count, unit] = unitOf(every_seconds ?? 600);
  return {
    name,
    enabled,
    timing: every_seconds === null ? 'times' : 'every',
    count,
    unit,
    times: tidyTimes(times),
    weekdays,
    time_zone,
    tags,
    keep_days: keep_days ?? '',
    keep_count: keep_count ?? '',
  };
}

const numberOrNull = (value: number | string): number | null => (value === '' ? null : Number(value));

export function scheduleFieldsOf(values: ScheduleValues, deviceId: string): ScheduleFields {
  const { name, enabled, timing, count, unit, times, weekdays, time_zone, tags, keep_days, keep_count } = values;
  return {
    device_id: deviceId,
    name: name.trim(),
    enabled,
    every_seconds: timing === 'every' ? secondsOf(count, unit) : null,
    times: timing === 'times' ? timeTexts(times) : [],
    weekdays: weekdays.length === WEEKDAYS.length ? [] : WEEKDAYS.filter((day) => weekdays.includes(day)),
    time_zone,
    tags,
    keep_days: numberOrNull(keep_days),
    keep_count: numberOrNull(keep_count),
  };
}

/** Minutes of a time of day; null if it is not one. "24:00" belongs to the next day. */
const minutesOf = (time: string): number | null => {
  const minutes = parseClock(time);
  return minutes === null || minutes >= DAY_MINUTES ? null : minutes;
};

/** Times in the reader's format, unique and in order: "8.30" becomes "08:30". Invalid times stay visible for correction. */
export function tidyTimes(times: string[]): string[] {
  const sorted = [...times].sort((a, b) => (minutesOf(a) ?? DAY_MINUTES) - (minutesOf(b) ?? DAY_MINUTES));
  const clean = sorted.map((time) => {
    const minutes = minutesOf(time);
    return minutes === null ? time.trim() : formatClockOf(minutes);
  });
  return [...new Set(clean)];
}

/** Times in the API's format, unique and in order. */
const timeTexts = (times: string[]): string[] =>
  [...new Set(times.map((time) => clockText(minutesOf(time) ?? 0)))].sort();

const atLeastOne = (value: number | string): string | null =>
  value === '' || (Number.isInteger(Number(value)) && Number(value) > 0) ? null : 'Enter a whole number above 0';

export const scheduleRules = {
  name: (name: string) => (name.trim() ? null : 'Enter a name'),
  count: (count: number | string, { timing, unit }: ScheduleValues) => {
    const seconds = secondsOf(count, unit);
    if (timing !== 'every' || (count !== '' && Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_SECONDS))
      return null;
    return 'Enter 1 second to 7 days';
  },
  times: (times: string[], { timing }: ScheduleValues) => {
    if (timing !== 'times') return null;
    const invalid = times.find((time) => minutesOf(time) === null);
    if (invalid !== undefined) return `“${invalid}” is not a time of day such as ${formatClockOf(EXAMPLE_MINUTES)}`;
    return times.length > 0 ? null : 'Enter at least one time of day';
  },
  keep_days: atLeastOne,
  keep_count: atLeastOne,
};

const FIELD_NAMES: Record<string, [keyof ScheduleValues, string]> = {
  name: ['name', 'the name'],
  every_seconds: ['count', 'the interval'],
  times: ['times', 'the times'],
  weekdays: ['weekdays', 'the days'],
  time_zone: ['time_zone', 'the time zone'],
  tags: ['tags', 'the tags'],
  keep_days: ['keep_days', 'the number of days'],
  keep_count: ['keep_count', 'the number of snapshots'],
};

/** The server's errors by form field. */
export function placeScheduleErrors(errors: Record<string, string>): Record<string, string> {
  const placed: Record<string, string> = {};
  for (const [field, text] of Object.entries(errors)) {
    const [own] = FIELD_NAMES[field] ?? [];
    if (own)
      placed[own] = sentence(text.replace(/^'(\w+)'/, (quoted, name: string) => FIELD_NAMES[name]?.[1] ?? quoted));
  }
  return placed;
}

/** "Mon–Fri", "Sat, Sun", "" for every day. */
export function formatWeekdays(weekdays: Weekday[]): string {
  const selected = WEEKDAYS.map((day) => weekdays.includes(day));
  if (weekdays.length === 0 || selected.every(Boolean)) return '';
  const parts: string[] = [];
  for (let first = 0; first < selected.length; first += 1) {
    if (!selected[first]) continue;
    let last = first;
    while (selected[last + 1]) last += 1;
    const short = (day: number) => (WEEKDAY_NAMES[day] ?? '').slice(0, 3);
    if (last - first >= 2) parts.push(`${short(first)}–${short(last)}`);
    else for (let day = first; day <= last; day += 1) parts.push(short(day));
    first = last;
  }
  return parts.join(', ');
}

/** The name, or the timing if there is none: a schedule created over the API may have no name. */
export const scheduleTitle = (schedule: Schedule): string => schedule.name || formatSchedule(schedule);

const MAX_NAMED = 6;

/** "Every 10 minutes, Mon–Fri", "At 08:00 and 18:30". */
export function formatSchedule({
  every_seconds,
  times,
  weekdays,
}: Pick<ScheduleFields, 'every_seconds' | 'times' | 'weekdays'>): string {
  const days = formatWeekdays(weekdays);
  const tail = days ? `, ${days}` : '';
  if (every_seconds !== null) {
    const [count, unit] = unitOf(every_seconds);
    return `Every ${count === 1 ? unit.slice(0, -1) : `${count} ${unit}`}${tail}`;
  }
  const listed = tidyTimes(times);
  if (listed.length > MAX_NAMED)
    return `At ${listed.slice(0, MAX_NAMED - 1).join(', ')} and ${listed.length - MAX_NAMED + 1} more times${tail}`;
  return `At ${listed.length > 1 ? `${listed.slice(0, -1).join(', ')} and ${listed.at(-1)}` : listed[0]}${tail}`;
}

/** "30 days, newest 500", "No limit". */
export function formatScheduleRetention({
  keep_days,
  keep_count,
}: Pick<ScheduleFields, 'keep_days' | 'keep_count'>): string {
  const limits = [
    keep_days === null ? '' : `${keep_days} ${keep_days === 1 ? 'day' : 'days'}`,
    keep_count === null ? '' : `newest ${keep_count}`,
  ].filter(Boolean);
  return limits.length > 0 ? limits.join(', ') : 'No limit';
}
