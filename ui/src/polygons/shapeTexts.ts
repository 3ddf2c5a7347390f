// What polygons are called, and what is wrong with them, in words.
import { sentence } from '../formatting/sentence';
import { findProblems, type Shape } from './geometry';

export const titleOfShape = (shape: Shape | undefined, index: number, noun: string): string =>
  shape?.name?.trim() || sentence(`${noun} ${index + 1}`).replace(/\.$/, '');

/** A name that no polygon has. */
export function nextName(shapes: readonly Shape[], noun: string): string {
  const taken = new Set(shapes.map(({ name }) => name));
  for (let number = shapes.length + 1; ; number += 1) {
    const name = titleOfShape(undefined, number - 1, noun);
    if (!taken.has(name)) return name;
  }
}

/** The first thing that is wrong with polygons; null if they are valid. */
export function problemOf(shapes: readonly Shape[], noun: string, hasNames: boolean): string | null {
  const names = new Set<string>();
  for (const [index, shape] of shapes.entries()) {
    const title = titleOfShape(shape, index, noun);
    const [problem] = findProblems(shape.points);
    if (problem) return `${title}: ${problem.message}`;
    if (!hasNames) continue;
    const name = shape.name?.trim() ?? '';
    if (!name) return `${title} needs a name`;
    if (names.has(name)) return `There are two with the name “${name}”`;
    names.add(name);
  }
  return null;
}
