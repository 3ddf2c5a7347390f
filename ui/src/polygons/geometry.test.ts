// What is a valid polygon, and how corners move.
import { expect, test } from 'vitest';
import { doCross, findProblems, isInside, moveAll, pointAt, type Points } from './geometry';

const SQUARE: Points = [
  [0.1, 0.1],
  [0.5, 0.1],
  [0.5, 0.5],
  [0.1, 0.5],
];

test('a square is valid, a concave polygon too', () => {
  expect(findProblems(SQUARE)).toEqual([]);
  expect(findProblems([...SQUARE, [0.3, 0.3]])).toEqual([]);
});

test('a corner on a straight edge is allowed', () => {
  expect(
    findProblems([
      [0, 0],
      [0.5, 0],
      [1, 0],
      [1, 1],
    ]),
  ).toEqual([]);
});

test('edges that cross are named at a corner', () => {
  const [problem] = findProblems([
    [0, 0],
    [1, 1],
    [1, 0],
    [0, 1],
  ]);
  expect(problem).toEqual({ index: 1, message: 'the edge from corner 1 to 2 crosses that from 3 to 4' });
});

test('edges that only touch cross as well', () => {
  expect(
    findProblems([
      [0, 0],
      [1, 0],
      [1, 1],
      [0.5, 0],
      [0, 1],
    ]),
  ).not.toEqual([]);
});

test.each<[string, Points]>([
  [
    'needs at least 3 corners',
    [
      [0, 0],
      [1, 1],
    ],
  ],
  ['needs at least 3 corners', []],
  [
    'corner 2 lies on corner 1',
    [
      [0, 0],
      [0, 0],
      [1, 1],
    ],
  ],
  [
    'the edges at corner 2 lie on each other',
    [
      [0, 0],
      [1, 1],
      [0.5, 0.5],
      [0, 1],
    ],
  ],
])('%s', (message, points) => {
  expect(findProblems(points).map((problem) => problem.message)).toContain(message);
});

test('three corners on a line are refused', () => {
  expect(
    findProblems([
      [0, 0],
      [0.5, 0.5],
      [1, 1],
    ]),
  ).not.toEqual([]);
});

test('points stay in the picture, and polygons keep their form at its edge', () => {
  expect(pointAt(-0.2, 1.7)).toEqual([0, 1]);
  expect(pointAt(1 / 3, 0.5)).toEqual([0.3333, 0.5]);
  expect(moveAll(SQUARE, 0.9, -0.3)).toEqual([
    [0.6, 0],
    [1, 0],
    [1, 0.4],
    [0.6, 0.4],
  ]);
});

test('inside is as the server counts it', () => {
  expect(isInside(SQUARE, [0.3, 0.3])).toBe(true);
  expect(isInside(SQUARE, [0.6, 0.3])).toBe(false);
});

test('parallel edges do not cross', () => {
  expect(doCross([0, 0], [1, 0], [0, 0.1], [1, 0.1])).toBe(false);
});
