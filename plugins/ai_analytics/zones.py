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
