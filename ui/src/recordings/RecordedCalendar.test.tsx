// The calendar of recorded days, by mouse and by keyboard.
import { MantineProvider } from '@mantine/core';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { beforeEach, expect, test, vi } from 'vitest';
import { buildRecordedDate } from '../../test/recordingFactories';
import { addDays, addMonths, dateInMonth, weeksOf } from '../formatting/calendarDates';
import { RecordedCalendar } from './RecordedCalendar';

const onPick = vi.fn();
const DAYS = [
  buildRecordedDate('2026-11-10'),
  buildRecordedDate('2026-11-11', { seconds: 83_400, coverage: 0.97, gaps: 3 }),
];

function CalendarHarness() {
  const [month, setMonth] = useState('2026-11');
  return (
    <RecordedCalendar
      month={month}
      onMonth={setMonth}
      days={DAYS}
      value="2026-11-10"
      onPick={onPick}
      today="2026-11-22"
    />
  );
}

beforeEach(() => {
  onPick.mockReset();
  render(
    <MantineProvider env="test">
      <CalendarHarness />
    </MantineProvider>,
  );
});

const day = (number: number) => document.querySelector<HTMLElement>(`[data-date="2026-11-${number}"]`)!;

test('the label of a day states the recorded time, the coverage and the gaps', () => {
  expect(day(11).getAttribute('aria-label')).toMatch(/23 h 10 min recorded, 97 % coverage, 3 gaps$/);
  expect(day(12).getAttribute('aria-label')).toMatch(/nothing recorded$/);
});

test('a day with footage can be selected, a day without cannot', async () => {
  await userEvent.click(day(11));
  await userEvent.click(day(12));
  expect(onPick.mock.calls).toEqual([['2026-11-11']]);
});

test('arrow keys move by days and weeks, page keys by months; the tab key has one stop', async () => {
  expect(document.querySelectorAll('[data-date][tabindex="0"]')).toHaveLength(1);
  day(10).focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(day(11)).toHaveFocus();
  await userEvent.keyboard('{ArrowDown}{Home}');
  expect(day(16)).toHaveFocus();
  await userEvent.keyboard('{PageUp}');
  expect(screen.getByText('October 2026')).toBeInTheDocument();
  expect(document.querySelector('[data-date="2026-10-16"]')).toHaveFocus();
});

test('the calendar does not go beyond today', async () => {
  day(10).focus();
  await userEvent.keyboard('{PageDown}');
  expect(day(22)).toHaveFocus();
  expect(screen.getByRole('button', { name: 'Next month' })).toBeDisabled();
});

test('date arithmetic handles months, years and leap days', () => {
  expect([addDays('2024-02-28', 1), addDays('2026-01-01', -1), addMonths('2026-12', 1)]).toEqual([
    '2024-02-29',
    '2025-12-31',
    '2027-01',
  ]);
  expect(dateInMonth('2026-02', 31)).toBe('2026-02-28');
  expect(weeksOf('2026-11')[0]?.[0]).toBe('2026-10-26');
  expect(weeksOf('2026-11').at(-1)?.[6]).toBe('2026-12-06');
});
