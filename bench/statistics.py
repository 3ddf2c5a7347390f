"""The arithmetic of the benches: medians, percentiles, straight lines, longest gaps."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import linear_regression, median


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile, most and number of the values, as they go into the raw results."""
    return {
        "median": median(values),
        "p95": percentile(values, 0.95),
        "most": max(values),
        "count": len(values),
    }


def share_out(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """The fixed share, and what each camera adds, of totals at several numbers of cameras.

    One point alone has no fixed share: all of it is its cameras'.
    """
    if len({count for count, _ in points}) < 2:
        count, total = points[0]
        return 0.0, total / count
    line = linear_regression([count for count, _ in points], [total for _, total in points])
    return line.intercept, line.slope


def find_longest_gap(times: Sequence[float], since: float) -> tuple[float, float]:
    """The longest time between two moments in a row of those that end after `since`: its length and its end."""
    pairs = [(later - earlier, later) for earlier, later in pairwise(times) if later >= since]
    return max(pairs, default=(float("inf"), float("inf")))


def format_ratio(ours: float, theirs: float) -> str:
    """`0.53 x`: below one, ours is less. A dash beside what is too little to be divided by."""
    return f"{ours / theirs:.2f} x" if theirs >= 0.1 else "-"
