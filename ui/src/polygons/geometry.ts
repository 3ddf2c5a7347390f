// Polygons over a picture: corners as parts of its width and height (0 to 1). Pure.

export type Point = readonly [number, number];
export type Points = readonly Point[];

/** A part of the picture and what belongs to it, such as its name. */
export interface Shape {
  points: Points;
  name?: string;
  /** As CSS spells it: #rrggbb. */
  color?: string | null;
  labels?: string[];
}

/** What polygons of an option have besides their corners. */
export interface ShapeParts {
  name: boolean;
  color: boolean;
  labels: boolean;
}

export interface PointProblem {
  /** The corner at which it is shown. */
  index: number;
  message: string;
}

export const MIN_POINTS = 3;
/** Decimals of a coordinate: a tenth of a pixel of a 4K picture. */
const DECIMALS = 4;
const SCALE = 10 ** DECIMALS;
/** The least area that the server accepts, doubled. */
const MIN_DOUBLE_AREA = 1e-6;

const within = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * SCALE) / SCALE;

/** The point inside the picture that is nearest to `x`, `y`, rounded. */
export const pointAt = (x: number, y: number): Point => [within(x), within(y)];

export const movePoint = (points: Points, index: number, to: Point): Points =>
  points.map((point, at) => (at === index ? to : point));

export const removePoint = (points: Points, index: number): Points => points.filter((_, at) => at !== index);

export const insertPoint = (points: Points, index: number, point: Point): Points => [
  ...points.slice(0, index),
  point,
  ...points.slice(index),
];

export const middleOf = (a: Point, b: Point): Point => pointAt((a[0] + b[0]) / 2, (a[1] + b[1]) / 2);

/** The corners moved together, as far as all of them stay in the picture. */
export function moveAll(points: Points, dx: number, dy: number): Points {
  const limit = (by: number, values: number[]) => Math.min(1 - Math.max(...values), Math.max(-Math.min(...values), by));
  const x = limit(
    dx,
    points.map(([value]) => value),
  );
  const y = limit(
    dy,
    points.map(([, value]) => value),
  );
  return points.map((point) => pointAt(point[0] + x, point[1] + y));
}

/** Whether a point is inside (even-odd rule, as the server counts). */
export function isInside(points: Points, [x, y]: Point): boolean {
  let inside = false;
  points.forEach(([ax, ay], index) => {
    const [bx, by] = points[(index + 1) % points.length] as Point;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  });
  return inside;
}

const turn = (a: Point, b: Point, c: Point): number =>
  Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));

const isBetween = (a: Point, b: Point, c: Point): boolean =>
  Math.min(a[0], b[0]) <= c[0] &&
  c[0] <= Math.max(a[0], b[0]) &&
  Math.min(a[1], b[1]) <= c[1] &&
  c[1] <= Math.max(a[1], b[1]);

/** Whether two edges have a point in common. */
export function doCross(a: Point, b: Point, c: Point, d: Point): boolean {
  const [abc, abd, cda, cdb] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  if (abc !== abd && cda !== cdb) return true;
  return (
    (abc === 0 && isBetween(a, b, c)) ||
    (abd === 0 && isBetween(a, b, d)) ||
    (cda === 0 && isBetween(c, d, a)) ||
    (cdb === 0 && isBetween(c, d, b))
  );
}

function doubleArea(points: Points): number {
  return points.reduce((sum, [ax, ay], index) => {
    const [bx, by] = points[(index + 1) % points.length] as Point;
    return sum + ax * by - bx * ay;
  }, 0);
}

/** What is wrong with a polygon, each problem at a corner; empty if it is valid. */
export function findProblems(points: Points): PointProblem[] {
  const count = points.length;
  if (count < MIN_POINTS) {
    return [{ index: Math.max(0, count - 1), message: `needs at least ${MIN_POINTS} corners` }];
  }
  const problems = new Map<number, PointProblem>();
  const add = (index: number, message: string) => problems.has(index) || problems.set(index, { index, message });
  points.forEach((point, index) => {
    const next = points[(index + 1) % count] as Point;
    if (point[0] === next[0] && point[1] === next[1]) {
      add((index + 1) % count, `corner ${((index + 1) % count) + 1} lies on corner ${index + 1}`);
    }
  });
  if (problems.size > 0) return [...problems.values()];
  for (let first = 0; first < count; first += 1) {
    for (let second = first + 1; second < count; second += 1) {
      const isNeighbour = second === first + 1 || (first === 0 && second === count - 1);
      const [a, b] = [points[first] as Point, points[(first + 1) % count] as Point];
      const [c, d] = [points[second] as Point, points[(second + 1) % count] as Point];
      if (isNeighbour ? isFoldedBack(points, second === first + 1 ? second : first) : doCross(a, b, c, d)) {
        const at = isNeighbour ? (second === first + 1 ? second : first) : (first + 1) % count;
        const message = isNeighbour
          ? `the edges at corner ${at + 1} lie on each other`
          : `the edge from corner ${first + 1} to ${((first + 1) % count) + 1} crosses that from ${second + 1} to ${((second + 1) % count) + 1}`;
        add(at, message);
      }
    }
  }
  if (problems.size === 0 && Math.abs(doubleArea(points)) < MIN_DOUBLE_AREA) {
    return [{ index: 0, message: 'encloses no area' }];
  }
  return [...problems.values()];
}

/** Whether the two edges of a corner run back over each other. */
function isFoldedBack(points: Points, index: number): boolean {
  const count = points.length;
  const [a, b, c] = [
    points[(index + count - 1) % count] as Point,
    points[index] as Point,
    points[(index + 1) % count] as Point,
  ];
  const isForward = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]) > 0;
  return turn(a, b, c) === 0 && !isForward;
}
