"""Queries on the footage of one recording: its segments in a range, and where there is none and why.

The recording's id comes from `find_recording` in a tenant's scope. Each query follows an index and stays fast with
years of rows. All times are milliseconds since 1970, UTC.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import peewee
from peewee import Window, fn

from gateway import database
from gateway.clock import to_ms
from gateway.devices.model import Device
from gateway.errors import NotFound
from gateway.footage.gaps import HOLE_MS, GapFact, Knowledge, Range
from gateway.footage.recordings import Recording
from gateway.footage.segments import (
    MAX_SEGMENT_MS,
    NOT_CLOSED,
    PLAYABLE,
    Gap,
    Segment,
    SegmentParts,
    SegmentState,
    StoredSegment,
    read_segments,
    select_segments,
)
from gateway.schedules.recording_plan import decide
from gateway.tenancy.scopes import EVERY_RECORDING, EveryTenantScope, FootageScope

#: Between consecutive parts of a run, a difference of the wall clock up to this is no hole.
_CLOCK_STEP_MS = 2000
#: Number of gaps before a range, newest first, that are checked for reaching into it.
_GAPS_BEFORE = 50
#: Ranges whose holes are read by one query.
_RANGES = 200

# ---- segments -------------------------------------------------------------------------------------------------


def segments_between(recording_id: int, start_ms: int, end_ms: int, *, limit: int | None = None) -> list[StoredSegment]:
    """The playable segments that overlap a range, oldest first."""
    with database.session():
        return read_segments(_overlapping(select_segments(recording_id), start_ms, end_ms).limit(limit))


def packed_between(recording_id: int, start_ms: int, end_ms: int) -> dict[int, bytes]:
    """The packed indexes of the segments of `segments_between`, by segment id."""
    with database.session():
        query = FootageScope(recording_id).select(Segment, Segment.id, SegmentParts.packed)
        query = query.join(SegmentParts, on=(SegmentParts.segment_id == Segment.id))
        return {segment_id: bytes(packed) for segment_id, packed in _overlapping(query, start_ms, end_ms).tuples()}


def find_segment(recording_id: int, segment_id: int) -> StoredSegment:
    """A playable segment of this recording; raises NotFound."""
    with database.session():
        found = read_segments(select_segments(recording_id).where(Segment.id == segment_id, PLAYABLE))
    if not found:
        raise NotFound(f"there is no segment with id {segment_id} in this recording")
    return found[0]


def nearest_footage(recording_id: int, at_ms: int) -> tuple[int | None, int | None]:
    """The end of the last footage before a moment and the start of the first after it; None where there is none."""
    with database.session():
        playable = FootageScope(recording_id).select(Segment, Segment.start_ms, Segment.duration_ms).where(PLAYABLE)
        before = playable.where(Segment.start_ms < at_ms).order_by(Segment.start_ms.desc()).limit(1).tuples().first()
        after = playable.where(Segment.start_ms >= at_ms).order_by(Segment.start_ms).limit(1).tuples().first()
    return (min(sum(before), at_ms) if before else None), (after[0] if after else None)


def _overlapping(query: peewee.ModelSelect, start_ms: int, end_ms: int) -> peewee.ModelSelect:
    return query.where(
        PLAYABLE,
        Segment.start_ms > start_ms - MAX_SEGMENT_MS,
        Segment.start_ms < end_ms,
        Segment.start_ms + Segment.duration_ms > start_ms,
    ).order_by(Segment.start_ms, Segment.run, Segment.sequence)


# ---- holes and gaps --------------------------------------------------------------------------------------


def holes_between(recording_id: int, start_ms: int, end_ms: int) -> list[Range]:
    """The parts of a range that no segment covers, in order. Consecutive parts of one run leave no hole."""
    return holes_in([(recording_id, start_ms, end_ms)]).get(recording_id, [])


def holes_in(ranges: Sequence[tuple[int, int, int]]) -> dict[int, list[Range]]:
    """As `holes_between` for many ranges, each with its recording; the holes by recording, in the order of the ranges.

    Two queries for at most `_RANGES` ranges.
    """
    found: dict[int, list[Range]] = {}
    ranges = [(key, low, high) for key, low, high in ranges if high > low]
    for first in range(0, len(ranges), _RANGES):
        batch = ranges[first : first + _RANGES]
        with database.session():
            between = _holes_between_segments(batch)
        for key, low, high in batch:
            inside, last_ms = between.get((key, low), ([], None))
            edges = [(low, high)] if last_ms is None else [*inside, (last_ms, high)]
            found.setdefault(key, []).extend(
                (max(start, low), min(end, high)) for start, end in edges if min(end, high) - max(start, low) > HOLE_MS
            )
    return found


def _holes_between_segments(
    ranges: Sequence[tuple[int, int, int]],
) -> dict[tuple[int, int], tuple[list[Range], int | None]]:
    """The holes before and between the segments of ranges, and the last moment of these segments.

    By recording and start of the range; ranges without a segment are left out.
    """
    asked = peewee.CTE("asked", peewee.ValuesList(ranges), columns=("recording_id", "low", "high"))
    place = (asked.c.recording_id, asked.c.low)
    segment_end = Segment.start_ms + Segment.duration_ms
    order = [Segment.start_ms, Segment.run, Segment.sequence]

    def over(function: peewee.Function, **frame: Any) -> peewee.Node:
        return function.over(partition_by=list(place), order_by=order, **frame)

    def of_ranges(*columns: Any) -> peewee.ModelSelect:
        return EVERY_RECORDING.select(Segment, *columns).join(
            asked,
            on=(
                (Segment.recording_id == asked.c.recording_id)
                & PLAYABLE
                & (Segment.start_ms > asked.c.low - MAX_SEGMENT_MS)
                & (Segment.start_ms < asked.c.high)
                & (segment_end > asked.c.low)
            ),
        )

    inner = of_ranges(
        asked.c.recording_id.alias("recording_id"),
        asked.c.low.alias("low"),
        Segment.start_ms.alias("begins"),
        over(fn.MAX(segment_end), start=Window.preceding(), end=Window.preceding(1), frame_type=Window.ROWS).alias(
            "reached"
        ),
        Segment.run.alias("run"),
        Segment.sequence.alias("sequence"),
        over(fn.LAG(Segment.run)).alias("last_run"),
        over(fn.LAG(Segment.sequence + Segment.parts)).alias("next_sequence"),
    ).alias("rows")
    column = inner.c
    away = column.begins - column.reached
    goes_on = (column.run == column.last_run) & (column.sequence == column.next_sequence)
    holes = (
        peewee.Select([inner], [column.recording_id, column.low, column.reached, column.begins])
        .where(column.reached.is_null() | (away > _CLOCK_STEP_MS) | ((away > HOLE_MS) & ~goes_on))
        .order_by(column.recording_id, column.low, column.begins)
        .with_cte(asked)
        .bind(database.proxy.obj)
    )
    ends = of_ranges(*place, fn.MAX(segment_end)).group_by(*place).with_cte(asked)
    found = {(key, low): ([], last_ms) for key, low, last_ms in ends.tuples()}
    for key, low, reached, begins in holes.tuples():
        # Nothing is reached before the first segment: the hole begins with the range.
        found[key, low][0].append((low if reached is None else reached, begins))
    return found


def noted_gaps(
    recording_id: int, start_ms: int, end_ms: int, *, at_least_ms: int = 0, limit: int | None = None
) -> list[GapFact]:
    """The recorded gaps that overlap a range, in order. `at_least_ms` leaves out shorter gaps that have ended."""
    with database.session():
        gaps = FootageScope(recording_id).select(
            Gap, Gap.start_ms, Gap.end_ms, Gap.reason_code, Gap.by_name, Gap.is_wanted
        )
        inside = gaps.where(Gap.start_ms >= start_ms, Gap.start_ms < end_ms).order_by(Gap.start_ms, Gap.id)
        if at_least_ms:
            inside = inside.where(Gap.end_ms.is_null() | (Gap.end_ms - Gap.start_ms >= at_least_ms))
        before = gaps.where(Gap.start_ms < start_ms).order_by(Gap.start_ms.desc(), Gap.id.desc()).limit(_GAPS_BEFORE)
        reaching = [row for row in before.tuples() if row[1] is None or row[1] > start_ms]
        rows = [*reversed(reaching), *inside.limit(limit).tuples()]
    return [GapFact(start, end, code, by, bool(is_wanted)) for start, end, code, by, is_wanted in rows]


def noted_gaps_of(
    scope: EveryTenantScope, recording_ids: Sequence[int], start_ms: int, end_ms: int
) -> dict[int, list[GapFact]]:
    """As `noted_gaps` for many recordings, by id. Two queries."""
    found: dict[int, list[GapFact]] = {key: [] for key in recording_ids}
    columns = (Gap.recording_id, Gap.start_ms, Gap.end_ms, Gap.reason_code, Gap.by_name, Gap.is_wanted)
    order = (Gap.start_ms, Gap.id)
    before = Gap.alias()
    oldest = (
        before.select(before.start_ms)
        .where(before.recording_id == Recording.id, before.start_ms < start_ms)
        .order_by(before.start_ms.desc())
        .limit(1)
        .offset(_GAPS_BEFORE - 1)
    )
    with database.session():
        reaching = (
            scope.select(Recording, *columns)
            .join(Gap, on=(Gap.recording_id == Recording.id))
            .where(
                Recording.id.in_(list(recording_ids)),
                Gap.start_ms < start_ms,
                Gap.start_ms >= fn.COALESCE(oldest, 0),
                Gap.end_ms.is_null() | (Gap.end_ms > start_ms),
            )
            .order_by(*order)
        )
        inside = EVERY_RECORDING.select(Gap, *columns).where(
            Gap.recording_id.in_(list(recording_ids)), Gap.start_ms >= start_ms, Gap.start_ms < end_ms
        )
        for rows in (reaching, inside.order_by(*order)):
            for key, start, end, code, by, is_wanted in rows.tuples():
                found[key].append(GapFact(start, end, code, by, bool(is_wanted)))
    return found


def main_gap(recording_id: int, start_ms: int, end_ms: int) -> GapFact | None:
    """The reason for a range without footage: the gap that spans it, or the reason that covers at least half of it."""
    with database.session():
        footage = FootageScope(recording_id)
        over = (
            footage.select(Gap)
            .where(Gap.start_ms <= start_ms, Gap.end_ms.is_null() | (Gap.end_ms >= end_ms))
            .order_by(Gap.start_ms.desc())
            .first()
        )
        if over is not None:
            return GapFact(start_ms, end_ms, over.reason_code, over.by_name, bool(over.is_wanted))
        length = fn.SUM(Gap.end_ms - Gap.start_ms)
        longest = (
            footage.select(Gap, Gap.reason_code, Gap.by_name, Gap.is_wanted)
            .where(Gap.start_ms >= start_ms, Gap.start_ms < end_ms, Gap.end_ms.is_null(False))
            .group_by(Gap.reason_code, Gap.by_name, Gap.is_wanted)
            .having(length * 2 >= end_ms - start_ms)
            .order_by(length.desc())
            .tuples()
            .first()
        )
    return GapFact(start_ms, end_ms, longest[0], longest[1], bool(longest[2])) if longest else None


def missing_files(recording_id: int, start_ms: int, end_ms: int) -> list[GapFact]:
    """The ranges of segments whose files are missing."""
    return missing_files_of([recording_id], start_ms, end_ms)[recording_id]


def missing_files_of(recording_ids: Sequence[int], start_ms: int, end_ms: int) -> dict[int, list[GapFact]]:
    """As `missing_files` for many recordings, by id. One query."""
    found: dict[int, list[GapFact]] = {key: [] for key in recording_ids}
    with database.session():
        query = EVERY_RECORDING.select(Segment, Segment.recording_id, Segment.start_ms, Segment.duration_ms).where(
            NOT_CLOSED,
            Segment.state == SegmentState.MISSING,
            Segment.recording_id.in_(list(recording_ids)),
            Segment.start_ms > start_ms - MAX_SEGMENT_MS,
            Segment.start_ms < end_ms,
        )
        for key, start, length in query.order_by(Segment.start_ms).tuples():
            found[key].append(GapFact(start, start + length, "file_missing"))
    return found


def read_knowledge(scope: EveryTenantScope, recording: Recording, now_ms: int) -> Knowledge:
    """What explains holes of a recording (from `find_recording`) that no gap covers."""
    return read_knowledge_of(scope, [recording], now_ms)[recording.id]


def read_knowledge_of(scope: EveryTenantScope, recordings: Sequence[Recording], now_ms: int) -> dict[int, Knowledge]:
    """As `read_knowledge` for many recordings, by id. One query."""
    oldest = EVERY_RECORDING.select(Segment, fn.MIN(Segment.start_ms)).where(Segment.recording_id == Recording.id)
    first_gap = EVERY_RECORDING.select(Gap, fn.MIN(Gap.start_ms)).where(Gap.recording_id == Recording.id)
    with database.session():
        rows = (
            scope.select(Recording, Recording.id, Device.created_at, oldest, first_gap)
            .join(Device, on=(Device.id == Recording.device_id))
            .where(Recording.id.in_([recording.id for recording in recordings]))
        )
        moments = {key: (created, *footage) for key, created, *footage in rows.tuples()}
    return {recording.id: _know(recording, *moments[recording.id], now_ms) for recording in recordings}


def _know(recording: Recording, created: datetime, oldest: int | None, first_gap: int | None, now_ms: int) -> Knowledge:
    moments = [moment for moment in (oldest, first_gap) if moment is not None]
    created_ms = to_ms(created)
    begins = min(moments, default=to_ms(recording.since))
    if recording.expired_before_ms > created_ms:
        begins = min(begins, created_ms)
    return Knowledge(
        now_ms=now_ms,
        begins_ms=begins,
        expired_before_ms=recording.expired_before_ms,
        decision=decide(recording.desired_recording(is_enabled=recording.device.enabled), now_ms),
        observed=recording.observed,
        reason_code=recording.reason_code,
    )
