// A calendar month of recorded days: shows the recorded share and the gaps of each day, and selects one.
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
  /** The selected date, "2026-11-22"; null for none. */
  value: string | null;
  onPick: (date: string) => void;
  today: string;
}

export function RecordedCalendar({ month, onMonth, days, value, onPick, today }: RecordedCalendarProps) {
  const grid = useRef<HTMLTableElement>(null);
  const [focused, setFocused] = useState(value ?? today);
  const [usesKeys, setUsesKeys] = useState(false);
  const byDate = new Map(days?.map((day) => [day.date, day]));
  const tabStop =
    monthOf(focused) === month
      ? focused
      : value && monthOf(value) === month
        ? value
        : monthOf(today) === month
          ? today
          : `${month}-01`;

  useEffect(() => {
    if (usesKeys) grid.current?.querySelector<HTMLElement>(`[data-date="${tabStop}"]`)?.focus();
  }, [usesKeys, tabStop]);

  const go = (date: string) => {
    const target = date > today ? today : date;
    setUsesKeys(true);
    setFocused(target);
    if (monthOf(target) !== month) onMonth(monthOf(target));
  };
  const press = (event: KeyboardEvent) => {
    const day = Number(tabStop.slice(8));
    const weekday = (new Date(`${tabStop}T00:00:00Z`).getUTCDay() + 6) % 7;
    const targets: Record<string, () => string> = {
      ArrowLeft: () => addDays(tabStop, -1),
      ArrowRight: () => addDays(tabStop, 1),
      ArrowUp: () => addDays(tabStop, -7),
      ArrowDown: () => addDays(tabStop, 7),
      Home: () => addDays(tabStop, -weekday),
      End: () => addDays(tabStop, 6 - weekday),
      PageUp: () => dateInMonth(addMonths(month, -1), day),
      PageDown: () => dateInMonth(addMonths(month, 1), day),
    };
    const targetOf = targets[event.key];
    if (!targetOf) return;
    event.preventDefault();
    go(targetOf());
  };
  const turn = (to: string) => {
    setUsesKeys(false);
    onMonth(to);
  };

  const weeks = weeksOf(month);
  return (
    <div className={classes.calendar}>
      <div className={classes.head}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label="Previous month"
          onClick={() => turn(addMonths(month, -1))}
        >
          <IconChevronLeft size={18} />
        </ActionIcon>
        <div className={classes.month} aria-live="polite">
          {formatMonth(month)}
        </div>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label="Next month"
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
                  isSelected={date === value}
                  isTabStop={date === tabStop}
                  onPick={() => {
                    setUsesKeys(false);
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
