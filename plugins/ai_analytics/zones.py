"""Zones and masks: polygons in parts of the picture (0 to 1)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the picture in which objects are wanted. `labels`: only these; empty: all."""

    name: str
    points: tuple[Point, ...]
    labels: frozenset[str] = frozenset()

    def holds(self, label: str, x: float, y: float) -> bool:
        """Whether an object of this label stands here."""
        return (not self.labels or label in self.labels) and is_inside(self.points, x, y)


def is_inside(points: Sequence[Point], x: float, y: float) -> bool:
    """Whether a point is inside a polygon (even-odd rule)."""
    inside = False
    for (ax, ay), (bx, by) in zip(points, (*points[1:], points[0]), strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def find_crossing(points: Sequence[Sequence[float]]) -> tuple[int, int] | None:
    """Two edges, by their first corners, that meet elsewhere than at a corner of both; None if there are none."""
    count = len(points)
    for first in range(count):
        a, b = points[first], points[(first + 1) % count]
        for second in range(first + 1, count):
            c, d = points[second], points[(second + 1) % count]
            if second == first + 1 or (second + 1) % count == first:
                # Neighbours meet at their corner; folded back, they lie on each other.
                before, corner, after = (a, b, d) if second == first + 1 else (c, a, b)
                if _turn(before, corner, after) == 0 and not _goes_on(before, corner, after):
                    return first, second
            elif _do_meet(a, b, c, d):
                return first, second
    return None


def _do_meet(a: Sequence[float], b: Sequence[float], c: Sequence[float], d: Sequence[float]) -> bool:
    sides = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if sides[0] != sides[1] and sides[2] != sides[3]:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(side == 0 and _is_between(*end) for side, end in zip(sides, ends, strict=True))


def _turn(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> int:
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (area > 0) - (area < 0)


def _goes_on(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> bool:
    return (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]) > 0


def _is_between(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> bool:
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def draw_mask(polygons: Iterable[Sequence[Point]], columns: int, rows: int) -> "np.ndarray":
    """A grid in which the cells whose centre is inside any polygon are True."""
    # Processes that only read options need no arrays.
    import numpy as np

    mask = np.zeros((rows, columns), bool)
    y, x = np.mgrid[0:rows, 0:columns]
    x, y = (x + 0.5) / columns, (y + 0.5) / rows
    for points in polygons:
        inside = np.zeros((rows, columns), bool)
        for (ax, ay), (bx, by) in zip(points, (*points[1:], points[0]), strict=True):
            if ay != by:
                inside ^= ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
        mask |= inside
    return mask
