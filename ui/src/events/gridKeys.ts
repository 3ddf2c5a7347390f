// Arrow keys in a grid of tiles: the tile to go to. Pure but for the positions, which it reads.

/** Two rows of a wide screen. */
const NEAR = 48;

/** Null for other keys, and at the edges. Tiles are in reading order, in rows of any length. */
export function tileByArrow(tiles: HTMLElement[], current: HTMLElement, key: string): HTMLElement | null {
  const index = tiles.indexOf(current);
  if (index < 0) return null;
  switch (key) {
    case 'ArrowRight':
      return tiles[index + 1] ?? null;
    case 'ArrowLeft':
      return tiles[index - 1] ?? null;
    case 'Home':
      return tiles[0] ?? null;
    case 'End':
      return tiles.at(-1) ?? null;
    case 'ArrowDown':
      return nearestInNextRow(current, tiles.slice(index + 1, index + NEAR), 1);
    case 'ArrowUp':
      return nearestInNextRow(current, tiles.slice(Math.max(0, index - NEAR), index).reverse(), -1);
    default:
      return null;
  }
}

/** `candidates` with the nearest first; `side` is 1 for rows below. */
function nearestInNextRow(current: HTMLElement, candidates: HTMLElement[], side: 1 | -1): HTMLElement | null {
  const from = current.getBoundingClientRect();
  let rowTop: number | null = null;
  let best: { tile: HTMLElement; distance: number } | null = null;
  for (const tile of candidates) {
    const { top, left } = tile.getBoundingClientRect();
    if ((top - from.top) * side <= 1) continue;
    if (rowTop !== null && Math.abs(top - rowTop) > 1) break;
    rowTop = top;
    const distance = Math.abs(left - from.left);
    if (best === null || distance < best.distance) best = { tile, distance };
  }
  return best?.tile ?? null;
}
