// Arithmetic and formatting of dates ("2026-11-22") and months ("2026-11"): pure, without a time zone.

const asUtc = (date: string): Date => new Date(`${date}T00:00:00Z`);

export function addDays(date: string, days: number): string {
  const moved = asUtc(date);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}

export function addMonths(month: string, months: number): string {
  const moved = asUtc(`${month}-01`);
  moved.setUTCMonth(moved.getUTCMonth() + months);
  return moved.toISOString().slice(0, 7);
}

export const monthOf = (date: string): string => date.slice(0, 7);

/** The same day of another month, or its last day when the month is shorter. */
export function dateInMonth(month: string, day: number): string {
  const last = Number(addDays(`${addMonths(month, 1)}-01`, -1).slice(8));
  return `${month}-${String(Math.min(day, last)).padStart(2, '0')}`;
}

/** The whole weeks, Monday first, that contain the month: rows of seven dates. */
export function weeksOf(month: string): string[][] {
  const first = `${month}-01`;
  const monday = addDays(first, -((asUtc(first).getUTCDay() + 6) % 7));
  const weeks: string[][] = [];
  for (let start = monday; start < `${addMonths(month, 1)}-01`; start = addDays(start, 7)) {
    weeks.push(Array.from({ length: 7 }, (_, index) => addDays(start, index)));
  }
  return weeks;
}

const formatter = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(undefined, { ...options, timeZone: 'UTC' });
const monthName = formatter({ month: 'long', year: 'numeric' });
const wholeDate = formatter({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const dateOfYear = formatter({ weekday: 'long', day: 'numeric', month: 'long' });
const shortDate = formatter({ weekday: 'short', day: 'numeric', month: 'short' });
const weekdayName = formatter({ weekday: 'short' });

export const formatMonth = (month: string): string => monthName.format(asUtc(`${month}-01`));
export const formatDate = (date: string): string => wholeDate.format(asUtc(date));
/** Includes the year only when it differs from that of `today`. */
export const formatDay = (date: string, today: string): string =>
  (date.slice(0, 4) === today.slice(0, 4) ? dateOfYear : wholeDate).format(asUtc(date));
export const formatShortDate = (date: string): string => shortDate.format(asUtc(date));
export const formatWeekday = (date: string): string => weekdayName.format(asUtc(date));
