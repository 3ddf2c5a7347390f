// The timeline with keyboard, mouse, touch and wheel.
import { MantineProvider } from '@mantine/core';
import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState, type ReactNode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { TimelineLane } from './lanes';
import { HOUR_MS, NO_TIMELINE, type TimeRange } from './model';
import { Timeline, type TimelineProps } from './Timeline';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const DATA = {
  ...NO_TIMELINE,
  spans: [{ startMs: NOW - 3 * HOUR_MS, endMs: NOW - HOUR_MS, coverage: 1 }],
  gaps: [
    {
      startMs: NOW - HOUR_MS,
      endMs: NOW - HOUR_MS + 123_000,
      reason: 'no route to the camera',
      by: null,
      tone: 'lost' as const,
    },
  ],
  oldestMs: NOW - 3 * HOUR_MS,
  newestMs: NOW,
};
const RANGE = { startMs: NOW - 4 * HOUR_MS, endMs: NOW };
const WIDTH = 1000;
const xOf = (atMs: number) => ((atMs - RANGE.startMs) / (RANGE.endMs - RANGE.startMs)) * WIDTH;

const onSeek = vi.fn();
const onScrub = vi.fn();
const onRangeChange = vi.fn();
const onMarkedChange = vi.fn();

beforeEach(() => {
  for (const spy of [onSeek, onScrub, onRangeChange, onMarkedChange]) spy.mockReset();
  Element.prototype.getBoundingClientRect = () => ({
    left: 0,
    top: 0,
    width: WIDTH,
    height: 112,
    right: WIDTH,
    bottom: 112,
    x: 0,
    y: 0,
    toJSON: () => ({}),
  });
});

afterEach(() => void vi.useRealTimers());

function TimelineState(props: Partial<TimelineProps>) {
  const [range, setRange] = useState<TimeRange>(RANGE);
  const [marked, setMarked] = useState<TimeRange | null>(props.marked ?? null);
  return (
    <Timeline
      range={range}
      onRangeChange={(next) => {
        onRangeChange(next);
        setRange(next);
      }}
      data={DATA}
      timeZone="Europe/Berlin"
      nowMs={NOW}
      playheadMs={NOW - 2 * HOUR_MS}
      onSeek={onSeek}
      onScrub={onScrub}
      onMarkedChange={(next) => {
        onMarkedChange(next);
        setMarked(next);
      }}
      label="Timeline of Main gate"
      {...props}
      marked={marked}
    />
  );
}

function show(props: Partial<TimelineProps> = {}) {
  render(
    <MantineProvider env="test">
      <TimelineState {...props} />
    </MantineProvider>,
  );
  return screen.getByRole('slider', { name: 'Timeline of Main gate' });
}

const pointer = (
  slider: HTMLElement,
  type: string,
  x: number,
  {
    shiftKey = false,
    clientY = 0,
    ...more
  }: { shiftKey?: boolean; clientY?: number; pointerId?: number; pointerType?: string } = {},
) => {
  const event = new MouseEvent(type, { bubbles: true, clientX: x, clientY, button: 0, shiftKey });
  Object.assign(event, { pointerId: 1, pointerType: 'mouse', ...more });
  fireEvent(slider, event);
};
const lastRange = () => onRangeChange.mock.lastCall?.[0] as TimeRange;

test('screen readers get the moment and its recording state', () => {
  const slider = show();
  expect(slider).toHaveAttribute('aria-valuenow', String((NOW - 2 * HOUR_MS) / 1000));
  expect(slider.getAttribute('aria-valuetext')).toMatch(/11:00:00 CET\. Recorded\.$/);
});

test('a gap is described with its reason and length', () => {
  const slider = show({ playheadMs: NOW - HOUR_MS + 1_000 });
  expect(slider.getAttribute('aria-valuetext')).toContain('Footage missing: no route to the camera, 2 min 3 s');
});

test('keys jump and zoom; arrows are left to the player', async () => {
  const slider = show();
  slider.focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(onSeek).not.toHaveBeenCalled();
  await userEvent.keyboard('{Home}');
  expect(onSeek).toHaveBeenLastCalledWith(DATA.oldestMs);
  await userEvent.keyboard('{End}');
  expect(onSeek).toHaveBeenLastCalledWith(NOW);
  await userEvent.keyboard('+');
  await waitFor(() => expect(lastRange().endMs - lastRange().startMs).toBe(2 * HOUR_MS));
});

test('a click seeks to its moment, but never into the future', () => {
  const slider = show();
  pointer(slider, 'pointerdown', 100);
  pointer(slider, 'pointerup', 101);
  expect(onSeek).toHaveBeenCalledTimes(1);
  expect(Math.abs(onSeek.mock.lastCall?.[0] - (RANGE.startMs + 0.101 * 4 * HOUR_MS))).toBeLessThan(2);
  expect(onRangeChange).not.toHaveBeenCalled();
});

test('a click next to a bookmark seeks to the bookmark', () => {
  const atMs = NOW - 3 * HOUR_MS;
  const slider = show({
    data: {
      ...DATA,
      events: [
        { atMs, endMs: null, kind: 'bookmark', label: 'Delivery' },
        { atMs: atMs + 60_000, endMs: null, kind: 'recording', label: 'Motion' },
      ],
    },
  });
  pointer(slider, 'pointerdown', xOf(atMs) + 4);
  pointer(slider, 'pointerup', xOf(atMs) + 4);
  expect(onSeek).toHaveBeenLastCalledWith(atMs);
  pointer(slider, 'pointerdown', xOf(atMs) + 9);
  pointer(slider, 'pointerup', xOf(atMs) + 9);
  expect(onSeek.mock.lastCall?.[0]).toBeGreaterThan(atMs);
  expect(onSeek).toHaveBeenCalledTimes(2);
});

test('a drag pans by the distance of the pointer and does not seek', async () => {
  const slider = show();
  pointer(slider, 'pointerdown', 200);
  pointer(slider, 'pointermove', 300);
  pointer(slider, 'pointerup', 300);
  await waitFor(() => expect(lastRange()?.startMs).toBeCloseTo(RANGE.startMs - 0.1 * 4 * HOUR_MS, -1));
  expect(onSeek).not.toHaveBeenCalled();
});

test('dragging the playhead shows previews and seeks once at the end', () => {
  const slider = show();
  const x = xOf(NOW - 2 * HOUR_MS);
  pointer(slider, 'pointerdown', x + 3);
  pointer(slider, 'pointermove', x + 60);
  pointer(slider, 'pointermove', x + 90);
  expect(onSeek).not.toHaveBeenCalled();
  expect(onScrub).toHaveBeenCalledTimes(2);
  pointer(slider, 'pointerup', x + 90);
  expect(onSeek).toHaveBeenCalledTimes(1);
});

test('the wheel scrolls the page; with Ctrl it zooms around the pointer', async () => {
  const slider = show();
  expect(fireEvent.wheel(slider, { deltaY: -400, clientX: 250 }), 'not taken from the page').toBe(true);
  expect(fireEvent.wheel(slider, { deltaY: -400, clientX: 250, ctrlKey: true })).toBe(false);
  await waitFor(() => expect(onRangeChange).toHaveBeenCalled());
  const zoomed = lastRange();
  const width = zoomed.endMs - zoomed.startMs;
  expect(width).toBeLessThan(4 * HOUR_MS);
  expect(zoomed.startMs + 0.25 * width).toBeCloseTo(RANGE.startMs + HOUR_MS, -1);
});

test('two fingers zoom and do not seek', async () => {
  const slider = show();
  pointer(slider, 'pointerdown', 400, { pointerId: 1, pointerType: 'touch' });
  pointer(slider, 'pointerdown', 600, { pointerId: 2, pointerType: 'touch' });
  pointer(slider, 'pointermove', 200, { pointerId: 1, pointerType: 'touch' });
  pointer(slider, 'pointermove', 800, { pointerId: 2, pointerType: 'touch' });
  pointer(slider, 'pointerup', 200, { pointerId: 1, pointerType: 'touch' });
  pointer(slider, 'pointerup', 800, { pointerId: 2, pointerType: 'touch' });
  await waitFor(() => expect(lastRange()?.endMs - lastRange()?.startMs).toBeCloseTo((4 * HOUR_MS) / 3, -1));
  expect(onSeek).not.toHaveBeenCalled();
});

test('the label at the pointer shows the reason of a gap', () => {
  const slider = show();
  pointer(slider, 'pointermove', xOf(NOW - HOUR_MS + 60_000));
  expect(screen.getByText(/no route to the camera, 2 min 3 s/)).toBeInTheDocument();
  pointer(slider, 'pointerleave', 0);
  expect(screen.queryByText(/no route to the camera/)).not.toBeInTheDocument();
});

const LANES: TimelineLane[] = [
  { name: 'Car', color: 1, events: 1, runs: [{ startMs: NOW - 2.5 * HOUR_MS, endMs: NOW - 2.4 * HOUR_MS, events: 1 }] },
  { name: 'Person', color: 2, events: 3, runs: [{ startMs: NOW - HOUR_MS, endMs: NOW - 0.5 * HOUR_MS, events: 3 }] },
];
/** The lower lane ends at the lower edge of the timeline. */
const PERSON_Y = 104;

test('a press on the mark of an event plays that event, beside it the moment', () => {
  const onEvent = vi.fn();
  const slider = show({ lanes: LANES, onEvent });
  const x = xOf(NOW - 0.7 * HOUR_MS);
  pointer(slider, 'pointerdown', x, { clientY: PERSON_Y });
  pointer(slider, 'pointerup', x, { clientY: PERSON_Y });
  expect(onEvent.mock.calls).toEqual([[NOW - HOUR_MS]]);
  expect(onSeek).not.toHaveBeenCalled();
  for (const [at, clientY] of [
    [x, 60],
    [xOf(NOW - 3 * HOUR_MS), PERSON_Y],
  ] as const) {
    pointer(slider, 'pointerdown', at, { clientY });
    pointer(slider, 'pointerup', at, { clientY });
  }
  expect(onEvent).toHaveBeenCalledTimes(1);
  expect(onSeek).toHaveBeenCalledTimes(2);
});

test('the label at the pointer names the events there; after a tap it stays a while', () => {
  vi.useFakeTimers();
  const slider = show({ lanes: LANES });
  const x = xOf(NOW - 0.7 * HOUR_MS);
  pointer(slider, 'pointermove', x);
  expect(screen.getByText(/Person, 3 events from 12:00:00.* to 12:30:00/)).toBeInTheDocument();
  pointer(slider, 'pointerleave', 0);
  pointer(slider, 'pointerdown', x, { clientY: PERSON_Y, pointerType: 'touch' });
  pointer(slider, 'pointerup', x, { clientY: PERSON_Y, pointerType: 'touch' });
  expect(screen.getByText(/Person, 3 events/)).toBeInTheDocument();
  act(() => void vi.advanceTimersByTime(3_100));
  expect(screen.queryByText(/Person, 3 events/)).not.toBeInTheDocument();
});

test('dragging with shift marks a range', () => {
  const slider = show({ playheadMs: null });
  pointer(slider, 'pointerdown', 100, { shiftKey: true });
  pointer(slider, 'pointermove', 300, { shiftKey: true });
  expect(onMarkedChange.mock.lastCall?.[0].startMs).toBeCloseTo(RANGE.startMs + 0.1 * 4 * HOUR_MS, -1);
  expect(onMarkedChange.mock.lastCall?.[0].endMs).toBeCloseTo(RANGE.startMs + 0.3 * 4 * HOUR_MS, -1);
});

test('keys move the ends of a marked range, which never cross', async () => {
  show({ marked: { startMs: NOW - HOUR_MS, endMs: NOW - HOUR_MS + 1_000 } });
  screen.getByRole('slider', { name: 'Start of the marked range' }).focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(onMarkedChange.mock.lastCall?.[0].startMs).toBeLessThan(NOW - HOUR_MS + 1_000);
  screen.getByRole('slider', { name: 'End of the marked range' }).focus();
  await userEvent.keyboard('{Shift>}{ArrowRight}{ArrowRight}{ArrowRight}{ArrowRight}{/Shift}');
  expect(onMarkedChange.mock.lastCall?.[0].endMs).toBe(NOW);
});

test('without playback the view follows the current time; a view of the past stays', async () => {
  const wrapper = {
    wrapper: ({ children }: { children: ReactNode }) => <MantineProvider env="test">{children}</MantineProvider>,
  };
  const common = { onRangeChange, timeZone: 'UTC', playheadMs: null, onSeek };
  const { rerender } = render(<Timeline range={RANGE} nowMs={NOW} {...common} />, wrapper);
  rerender(<Timeline range={RANGE} nowMs={NOW + 1_000} {...common} />);
  await waitFor(() => expect(lastRange()).toEqual({ startMs: RANGE.startMs + 1_000, endMs: RANGE.endMs + 1_000 }));
  onRangeChange.mockReset();
  const past = { startMs: NOW - 9 * HOUR_MS, endMs: NOW - 5 * HOUR_MS };
  rerender(<Timeline range={past} nowMs={NOW + 2_000} {...common} />);
  rerender(<Timeline range={past} nowMs={NOW + 3_000} {...common} />);
  pointer(screen.getByRole('slider'), 'pointerdown', 0);
  pointer(screen.getByRole('slider'), 'pointerup', 0);
  expect(onSeek).toHaveBeenLastCalledWith(past.startMs);
});

test('the view follows a playhead that reaches its end', async () => {
  const wrapper = {
    wrapper: ({ children }: { children: ReactNode }) => <MantineProvider env="test">{children}</MantineProvider>,
  };
  const common = { range: RANGE, onRangeChange, timeZone: 'UTC', nowMs: NOW + HOUR_MS, onSeek, isFollowing: true };
  const { rerender } = render(<Timeline playheadMs={NOW - 600_000} {...common} />, wrapper);
  rerender(<Timeline playheadMs={NOW - 599_000} {...common} />);
  await waitFor(() => expect(lastRange()?.startMs).toBeGreaterThan(RANGE.startMs));
  expect((NOW - 599_000 - lastRange().startMs) / (4 * HOUR_MS)).toBeCloseTo(0.7, 3);
});

test('the view follows a range that the page sets', () => {
  const { rerender } = render(
    <Timeline
      range={RANGE}
      onRangeChange={onRangeChange}
      timeZone="UTC"
      nowMs={NOW}
      playheadMs={NOW - 60_000}
      onSeek={onSeek}
      marked={{ startMs: NOW - HOUR_MS, endMs: NOW }}
    />,
    { wrapper: ({ children }) => <MantineProvider env="test">{children}</MantineProvider> },
  );
  const early = { startMs: NOW - 90 * HOUR_MS, endMs: NOW - 80 * HOUR_MS };
  rerender(
    <Timeline
      range={early}
      onRangeChange={onRangeChange}
      timeZone="UTC"
      nowMs={NOW}
      playheadMs={NOW - 60_000}
      onSeek={onSeek}
      data={DATA}
    />,
  );
  pointer(screen.getByRole('slider'), 'pointerdown', 500);
  pointer(screen.getByRole('slider'), 'pointerup', 500);
  expect(onSeek).toHaveBeenLastCalledWith(NOW - 85 * HOUR_MS);
});
