"""The segments that may be deleted: those at rest outside of the protected ranges, found by one query.

A device may have thousands of protected ranges. Only the gaps between them are read, each by the index of the segments,
so the cost does not grow with the amount of protected footage.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import peewee

from gateway import database
from gateway.footage.copies import IS_HERE, Place
from gateway.footage.gaps import Range
from gateway.footage.protections import unprotected_between
from gateway.footage.segments import Segment, SegmentState, StoredSegment, read_segments, select_segments
from gateway.tenancy.scopes import EVERY_RECORDING, FootageScope

#: Later than any moment: for footage that a clock which was ahead has stamped.
FOREVER_MS = 1 << 53

#: States of segments whose files are not being written.
AT_REST = (SegmentState.CLOSED, SegmentState.MISSING)


class Tier(StrEnum):
    """Which segments: all; those with a local file and a copy; those without a copy, and of them the ones that wait for
    one and the ones whose file is missing; those in an archive only.
    """

    ANY = "any"
    COPIED = "copied"
    LOCAL = "local"
    WAITING = "waiting"
    MISSING = "missing"
    ARCHIVE = "archive"


_FIRST, _LAST = peewee.SQL("gaps.first_ms"), peewee.SQL("gaps.last_ms")
_IN_GAP = (
    (Segment.start_ms >= _FIRST)
    & (Segment.start_ms < _LAST)
    & (Segment.start_ms + Segment.duration_ms <= _LAST)
    & Segment.state.in_(AT_REST)
)


_OF_TIER = {
    Tier.COPIED: IS_HERE & (Segment.is_archived == 1) & (Segment.state == SegmentState.CLOSED),
    Tier.LOCAL: IS_HERE & (Segment.is_archived == 0),
    Tier.WAITING: IS_HERE & (Segment.is_archived == 0) & (Segment.state == SegmentState.CLOSED),
    Tier.MISSING: IS_HERE & (Segment.is_archived == 0) & (Segment.state == SegmentState.MISSING),
    Tier.ARCHIVE: (Segment.is_local == Place.GONE) & (Segment.state == SegmentState.CLOSED),
}


def deletable_segments(
    recording_id: int,
    ranges: Sequence[Range],
    *,
    from_ms: int = 0,
    before_ms: int,
    limit: int,
    max_run: int | None = None,
    tier: Tier = Tier.ANY,
) -> list[StoredSegment]:
    """The oldest segments of a recording that end by `before_ms` and are neither open nor protected, at most `limit`.

    `ranges` are the protected ones, in order and without overlaps. With `max_run` no segment of a later run.
    """
    gaps = unprotected_between(ranges, from_ms, before_ms)
    if not gaps:
        return []
    with database.session():
        # Not ordered by the database, which would have to read all footage for that: the gaps are in order.
        found = read_segments(_select_oldest(recording_id, gaps, limit, max_run, tier))
    return sorted(found, key=lambda segment: segment.start_ms)


def count_protected(recording_id: int, ranges: Sequence[Range], start_ms: int, end_ms: int) -> int:
    """The number of segments in a range that are not open and that a protected range overlaps."""
    if not ranges:
        return 0
    gaps = unprotected_between(ranges, start_ms, end_ms)
    with database.session():
        return _count(recording_id, [(start_ms, end_ms)]) - _count(recording_id, gaps)


def _select_oldest(
    recording_id: int, gaps: list[Range], limit: int, max_run: int | None, tier: Tier
) -> peewee.ModelSelect:
    condition = _IN_GAP if max_run is None else _IN_GAP & (Segment.run <= max_run)
    if tier is not Tier.ANY:
        condition &= _OF_TIER[tier]
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
    if database.is_postgresql():
        firsts, lasts = [first for first, _ in gaps], [last for _, last in gaps]
        table = peewee.SQL("unnest(%s::bigint[], %s::bigint[]) AS gaps (first_ms, last_ms)", [firsts, lasts])
        return peewee.Join(table, source, f"{peewee.JOIN.CROSS} LATERAL")
    columns = "json_extract(value, '$[0]') AS first_ms, json_extract(value, '$[1]') AS last_ms"
    table = peewee.SQL(f"(SELECT {columns} FROM json_each(?)) AS gaps", [json.dumps(gaps)])  # noqa: S608
    return peewee.Join(table, source, peewee.JOIN.CROSS)
