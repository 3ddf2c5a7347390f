"""Queries on the footage of one recording: its segments in a range, and where there is none and why.

The recording's id comes from `find_recording` in a tenant's scope. Each query follows an index and stays fast with
years of rows. All times are milliseconds since 1970, UTC.
"""

import peewee
from peewee import Window, fn

from gateway import database
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
from gateway.tenancy.scopes import EveryTenantScope, FootageScope

#: Between consecutive parts of a run, a difference of the wall clock up to this is no hole.
_CLOCK_STEP_MS = 2000
#: Number of gaps before a range, newest first, that are checked for reaching into it.
_GAPS_BEFORE = 50

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
    if end_ms <= start_ms:
        return []
    segment_end = Segment.start_ms + Segment.duration_ms
    order = [Segment.start_ms, Segment.run, Segment.sequence]
    reached = fn.MAX(segment_end).over(
        order_by=order, start=Window.preceding(), end=Window.preceding(1), frame_type=Window.ROWS
    )
    with database.session():
        footage = FootageScope(recording_id)
        inner = footage.select(
            Segment,
            Segment.start_ms.alias("begins"),
            reached.alias("reached"),
            Segment.run.alias("run"),
            Segment.sequence.alias("sequence"),
            fn.LAG(Segment.run).over(order_by=order).alias("last_run"),
            fn.LAG(Segment.sequence + Segment.parts).over(order_by=order).alias("next_sequence"),
        )
        inner = _overlapping(inner, start_ms, end_ms).order_by().alias("rows")
        column = inner.c
        away = column.begins - column.reached
        goes_on = (column.run == column.last_run) & (column.sequence == column.next_sequence)
        holes = (
            peewee.Select([inner], [column.reached, column.begins])
            .where(column.reached.is_null() | (away > _CLOCK_STEP_MS) | ((away > HOLE_MS) & ~goes_on))
            .order_by(column.begins)
            .bind(database.proxy.obj)
        )
        found = [tuple(row) for row in holes.tuples()]
        if not found:
            return [(start_ms, end_ms)]
        last = _overlapping(footage.select(Segment, segment_end), start_ms, end_ms)
        # The clock may have been set back, so the segment with the latest start need not end last.
        ends = [row[0] for row in last.order_by(Segment.start_ms.desc()).limit(8).tuples()]
    first_start = found[0][1]
    ranges = [(start_ms, first_start), *found[1:], (max(ends), end_ms)]
    return [
        (max(low, start_ms), min(high, end_ms))
        for low, high in ranges
        if min(high, end_ms) - max(low, start_ms) > HOLE_MS
    ]


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
    with database.session():
        query = (
            FootageScope(recording_id)
            .select(Segment, Segment.start_ms, Segment.duration_ms)
            .where(
                NOT_CLOSED,
                Segment.state == SegmentState.MISSING,
                Segment.start_ms > start_ms - MAX_SEGMENT_MS,
                Segment.start_ms < end_ms,
            )
        )
        rows = query.order_by(Segment.start_ms).tuples()
        return [GapFact(start, start + length, "file_missing") for start, length in rows]


def read_knowledge(scope: EveryTenantScope, recording: Recording, now_ms: int) -> Knowledge:
    """What explains holes of a recording (from `find_recording`) that no gap covers."""
    with database.session():
        footage = FootageScope(recording.id)
        oldest = footage.select(Segment, fn.MIN(Segment.start_ms)).tuples().first()[0]
        first_gap = footage.select(Gap, fn.MIN(Gap.start_ms)).tuples().first()[0]
        created = scope.select(Device, Device.created_at).where(Device.id == recording.device_id).first().created_at
    moments = [moment for moment in (oldest, first_gap) if moment is not None]
    created_ms = round(created.timestamp() * 1000)
    begins = min(moments, default=round(recording.since.timestamp() * 1000))
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
