"""Statistics of the benchmarks: medians, percentiles, linear regression, longest gaps."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import linear_regression, median


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, 95th percentile, maximum and number of the values, in the form of the raw results."""
    return {
        "median": median(values),
        "p95": percentile(values, 0.95),
        "most": max(values),
        "count": len(values),
    }


def share_out(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return the fixed share and the share per camera of totals at several numbers of cameras.

    With only one number of cameras the fixed share is 0.
    """
    if len({count for count, _ in points}) < 2:
        count, total = points[0]
        return 0.0, total / count
    line = linear_regression([count for count, _ in points], [total for _, total in points])
    return line.intercept, line.slope


def find_longest_gap(times: Sequence[float], since: float) -> tuple[float, float]:
    """Return length and end of the longest gap between consecutive times, of the gaps that end after `since`."""
    pairs = [(later - earlier, later) for earlier, later in pairwise(times) if later >= since]
    return max(pairs, default=(float("inf"), float("inf")))


def format_ratio(ours: float, theirs: float) -> str:
    """Format a ratio, such as `0.53 x`; below one, ours is lower. A dash if the divisor is too small."""
    return f"{ours / theirs:.2f} x" if theirs >= 0.1 else "-"
