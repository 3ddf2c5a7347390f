// Colours of polygons: told apart on dark and bright pictures, also by most who see colours differently.
import type { Shape } from './geometry';

export const COLORS = ['#ffb000', '#3ea6ff', '#ff5c8a', '#2fd08c', '#b78bff', '#ff7f3f', '#4fe0e0', '#f4f4f4'] as const;

export function colorOf(shape: Shape, index: number): string {
  return shape.color ?? (COLORS[index % COLORS.length] as string);
}
