"""The segments that may be deleted: those at rest outside of the protected ranges, found by one query.

A device may have thousands of protected ranges. Only the gaps between them are read, each by the index of the segments,
so the cost does not grow with the amount of protected footage.
"""

from collections.abc import Sequence
from typing import Any

import peewee

from gateway import database
from gateway.footage.gaps import Range
from gateway.footage.protections import unprotected_between
from gateway.footage.segments import Segment, SegmentState, StoredSegment, read_segments, select_segments
from gateway.tenancy.scopes import EVERY_RECORDING, FootageScope

#: Later than any moment: for footage that a clock which was ahead has stamped.
FOREVER_MS = 1 << 53

#: States of segments whose files are not being written.
AT_REST = (SegmentState.CLOSED, SegmentState.MISSING)
#: Gaps in one query, of which each takes two of the 32,766 values that a query of SQLite may have.
_GAPS = 5000
_FIRST, _LAST = peewee.SQL("gaps.column1"), peewee.SQL("gaps.column2")
_IN_GAP = (
    (Segment.start_ms >= _FIRST)
    & (Segment.start_ms < _LAST)
    & (Segment.start_ms + Segment.duration_ms <= _LAST)
    & Segment.state.in_(AT_REST)
)


def deletable_segments(
    recording_id: int,
    ranges: Sequence[Range],
    *,
    from_ms: int = 0,
    before_ms: int,
    limit: int,
    max_run: int | None = None,
) -> list[StoredSegment]:
    """The oldest segments of a recording that end by `before_ms` and are neither open nor protected, at most `limit`.

    `ranges` are the protected ones, in order and without overlaps. With `max_run` no segment of a later run.
    """
    gaps = unprotected_between(ranges, from_ms, before_ms)
    found: list[StoredSegment] = []
    with database.session():
        for at in range(0, len(gaps), _GAPS):
            query = _select_oldest(recording_id, gaps[at : at + _GAPS], limit - len(found), max_run)
            # Without an order of its own, which would have to sort all footage: the gaps are in order.
            found += sorted(read_segments(query), key=lambda segment: segment.start_ms)
            if len(found) >= limit:
                break
    return found


def count_protected(recording_id: int, ranges: Sequence[Range], start_ms: int, end_ms: int) -> int:
    """The number of segments in a range that are not open and that a protected range overlaps."""
    if not ranges:
        return 0
    gaps = unprotected_between(ranges, start_ms, end_ms)
    with database.session():
        unprotected = sum(_count(recording_id, gaps[at : at + _GAPS]) for at in range(0, len(gaps), _GAPS))
        return _count(recording_id, [(start_ms, end_ms)]) - unprotected


def _select_oldest(recording_id: int, gaps: list[Range], limit: int, max_run: int | None) -> peewee.ModelSelect:
    condition = _IN_GAP if max_run is None else _IN_GAP & (Segment.run <= max_run)
    of_recording = select_segments(recording_id).where(condition).limit(limit)
    if not database.is_postgresql():
        return of_recording.from_(_cross_join(gaps, Segment))
    of_gap = of_recording.order_by(Segment.start_ms).alias("found")
    return EVERY_RECORDING.select(Segment, peewee.SQL("found.*")).from_(_cross_join(gaps, of_gap)).limit(limit)


def _count(recording_id: int, gaps: list[Range]) -> int:
    of_recording = FootageScope(recording_id).select(Segment, peewee.fn.COUNT(Segment.id).alias("count")).where(_IN_GAP)
    if not database.is_postgresql():
        return int(of_recording.from_(_cross_join(gaps, Segment)).scalar() or 0)
    joined = _cross_join(gaps, of_recording.alias("found"))
    return int(EVERY_RECORDING.select(Segment, peewee.SQL("SUM(found.count)")).from_(joined).scalar() or 0)


def _cross_join(gaps: list[Range], source: Any) -> peewee.Join:
    """Each gap with its segments. Both databases then go through the gaps in order: SQLite never reorders a cross join,
    and PostgreSQL evaluates a lateral query for each row before it.
    """
    kind = f"{peewee.JOIN.CROSS} LATERAL" if database.is_postgresql() else peewee.JOIN.CROSS
    return peewee.ValuesList(gaps, alias="gaps").join(source, kind)
