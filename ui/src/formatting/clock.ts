// Times of day in the browser's language, with 12 or 24 hours; used by every formatter of times, so that all agree.

export const HAS_12_HOURS = new Intl.DateTimeFormat(undefined, { hour: 'numeric' }).resolvedOptions().hour12 === true;

/** Hours and minutes; also to be combined with date options. */
export const CLOCK: Intl.DateTimeFormatOptions = HAS_12_HOURS
  ? { hour: 'numeric', minute: '2-digit' }
  : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };

export const CLOCK_TO_THE_SECOND: Intl.DateTimeFormatOptions = { ...CLOCK, second: '2-digit' };

/** For scales of full hours: "5 PM", "17:00". */
export const FULL_HOUR: Intl.DateTimeFormatOptions = HAS_12_HOURS ? { hour: 'numeric' } : CLOCK;

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
const clock = new Intl.DateTimeFormat(undefined, { ...CLOCK, timeZone: 'UTC' });
const fullHour = new Intl.DateTimeFormat(undefined, { ...FULL_HOUR, timeZone: 'UTC' });

const MORNING = /\s*a\.?\s?m\.?\s*$/i;
const AFTERNOON = /\s*p\.?\s?m\.?\s*$/i;

/** "8:30", "08.30", "8:30 pm" or "8 pm" in minutes, up to "24:00"; null for any other text. */
export function parseClock(text: string): number | null {
  const isAfternoon = AFTERNOON.test(text);
  const has12Hours = isAfternoon || MORNING.test(text);
  const bare = text.replace(isAfternoon ? AFTERNOON : MORNING, '');
  const match = /^\s*(\d{1,2})(?:[:.](\d{2}))?\s*$/.exec(bare);
  if (!match || (match[2] === undefined && !has12Hours)) return null;
  const [hours, minutes] = [Number(match[1]), Number(match[2] ?? 0)];
  if (minutes > 59 || (has12Hours && (hours < 1 || hours > 12))) return null;
  const hourOfDay = has12Hours ? (hours % 12) + (isAfternoon ? 12 : 0) : hours;
  const sum = hourOfDay * 60 + minutes;
  return sum <= DAY_MINUTES ? sum : null;
}

/** Formats minutes of a day as in the API, "08:30"; 1440 is "24:00". */
export const clockText = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

/** Some languages' day periods (AM/PM) cannot be parsed; these use 24 hours where times are typed. */
const canBeTyped = Array.from({ length: 24 }, (_, hour) => hour * 60 + 5).every(
  (minutes) => parseClock(clock.format(minutes * MINUTE_MS)) === minutes,
);

/** Formats minutes of a day for reading and typing: "08:30", "8:30 AM". With 24 hours the end of a day is "24:00". */
export const formatClockOf = (minutes: number): string =>
  HAS_12_HOURS && canBeTyped ? clock.format(minutes * MINUTE_MS).replaceAll('\u202f', ' ') : clockText(minutes);

/** Formats an hour for the scale of a day: "18:00", "6 PM". */
export const formatHourOf = (hour: number): string =>
  HAS_12_HOURS && canBeTyped ? fullHour.format(hour * 60 * MINUTE_MS) : clockText(hour * 60);
