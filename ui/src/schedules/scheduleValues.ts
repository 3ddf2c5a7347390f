// A schedule of snapshots as its form holds it, what is wrong with it, what is sent, and how it is said in words.
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
  /** Numbers are empty text while somebody is typing. */
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
/** Half past eight, in minutes: the example that is shown of a time. */
export const FIRST_EXAMPLE = 510;

export const secondsOf = (count: number | string, unit: ScheduleUnit): number =>
  Number(count) * (UNITS.find(([name]) => name === unit)?.[1] ?? 1);

/** 3600 as one hour, 5400 as ninety minutes. */
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

/** Of a time of day; null for what is none: "24:00" is the next day's. */
const minutesOf = (time: string): number | null => {
  const minutes = parseClock(time);
  return minutes === null || minutes >= DAY_MINUTES ? null : minutes;
};

/** As the reader spells times, each once, in order: "8.30" is "08:30". What is no time stays, so that it can be seen and mended. */
export function tidyTimes(times: string[]): string[] {
  const told = [...times].sort((a, b) => (minutesOf(a) ?? DAY_MINUTES) - (minutesOf(b) ?? DAY_MINUTES));
  const clean = told.map((time) => {
    const minutes = minutesOf(time);
    return minutes === null ? time.trim() : formatClockOf(minutes);
  });
  return [...new Set(clean)];
}

/** As the API spells them. */
const timeTexts = (times: string[]): string[] =>
  [...new Set(times.map((time) => clockText(minutesOf(time) ?? 0)))].sort();

const atLeastOne = (value: number | string): string | null =>
  value === '' || (Number.isInteger(Number(value)) && Number(value) > 0) ? null : 'Enter a whole number above 0';

export const scheduleRules = {
  name: (name: string) => (name.trim() ? null : 'Give it a name'),
  count: (count: number | string, { timing, unit }: ScheduleValues) => {
    const seconds = secondsOf(count, unit);
    if (timing !== 'every' || (count !== '' && Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_SECONDS))
      return null;
    return 'From 1 second to 7 days';
  },
  times: (times: string[], { timing }: ScheduleValues) => {
    if (timing !== 'times') return null;
    const wrong = times.find((time) => minutesOf(time) === null);
    if (wrong !== undefined) return `“${wrong}” is no time of day such as ${formatClockOf(FIRST_EXAMPLE)}`;
    return times.length > 0 ? null : 'Enter at least one time of day';
  },
  keep_days: atLeastOne,
  keep_count: atLeastOne,
};

const FIELD_NAMES: Record<string, [keyof ScheduleValues, string]> = {
  name: ['name', 'the name'],
  every_seconds: ['count', 'the step'],
  times: ['times', 'the times'],
  weekdays: ['weekdays', 'the days'],
  time_zone: ['time_zone', 'the time zone'],
  tags: ['tags', 'the tags'],
  keep_days: ['keep_days', 'the number of days'],
  keep_count: ['keep_count', 'the number of snapshots'],
};

/** What the server found, by the fields of the form. */
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
  const chosen = WEEKDAYS.map((day) => weekdays.includes(day));
  if (weekdays.length === 0 || chosen.every(Boolean)) return '';
  const parts: string[] = [];
  for (let first = 0; first < chosen.length; first += 1) {
    if (!chosen[first]) continue;
    let last = first;
    while (chosen[last + 1]) last += 1;
    const short = (day: number) => (WEEKDAY_NAMES[day] ?? '').slice(0, 3);
    if (last - first >= 2) parts.push(`${short(first)}–${short(last)}`);
    else for (let day = first; day <= last; day += 1) parts.push(short(day));
    first = last;
  }
  return parts.join(', ');
}

/** What it is called: one made over the API may have no name. */
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
  const told = tidyTimes(times);
  if (told.length > MAX_NAMED)
    return `At ${told.slice(0, MAX_NAMED - 1).join(', ')} and ${told.length - MAX_NAMED + 1} more times${tail}`;
  return `At ${told.length > 1 ? `${told.slice(0, -1).join(', ')} and ${told.at(-1)}` : told[0]}${tail}`;
}

/** "30 days or 1000 snapshots", "for good". */
export function formatScheduleRetention({
  keep_days,
  keep_count,
}: Pick<ScheduleFields, 'keep_days' | 'keep_count'>): string {
  const limits = [
    keep_days === null ? '' : `${keep_days} ${keep_days === 1 ? 'day' : 'days'}`,
    keep_count === null ? '' : `the newest ${keep_count === 1 ? 'one' : keep_count}`,
  ].filter(Boolean);
  return limits.length > 0 ? limits.join(', ') : 'for good';
}
