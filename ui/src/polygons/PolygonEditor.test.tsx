// The editor of polygons by pointer and by keyboard, with undo and redo.
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StubApi } from '../../test/StubApi';
import type { Shape } from './geometry';
import { PolygonEditor } from './PolygonEditor';

const GATE: Shape = {
  name: 'Gate',
  points: [
    [0.2, 0.2],
    [0.6, 0.2],
    [0.6, 0.6],
    [0.2, 0.6],
  ],
};

let latest: readonly Shape[];

function Harness({ shapes: first }: { shapes: readonly Shape[] }) {
  const [shapes, setShapes] = useState(first);
  return (
    <PolygonEditor
      deviceId="d1"
      noun="zone"
      shapes={shapes}
      context={[]}
      has={{ name: true, color: true, labels: true }}
      mostShapes={3}
      mostPoints={5}
      onChange={(next) => {
        latest = next;
        setShapes(next);
      }}
    />
  );
}

function show(shapes: readonly Shape[]) {
  latest = shapes;
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MantineProvider env="test">
        <Harness shapes={shapes} />
      </MantineProvider>
    </QueryClientProvider>,
  );
  const surface = screen.getByTestId('polygons');
  surface.getBoundingClientRect = () => ({ left: 100, top: 50, width: 1000, height: 500 }) as DOMRect;
  return surface;
}

/** Where a part of the picture is on the screen. */
const at = (x: number, y: number, pointerType = 'mouse') => ({
  clientX: 100 + x * 1000,
  clientY: 50 + y * 500,
  button: 0,
  pointerId: 1,
  pointerType,
});
const corner = (number: number, count = 4, name = 'Gate') =>
  screen.getByRole('button', { name: new RegExp(`^Corner ${number} of ${count} of ${name},`) });

beforeEach(() => {
  new StubApi({ 'GET /devices/d1/poster.jpg': { status: 404, body: { message: 'there is no picture yet' } } });
});
afterEach(() => vi.unstubAllGlobals());

test('without a picture the editor says so, and drawing works', async () => {
  const surface = show([]);
  expect(await screen.findByText('There is no picture of this camera yet')).toBeInTheDocument();
  await userEvent.click(screen.getByRole('button', { name: 'Add zone' }));
  for (const place of [at(0.1, 0.1), at(0.5, 0.1), at(0.5, 0.5)]) fireEvent.pointerDown(surface, place);
  expect(latest).toEqual([]);
  // The first corner again closes it.
  fireEvent.pointerDown(surface, at(0.105, 0.1));
  expect(latest).toEqual([
    {
      name: 'Zone 1',
      points: [
        [0.1, 0.1],
        [0.5, 0.1],
        [0.5, 0.5],
      ],
    },
  ]);
  expect(screen.getByLabelText('Name of zone 1')).toHaveValue('Zone 1');
});

test('Escape ends drawing: what encloses nothing is dropped', async () => {
  const surface = show([]);
  await userEvent.click(screen.getByRole('button', { name: 'Add zone' }));
  fireEvent.pointerDown(surface, at(0.1, 0.1));
  fireEvent.keyDown(surface, { key: 'Escape' });
  expect(latest).toEqual([]);
  expect(screen.getByRole('button', { name: 'Add zone' })).toBeInTheDocument();
});

test('a corner is dragged, stays in the picture, and the move is undone and redone', async () => {
  const surface = show([GATE]);
  fireEvent.pointerDown(surface, at(0.4, 0.4));
  fireEvent.pointerDown(surface, at(0.605, 0.6));
  fireEvent.pointerMove(surface, at(0.8, 0.7));
  fireEvent.pointerMove(surface, at(1.4, 0.9));
  fireEvent.pointerUp(surface, at(1.4, 0.9));
  expect(latest[0]!.points[2]).toEqual([1, 0.9]);
  expect(corner(3)).toHaveFocus();
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(latest).toEqual([GATE]);
  await userEvent.click(screen.getByRole('button', { name: 'Redo' }));
  expect(latest[0]!.points[2]).toEqual([1, 0.9]);
});

test('a finger has a wider reach than a mouse', () => {
  const surface = show([GATE]);
  fireEvent.pointerDown(surface, at(0.4, 0.4));
  // 18 pixels beside the corner, outside of the polygon.
  fireEvent.pointerDown(surface, at(0.182, 0.2, 'touch'));
  fireEvent.pointerMove(surface, at(0.1, 0.1, 'touch'));
  fireEvent.pointerUp(surface, at(0.1, 0.1, 'touch'));
  expect(latest[0]!.points[0]).toEqual([0.1, 0.1]);
  fireEvent.pointerDown(surface, at(0.618, 0.2));
  expect(screen.queryByRole('button', { name: /^Corner/ })).not.toBeInTheDocument();
});

test('a press on an edge adds a corner, up to the limit', () => {
  const surface = show([GATE]);
  fireEvent.pointerDown(surface, at(0.4, 0.4));
  fireEvent.pointerDown(surface, at(0.4, 0.205));
  fireEvent.pointerMove(surface, at(0.4, 0.1));
  fireEvent.pointerUp(surface, at(0.4, 0.1));
  expect(latest[0]!.points).toHaveLength(5);
  expect(latest[0]!.points[1]).toEqual([0.4, 0.1]);
  fireEvent.pointerDown(surface, at(0.6, 0.4));
  fireEvent.pointerUp(surface, at(0.6, 0.4));
  expect(latest[0]!.points).toHaveLength(5);
});

test('the whole polygon is dragged by its inside', () => {
  const surface = show([GATE]);
  fireEvent.pointerDown(surface, at(0.4, 0.4));
  fireEvent.pointerDown(surface, at(0.4, 0.4));
  fireEvent.pointerMove(surface, at(0.5, 0.3));
  fireEvent.pointerUp(surface, at(0.5, 0.3));
  expect(latest[0]!.points[0]).toEqual([0.3, 0.1]);
});

test('the keyboard adds, walks, moves, removes and ends', async () => {
  show([]);
  screen.getByRole('button', { name: 'Add zone' }).focus();
  await userEvent.keyboard('{Enter}');
  expect(latest[0]!.points).toHaveLength(4);
  corner(1, 4, 'Zone 1').focus();
  await userEvent.keyboard('{ArrowRight}{ArrowRight}{Shift>}{ArrowDown}{/Shift}');
  expect(latest[0]!.points[0]).toEqual([0.36, 0.4]);
  await userEvent.tab();
  expect(corner(2, 4, 'Zone 1')).toHaveFocus();
  await userEvent.keyboard('+');
  expect(corner(3, 5, 'Zone 1')).toHaveFocus();
  await userEvent.keyboard('{Delete}');
  expect(latest[0]!.points).toHaveLength(4);
  // All steps of one corner are one undo.
  await userEvent.keyboard('{Control>}zzz{/Control}');
  expect(latest[0]!.points[0]).toEqual([0.35, 0.35]);
  corner(1, 4, 'Zone 1').focus();
  await userEvent.keyboard('{Escape}');
  expect(screen.getByRole('button', { name: 'Edit Zone 1' })).toHaveFocus();
  await userEvent.keyboard('{Enter}');
  expect(corner(1, 4, 'Zone 1')).toHaveFocus();
});

test('a triangle keeps its corners', async () => {
  show([{ name: 'Gate', points: GATE.points.slice(0, 3) }]);
  screen.getByRole('button', { name: 'Edit Gate' }).focus();
  await userEvent.keyboard('{Enter}{Delete}');
  expect(latest[0]!.points).toHaveLength(3);
});

test('edges that cross are named at the corner and at its polygon', () => {
  const surface = show([GATE]);
  fireEvent.pointerDown(surface, at(0.4, 0.4));
  fireEvent.pointerDown(surface, at(0.2, 0.2));
  fireEvent.pointerMove(surface, at(0.9, 0.4));
  fireEvent.pointerUp(surface, at(0.9, 0.4));
  expect(screen.getAllByRole('status')[0]).toHaveTextContent('the edge from corner 2 to 3 crosses that from 4 to 1');
  expect(corner(3)).toHaveAccessibleName(/crosses/);
});

test('a name, a colour and the deletion of a zone', async () => {
  show([GATE]);
  await userEvent.type(screen.getByLabelText('Name of zone 1'), ' 2');
  expect(latest[0]!.name).toBe('Gate 2');
  await userEvent.click(screen.getByRole('button', { name: 'Colour of Gate 2' }));
  await userEvent.click(await screen.findByRole('button', { name: 'Colour #3ea6ff' }));
  expect(latest[0]!.color).toBe('#3ea6ff');
  await userEvent.click(screen.getByRole('button', { name: 'Delete Gate 2' }));
  expect(latest).toEqual([]);
});
