"""Motion: cells of the picture that differ from the background and change, gathered to regions."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from plugins.ai_analytics.zones import Point, draw_mask

#: The grey picture that is compared, in pixels.
WIDTH, HEIGHT = 320, 180
_CELL = 4
COLUMNS, ROWS = WIDTH // _CELL, HEIGHT // _CELL
#: Pixels of a cell's 16 that must differ.
_CELL_PIXELS = 5
#: Grey values by which the background follows the picture in a second: who passes leaves no trail in it, and what stays
#: belongs to it after some seconds.
_FOLLOW = 6.0
#: More of the picture at once is a change of light, or a camera that switches to night.
_WHOLE = 0.6
#: Cells between parts of one object.
_REACH = 2


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the picture that moves: its box in parts of the picture, and the number of its cells."""

    x: float
    y: float
    width: float
    height: float
    cells: int


@dataclass(frozen=True, slots=True)
class Motion:
    """What moves in a picture. `area`: its share of the whole picture."""

    area: float
    regions: tuple[Region, ...]
    cells: np.ndarray

    def share_in(self, x: float, y: float, width: float, height: float) -> float:
        """The share of a box, in parts of the picture, that moves."""
        left, top = max(0, math.floor(x * COLUMNS)), max(0, math.floor(y * ROWS))
        part = self.cells[top : max(top + 1, math.ceil((y + height) * ROWS)), left : math.ceil((x + width) * COLUMNS)]
        return float(part.mean()) if part.size else 0.0


NONE = Motion(0.0, (), np.zeros((ROWS, COLUMNS), bool))


class MotionMeter:
    """Compares the pictures of one device. `sensitivity`: 1 to 100. In `masks` nothing is seen."""

    def __init__(self, *, sensitivity: int = 50, masks: Sequence[Sequence[Point]] = ()) -> None:
        # 12 grey values at 50, 31 at 1, 6 at 100.
        self._threshold = round(
            32 * math.exp(-sensitivity / 50 * 0.98) if sensitivity <= 50 else 18 - sensitivity / 8.3
        )
        self._threshold = max(5, self._threshold)
        self._least_cells = max(2, round(14 - sensitivity / 8.5))
        self._masked = draw_mask(masks, COLUMNS, ROWS) if masks else None
        self._background: np.ndarray | None = None
        self._last: np.ndarray | None = None
        self._last_at = 0.0

    def measure(self, grey: np.ndarray, at: float) -> Motion:
        """What moves in a picture of WIDTH × HEIGHT grey values, taken `at` this second."""
        if self._background is None or not 0 <= at - self._last_at < 60:
            self._begin(grey, at)
            return NONE
        differing = self._compare(grey, self._background.astype(np.uint8))
        if differing.mean() > _WHOLE:
            self._begin(grey, at)
            return NONE
        changing = self._compare(grey, self._last)
        step = np.float32(min(_FOLLOW * (at - self._last_at), self._threshold / 2))
        self._background += np.clip(grey - self._background, -step, step)
        self._last, self._last_at = grey, at
        # What has been left behind differs, but no longer changes.
        moving = differing & _widen(changing)
        if self._masked is not None:
            moving &= ~self._masked
        if not moving.any():
            return NONE
        cells = np.zeros((ROWS, COLUMNS), bool)
        regions = []
        for found in _connect(moving):
            if len(found) >= self._least_cells:
                rows, columns = zip(*found, strict=True)
                cells[list(rows), list(columns)] = True
                regions.append(_region(rows, columns))
        return Motion(float(cells.mean()), tuple(regions), cells)

    def _begin(self, grey: np.ndarray, at: float) -> None:
        self._background = grey.astype(np.float32)
        self._last, self._last_at = grey, at

    def _compare(self, grey: np.ndarray, other: np.ndarray) -> np.ndarray:
        """The cells with enough pixels that differ."""
        difference = np.maximum(grey, other) - np.minimum(grey, other)
        differs = (difference > self._threshold).view(np.uint8)
        # Four pixels beside each other are four bytes of a number: their sum ends up in the highest one.
        words = np.ascontiguousarray(differs).view(np.uint32).reshape(ROWS, _CELL, COLUMNS).sum(axis=1, dtype=np.uint32)
        return (words * np.uint32(0x01010101)) >> np.uint32(24) >= _CELL_PIXELS


def _widen(cells: np.ndarray) -> np.ndarray:
    """The cells that are True or lie at most _REACH from one that is."""
    if not cells.any():
        return cells
    wide = cells.copy()
    for shift in range(1, _REACH + 1):
        wide[shift:] |= cells[:-shift]
        wide[:-shift] |= cells[shift:]
    tall = wide.copy()
    for shift in range(1, _REACH + 1):
        wide[:, shift:] |= tall[:, :-shift]
        wide[:, :-shift] |= tall[:, shift:]
    return wide


def _region(rows: Sequence[int], columns: Sequence[int]) -> Region:
    left, top = min(columns), min(rows)
    return Region(
        left / COLUMNS,
        top / ROWS,
        (max(columns) + 1 - left) / COLUMNS,
        (max(rows) + 1 - top) / ROWS,
        len(rows),
    )


def _connect(cells: np.ndarray) -> Iterator[list[tuple[int, int]]]:
    """Groups of True cells that lie at most _REACH apart."""
    left = set(zip(*(axis.tolist() for axis in np.nonzero(cells)), strict=True))
    while left:
        group = [left.pop()]
        for row, column in group:
            for r in range(row - _REACH, row + _REACH + 1):
                for c in range(column - _REACH, column + _REACH + 1):
                    if (r, c) in left:
                        left.discard((r, c))
                        group.append((r, c))
        yield group
