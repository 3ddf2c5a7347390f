"""Maintains the roll-up: subtracts deleted segments, and recomputes days whose sums became wrong."""

from collections import defaultdict
from collections.abc import Iterable

from gateway import database
from gateway.clock import DAY_MS
from gateway.footage.segments import (
    FIFTEEN_MINUTES_MS,
    Fence,
    FifteenMinuteRollup,
    Segment,
    SegmentState,
    StoredSegment,
)
from gateway.tenancy.scopes import FootageScope

#: Recorded milliseconds, bytes and number of segments.
Sums = tuple[int, int, int]


def subtract_from_rollup(footage: FootageScope, segments: Iterable[StoredSegment]) -> None:
    """Subtract closed segments that are deleted; runs in the caller's transaction."""
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for segment in segments:
        total = sums[segment.start_ms // FIFTEEN_MINUTES_MS]
        total[0] += segment.duration_ms
        total[1] += segment.size
        total[2] += 1
    for quarter, (duration_ms, size, count) in sorted(sums.items()):
        footage.update(
            FifteenMinuteRollup,
            recorded_ms=FifteenMinuteRollup.recorded_ms - duration_ms,
            bytes=FifteenMinuteRollup.bytes - size,
            segments=FifteenMinuteRollup.segments - count,
        ).where(FifteenMinuteRollup.quarter == quarter).execute()
    footage.delete(FifteenMinuteRollup).where(
        FifteenMinuteRollup.quarter.in_(list(sums)), FifteenMinuteRollup.segments <= 0
    ).execute()


def correct_rollup(fence: Fence, day: int) -> bool:
    """Recompute a day's roll-up from its closed segments; returns whether it was wrong, as after a row was lost.

    Raises LeaseLost.
    """
    if not _find_wrong_rollup(FootageScope(fence.recording_id), day):
        return False
    with fence.transaction() as footage:
        wrong = _find_wrong_rollup(footage, day)
        for quarter, (recorded_ms, size, segments) in wrong.items():
            footage.delete(FifteenMinuteRollup).where(FifteenMinuteRollup.quarter == quarter).execute()
            if segments:
                footage.insert(
                    FifteenMinuteRollup, quarter=quarter, recorded_ms=recorded_ms, bytes=size, segments=segments
                ).execute()
    return bool(wrong)


def _find_wrong_rollup(footage: FootageScope, day: int) -> dict[int, Sums]:
    """The right sums of each quarter of an hour of a day whose stored sums are wrong."""
    first, last = day * DAY_MS // FIFTEEN_MINUTES_MS, (day + 1) * DAY_MS // FIFTEEN_MINUTES_MS
    with database.session():
        rows = footage.select(
            FifteenMinuteRollup,
            FifteenMinuteRollup.quarter,
            FifteenMinuteRollup.recorded_ms,
            FifteenMinuteRollup.bytes,
            FifteenMinuteRollup.segments,
        ).where(FifteenMinuteRollup.quarter >= first, FifteenMinuteRollup.quarter < last)
        stored: dict[int, Sums] = {quarter: tuple(sums) for quarter, *sums in rows.tuples()}
        closed = footage.select(Segment, Segment.start_ms, Segment.duration_ms, Segment.size).where(
            Segment.start_ms >= day * DAY_MS,
            Segment.start_ms < (day + 1) * DAY_MS,
            Segment.state == SegmentState.CLOSED,
        )
        expected: dict[int, Sums] = {}
        for start_ms, duration_ms, size in closed.tuples():
            recorded, total, count = expected.get(start_ms // FIFTEEN_MINUTES_MS, (0, 0, 0))
            expected[start_ms // FIFTEEN_MINUTES_MS] = (recorded + duration_ms, total + size, count + 1)
    nothing = (0, 0, 0)
    return {
        quarter: expected.get(quarter, nothing)
        for quarter in stored.keys() | expected.keys()
        if stored.get(quarter, nothing) != expected.get(quarter, nothing)
    }
