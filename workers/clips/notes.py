"""What is worth knowing of a clip, in words: what is missing of the range that was asked for."""

from gateway.footage.cuts import uncovered_between
from workers.exporting.cut import Cut

#: Less than this is missing at an end of every second clip: footage comes in parts.
WORTH_TELLING_MS = 500


def write_notes(cut: Cut, start_ms: int, end_ms: int, at_ms: int) -> list[str]:
    """The notes of a clip of the range from `start_ms` to `end_ms`, seen from the moment `at_ms` of its bookmark."""
    notes = list(cut.notes)
    late, early = cut.first_ms - start_ms, end_ms - cut.last_ms
    if late > WORTH_TELLING_MS:
        notes.append(f"it begins {late / 1000:.1f} s later than wanted: there is no earlier footage")
    if early > WORTH_TELLING_MS:
        notes.append(f"it ends {early / 1000:.1f} s earlier than wanted: there is no later footage")
    for first_ms, last_ms in cut.reader.damaged:
        notes.append(f"damaged, left out: {_format(first_ms, last_ms, at_ms)}")
    for first_ms, last_ms in uncovered_between(cut.source.stretches, cut.first_ms, cut.last_ms):
        notes.append(f"no footage: {_format(first_ms, last_ms, at_ms)}")
    return notes


def _format(first_ms: int, last_ms: int, at_ms: int) -> str:
    """A stretch, seen from the moment of the bookmark."""
    away = (first_ms - at_ms) / 1000
    where = "before" if away < 0 else "after"
    return f"{(last_ms - first_ms) / 1000:.1f} s, from {abs(away):.1f} s {where} the moment on"
