// A month of recorded days: how much of each is there, where something is missing, and the way to one of them.
import { ActionIcon, Button } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import type { RecordedDate } from '../api/recordingTypes';
import {
  addDays,
  addMonths,
  dateInMonth,
  formatMonth,
  formatWeekday,
  monthOf,
  weeksOf,
} from '../formatting/calendarDates';
import { CalendarDay } from './CalendarDay';
import classes from './RecordedCalendar.module.css';

interface RecordedCalendarProps {
  /** "2026-11" */
  month: string;
  onMonth: (month: string) => void;
  days: RecordedDate[] | undefined;
  /** The chosen date, "2026-11-22"; null for none. */
  value: string | null;
  onPick: (date: string) => void;
  today: string;
}

export function RecordedCalendar({ month, onMonth, days, value, onPick, today }: RecordedCalendarProps) {
  const grid = useRef<HTMLTableElement>(null);
  const [focused, setFocused] = useState(value ?? today);
  const [isKeyed, setKeyed] = useState(false);
  const byDate = new Map(days?.map((day) => [day.date, day]));
  const stop =
    monthOf(focused) === month
      ? focused
      : value && monthOf(value) === month
        ? value
        : monthOf(today) === month
          ? today
          : `${month}-01`;

  useEffect(() => {
    if (isKeyed) grid.current?.querySelector<HTMLElement>(`[data-date="${stop}"]`)?.focus();
  }, [isKeyed, stop]);

  const go = (date: string) => {
    const kept = date > today ? today : date;
    setKeyed(true);
    setFocused(kept);
    if (monthOf(kept) !== month) onMonth(monthOf(kept));
  };
  const press = (event: KeyboardEvent) => {
    const day = Number(stop.slice(8));
    const weekday = (new Date(`${stop}T00:00:00Z`).getUTCDay() + 6) % 7;
    const target: Record<string, () => string> = {
      ArrowLeft: () => addDays(stop, -1),
      ArrowRight: () => addDays(stop, 1),
      ArrowUp: () => addDays(stop, -7),
      ArrowDown: () => addDays(stop, 7),
      Home: () => addDays(stop, -weekday),
      End: () => addDays(stop, 6 - weekday),
      PageUp: () => dateInMonth(addMonths(month, -1), day),
      PageDown: () => dateInMonth(addMonths(month, 1), day),
    };
    const found = target[event.key];
    if (!found) return;
    event.preventDefault();
    go(found());
  };
  const turn = (to: string) => {
    setKeyed(false);
    onMonth(to);
  };

  const weeks = weeksOf(month);
  return (
    <div className={classes.calendar}>
      <div className={classes.head}>
        <ActionIcon variant="subtle" color="gray" aria-label="Month before" onClick={() => turn(addMonths(month, -1))}>
          <IconChevronLeft size={18} />
        </ActionIcon>
        <div className={classes.month} aria-live="polite">
          {formatMonth(month)}
        </div>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label="Month after"
          disabled={month >= monthOf(today)}
          onClick={() => turn(addMonths(month, 1))}
        >
          <IconChevronRight size={18} />
        </ActionIcon>
      </div>
      <table
        ref={grid}
        role="grid"
        aria-label={`Recorded days, ${formatMonth(month)}`}
        className={classes.grid}
        onKeyDown={press}
      >
        <thead>
          <tr>
            {weeks[0]?.map((date) => (
              <th key={date} scope="col">
                {formatWeekday(date)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week[0]}>
              {week.map((date) => (
                <CalendarDay
                  key={date}
                  date={date}
                  day={byDate.get(date)}
                  isOutside={monthOf(date) !== month}
                  isFuture={date > today}
                  isToday={date === today}
                  isChosen={date === value}
                  isStop={date === stop}
                  onPick={() => {
                    setKeyed(false);
                    setFocused(date);
                    onPick(date);
                  }}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <div className={classes.foot}>
        <span className={classes.legend}>
          <i className={classes.whole} /> recorded
        </span>
        <span className={classes.legend}>
          <i className={classes.gap} /> gaps
        </span>
        {month !== monthOf(today) && (
          <Button size="compact-xs" variant="subtle" ml="auto" onClick={() => go(today)}>
            This month
          </Button>
        )}
      </div>
    </div>
  );
}
