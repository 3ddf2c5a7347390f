"""The notes of a clip, as text: what is missing of the requested range."""

from gateway.footage.cuts import uncovered_between
from workers.exporting.cut import Cut

#: Less is missing at an end of every second clip, because footage comes in parts.
MIN_NOTED_MS = 500


def describe_missing(cut: Cut, start_ms: int, end_ms: int, at_ms: int) -> list[str]:
    """Notes for a clip of the range from `start_ms` to `end_ms`, relative to its bookmark's moment `at_ms`."""
    notes = list(cut.notes)
    late, early = cut.first_ms - start_ms, end_ms - cut.last_ms
    if late > MIN_NOTED_MS:
        notes.append(f"it begins {late / 1000:.1f} s later than requested: there is no earlier footage")
    if early > MIN_NOTED_MS:
        notes.append(f"it ends {early / 1000:.1f} s earlier than requested: there is no later footage")
    for first_ms, last_ms in cut.reader.damaged:
        notes.append(f"damaged, left out: {_format(first_ms, last_ms, at_ms)}")
    for first_ms, last_ms in uncovered_between(cut.source.ranges, cut.first_ms, cut.last_ms):
        notes.append(f"no footage: {_format(first_ms, last_ms, at_ms)}")
    return notes


def _format(first_ms: int, last_ms: int, at_ms: int) -> str:
    """A range, relative to the moment of the bookmark."""
    offset = (first_ms - at_ms) / 1000
    where = "before" if offset < 0 else "after"
    return f"{(last_ms - first_ms) / 1000:.1f} s, from {abs(offset):.1f} s {where} the moment on"
