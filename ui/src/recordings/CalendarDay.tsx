// One day of the calendar: its number, a bar of its recorded share, and a mark if it has gaps.
import type { RecordedDate } from '../api/recordingTypes';
import { formatRecordedDay } from './recordedDayText';
import classes from './RecordedCalendar.module.css';

interface CalendarDayProps {
  date: string;
  day: RecordedDate | undefined;
  isOutside: boolean;
  isFuture: boolean;
  isToday: boolean;
  isSelected: boolean;
  /** The one day of the month that the Tab key reaches. */
  isTabStop: boolean;
  onPick: () => void;
}

const DAY_SECONDS = 86_400;

export function CalendarDay({
  date,
  day,
  isOutside,
  isFuture,
  isToday,
  isSelected,
  isTabStop,
  onPick,
}: CalendarDayProps) {
  if (isOutside) return <td role="gridcell" aria-hidden />;
  const hasFootage = day !== undefined && day.seconds > 0;
  const filled = hasFootage ? Math.max(0.06, Math.min(1, day.seconds / DAY_SECONDS)) : 0;
  const label = formatRecordedDay(date, day);
  return (
    <td role="gridcell" aria-selected={isSelected}>
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
        tabIndex={isTabStop ? 0 : -1}
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
