// Arrow keys in rows of different lengths.
import { expect, test } from 'vitest';
import { tileByArrow } from './gridKeys';

/** Rows of tiles as in a grid that breaks at each day: three, one, three. */
function buildTiles(): HTMLElement[] {
  return [3, 1, 3].flatMap((count, row) =>
    Array.from({ length: count }, (_, column) => {
      const tile = document.createElement('a');
      tile.id = `${row}${column}`;
      tile.getBoundingClientRect = () => ({ top: row * 100, left: column * 50 }) as DOMRect;
      return tile;
    }),
  );
}

test.each([
  ['00', 'ArrowRight', '01'],
  ['02', 'ArrowRight', '10'],
  ['10', 'ArrowLeft', '02'],
  ['00', 'ArrowLeft', null],
  ['02', 'ArrowDown', '10'],
  ['10', 'ArrowDown', '20'],
  ['22', 'ArrowUp', '10'],
  ['10', 'ArrowUp', '00'],
  ['01', 'ArrowUp', null],
  ['21', 'ArrowDown', null],
  ['21', 'Home', '00'],
  ['00', 'End', '22'],
  ['00', 'x', null],
])('from %s %s goes to %s', (from, key, to) => {
  const tiles = buildTiles();
  const current = tiles.find(({ id }) => id === from)!;
  expect(tileByArrow(tiles, current, key)?.id ?? null).toBe(to);
});
