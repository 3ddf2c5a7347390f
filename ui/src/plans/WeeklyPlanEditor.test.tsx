// The weekly plan with mouse and keyboard.
import { MantineProvider } from '@mantine/core';
import { fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { beforeEach, expect, test, vi } from 'vitest';
import type { WeeklyPlan } from '../api/recordingTypes';
import { WeeklyPlanEditor } from './WeeklyPlanEditor';

const onChange = vi.fn();

function PlanState({ plan }: { plan: WeeklyPlan }) {
  const [value, setValue] = useState(plan);
  return (
    <WeeklyPlanEditor
      value={value}
      onChange={(next) => {
        onChange(next);
        setValue(next);
      }}
    />
  );
}

const show = (plan: WeeklyPlan) =>
  render(
    <MantineProvider env="test">
      <PlanState plan={plan} />
    </MantineProvider>,
  );
const last = () => onChange.mock.lastCall?.[0] as WeeklyPlan;

beforeEach(() => {
  onChange.mockReset();
  // One pixel per minute.
  Element.prototype.getBoundingClientRect = () => ({
    left: 0,
    top: 0,
    width: 1440,
    height: 28,
    right: 1440,
    bottom: 28,
    x: 0,
    y: 0,
    toJSON: () => ({}),
  });
});

const drag = (element: Element, from: number, to: number) => {
  for (const [type, x] of [
    ['pointerdown', from],
    ['pointermove', to],
    ['pointerup', to],
  ] as const) {
    fireEvent(element, new MouseEvent(type, { bubbles: true, clientX: x, button: 0 }));
  }
};

test('a drag across a day adds a time, rounded to quarters of an hour', () => {
  show({});
  drag(document.querySelector('[data-day="Tuesday"]')!, 481, 1078);
  expect(last()).toEqual({ tuesday: [['08:00', '18:00']] });
});

test('dragging a time moves it', () => {
  show({ monday: [['08:00', '10:00']] });
  drag(screen.getByRole('button', { name: 'Monday, 08:00 to 10:00' }), 540, 600);
  expect(last()).toEqual({ monday: [['09:00', '11:00']] });
});

test('keys move, extend and remove a time', async () => {
  show({ monday: [['08:00', '10:00']] });
  screen.getByRole('button', { name: 'Monday, 08:00 to 10:00' }).focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(last()).toEqual({ monday: [['08:15', '10:15']] });
  await userEvent.keyboard('{Shift>}{ArrowRight}{/Shift}');
  expect(last()).toEqual({ monday: [['08:15', '10:30']] });
  await userEvent.keyboard('{Delete}');
  expect(last()).toEqual({});
});

test('exact times can be typed, also across midnight', async () => {
  show({ friday: [['20:00', '23:00']] });
  await userEvent.click(screen.getByRole('button', { name: /^Friday/ }));
  const to = screen.getByLabelText('To');
  await userEvent.clear(to);
  await userEvent.type(to, '6:05{Enter}');
  expect(last()).toEqual({ friday: [['20:00', '06:05']] });
});

test('an invalid time is reported and changes nothing', async () => {
  show({ friday: [['20:00', '23:00']] });
  await userEvent.click(screen.getByRole('button', { name: /^Friday/ }));
  await userEvent.clear(screen.getByLabelText('From'));
  await userEvent.type(screen.getByLabelText('From'), '25:00');
  expect(screen.getByText('Enter a time such as 08:30')).toBeInTheDocument();
  await userEvent.tab();
  expect(onChange).not.toHaveBeenCalled();
});

test('the times of one day are copied to other days', async () => {
  show({ monday: [['08:00', '10:00']], tuesday: [['01:00', '02:00']] });
  await userEvent.click(screen.getByRole('button', { name: /^Monday/ }));
  await userEvent.click(screen.getByRole('button', { name: 'Copy to Mon–Fri' }));
  expect(last()).toEqual(
    Object.fromEntries(
      ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'].map((day) => [day, [['08:00', '10:00']]]),
    ),
  );
});

test('times can be added without a mouse', async () => {
  show({ monday: [['08:00', '10:00']] });
  await userEvent.click(screen.getByRole('button', { name: 'Add a time on Monday' }));
  expect(last().monday).toEqual([
    ['08:00', '10:00'],
    ['11:00', '24:00'],
  ]);
  await userEvent.click(screen.getByRole('button', { name: 'Add a time on Sunday' }));
  expect(last().sunday).toEqual([['08:00', '18:00']]);
});
