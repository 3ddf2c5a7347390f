// One day of the calendar: its number, how much of it is recorded, and a mark where something is missing.
import type { RecordedDate } from '../api/recordingTypes';
import { formatShare } from '../formatting/amounts';
import { formatDate } from '../formatting/calendarDates';
import { formatSpan } from '../formatting/moments';
import classes from './RecordedCalendar.module.css';

interface CalendarDayProps {
  date: string;
  day: RecordedDate | undefined;
  isOutside: boolean;
  isFuture: boolean;
  isToday: boolean;
  isChosen: boolean;
  isStop: boolean;
  onPick: () => void;
}

const DAY_SECONDS = 86_400;

/** "Sunday, 22 November 2026: 23 h 10 min recorded, 97 % of what was wanted, 3 gaps". */
export function formatDay(date: string, day: RecordedDate | undefined): string {
  if (!day || day.seconds <= 0) return `${formatDate(date)}: nothing recorded`;
  const share = day.coverage === null ? '' : `, ${formatShare(day.coverage)} of what was wanted`;
  const gaps = day.gaps > 0 ? `, ${day.gaps} ${day.gaps === 1 ? 'gap' : 'gaps'}` : '';
  return `${formatDate(date)}: ${formatSpan(day.seconds * 1000)} recorded${share}${gaps}`;
}

export function CalendarDay({ date, day, isOutside, isFuture, isToday, isChosen, isStop, onPick }: CalendarDayProps) {
  if (isOutside) return <td role="gridcell" aria-hidden />;
  const hasFootage = day !== undefined && day.seconds > 0;
  const filled = hasFootage ? Math.max(0.06, Math.min(1, day.seconds / DAY_SECONDS)) : 0;
  const label = formatDay(date, day);
  return (
    <td role="gridcell" aria-selected={isChosen}>
      <button
        type="button"
        className={classes.day}
        data-date={date}
        data-footage={hasFootage || undefined}
        aria-label={label}
        aria-current={isToday ? 'date' : undefined}
        aria-disabled={!hasFootage}
        disabled={isFuture}
        title={isFuture ? undefined : label}
        tabIndex={isStop ? 0 : -1}
        onClick={hasFootage ? onPick : undefined}
      >
        <span>{Number(date.slice(8))}</span>
        <span className={classes.fill} aria-hidden>
          <i style={{ width: `${filled * 100}%` }} />
        </span>
        {hasFootage && day.gaps > 0 && <span className={classes.mark} aria-hidden />}
      </button>
    </td>
  );
}
