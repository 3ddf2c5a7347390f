// Which corner or edge a pointer means: the nearest within its reach, in pixels. Pure.
import type { Point, Points } from './geometry';

/** A finger needs a target of 44 pixels, a mouse one of 24. */
export const REACH_TOUCH = 22;
export const REACH_MOUSE = 12;

/** Of the picture on the screen, in pixels. */
export interface Size {
  width: number;
  height: number;
}

const distance = (a: Point, b: Point, { width, height }: Size): number =>
  Math.hypot((a[0] - b[0]) * width, (a[1] - b[1]) * height);

/** The nearest corner; null if none is in reach. */
export function findCorner(points: Points, place: Point, size: Size, reach: number): number | null {
  let found: number | null = null;
  let nearest = reach;
  points.forEach((point, index) => {
    const far = distance(point, place, size);
    if (far <= nearest) [found, nearest] = [index, far];
  });
  return found;
}

/** The edge, by its first corner, that the place lies on; null if none is in reach. */
export function findEdge(points: Points, place: Point, size: Size, reach: number): number | null {
  let found: number | null = null;
  let nearest = reach;
  points.forEach((a, index) => {
    const b = points[(index + 1) % points.length] as Point;
    const [dx, dy] = [(b[0] - a[0]) * size.width, (b[1] - a[1]) * size.height];
    const [px, py] = [(place[0] - a[0]) * size.width, (place[1] - a[1]) * size.height];
    const along = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy || 1)));
    const far = Math.hypot(px - along * dx, py - along * dy);
    if (far <= nearest) [found, nearest] = [index, far];
  });
  return found;
}
