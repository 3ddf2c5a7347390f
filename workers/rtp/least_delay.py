"""The moments of a track at which its packets were least delayed: from these its clock's rate and offset are read.

The network only delays, so that the arrivals over the stamps lie above a line whose slope is the clock's real rate.
Moon, Skelly and Towsley, "Estimation and Removal of Clock Skew from Network Delay Measurements" (INFOCOM 1999), show
that the edge of the lower convex hull above the mean is that line. Memory is bounded: one point per bucket of time,
and buckets grow with the observed span.
"""

from itertools import pairwise

BUCKET_SECONDS = 0.25
_MAX_GRAIN_SECONDS = 1.0
_MAX_POINTS = 64
_MAX_RECENT = 8

Point = tuple[float, float]  # stamp and arrival, both in seconds


class LeastDelay:
    """The least delayed unit of each bucket: `recent` for some seconds, `points` for up to a minute."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.recent: list[Point] = []
        self._grain = BUCKET_SECONDS
        self._began = 0.0  # when the last point's bucket began

    @property
    def span(self) -> float:
        """Seconds from the first point to the last."""
        return self.points[-1][1] - self.points[0][1] if self.points else 0.0

    def add(self, point: Point, scale: float) -> bool:
        """Add the best unit of a bucket. `scale`: real seconds per second of stamps. True if `points` got longer."""
        self.recent.append(point)
        if len(self.recent) > _MAX_RECENT:
            del self.recent[0]
        points = self.points
        if points and point[1] - self._began < self._grain * 0.9:
            if point[1] - point[0] * scale < points[-1][1] - points[-1][0] * scale:
                points[-1] = point
            return False
        points.append(point)
        self._began = point[1]
        if len(points) > _MAX_POINTS:
            if self._grain < _MAX_GRAIN_SECONDS:
                self._grain *= 2
                self.points = [_less_delayed(points[at : at + 2], scale) for at in range(0, len(points), 2)]
            else:
                del points[0]
        return True

    def forget(self, keep: int = 0) -> None:
        """Forget all but the last `keep` of the recent points: what was before follows another clock."""
        self.recent = self.recent[-keep:] if keep else []
        self.points = list(self.recent)
        self._began = self.points[-1][1] if self.points else 0.0
        self._grain = BUCKET_SECONDS

    def delays(self, stamp: float, time: float, scale: float, since: float) -> list[float]:
        """The delays of the points that arrived after `since`, by a clock that shows `time` at `stamp`."""
        found = [at - time - (on - stamp) * scale for on, at in self.recent if at >= since]
        for on, at in reversed(self.points):
            if at < since:
                break
            found.append(at - time - (on - stamp) * scale)
        return found

    def fit_scale(self) -> float | None:
        """Real seconds per second of stamps: the slope of the line below all points; None with too few of them."""
        if len(self.points) < 3:
            return None
        hull: list[Point] = []
        for x, y in self.points:
            while len(hull) > 1:
                (x1, y1), (x2, y2) = hull[-2], hull[-1]
                if (x2 - x1) * (y - y1) > (y2 - y1) * (x - x1):
                    break
                hull.pop()
            hull.append((x, y))
        mean = sum(x for x, _ in self.points) / len(self.points)
        for (x1, y1), (x2, y2) in pairwise(hull):
            if x2 >= mean and x2 > x1:
                return (y2 - y1) / (x2 - x1)
        return None


def _less_delayed(pair: list[Point], scale: float) -> Point:
    return min(pair, key=lambda point: point[1] - point[0] * scale)
