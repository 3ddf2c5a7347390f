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

#: Columns of the roll-up, in the order of `Sums`.
_COLUMNS = ("recorded_ms", "bytes", "segments", "archived_bytes", "away_bytes")
Sums = tuple[int, ...]
_NOTHING: Sums = (0,) * len(_COLUMNS)


def subtract_from_rollup(footage: FootageScope, segments: Iterable[StoredSegment]) -> None:
    """Subtract closed segments that are deleted; runs in the caller's transaction."""
    sums = _sum_segments((one.start_ms, one.duration_ms, one.size, one.is_archived, one.is_local) for one in segments)
    for quarter, of_quarter in sorted(sums.items()):
        columns = zip(_COLUMNS, of_quarter, strict=True)
        footage.update(
            FifteenMinuteRollup, **{name: getattr(FifteenMinuteRollup, name) - value for name, value in columns}
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
        for quarter, sums in wrong.items():
            footage.delete(FifteenMinuteRollup).where(FifteenMinuteRollup.quarter == quarter).execute()
            values = dict(zip(_COLUMNS, sums, strict=True))
            if values["segments"]:
                footage.insert(FifteenMinuteRollup, quarter=quarter, **values).execute()
    return bool(wrong)


def _find_wrong_rollup(footage: FootageScope, day: int) -> dict[int, Sums]:
    """The right sums of each quarter of an hour of a day whose stored sums are wrong."""
    first, last = day * DAY_MS // FIFTEEN_MINUTES_MS, (day + 1) * DAY_MS // FIFTEEN_MINUTES_MS
    with database.session():
        columns = [getattr(FifteenMinuteRollup, name) for name in _COLUMNS]
        rows = footage.select(FifteenMinuteRollup, FifteenMinuteRollup.quarter, *columns).where(
            FifteenMinuteRollup.quarter >= first, FifteenMinuteRollup.quarter < last
        )
        stored: dict[int, Sums] = {quarter: tuple(sums) for quarter, *sums in rows.tuples()}
        closed = footage.select(
            Segment, Segment.start_ms, Segment.duration_ms, Segment.size, Segment.is_archived, Segment.is_local
        ).where(
            Segment.start_ms >= day * DAY_MS,
            Segment.start_ms < (day + 1) * DAY_MS,
            Segment.state == SegmentState.CLOSED,
        )
        expected = _sum_segments(closed.tuples())
    return {
        quarter: expected.get(quarter, _NOTHING)
        for quarter in stored.keys() | expected.keys()
        if stored.get(quarter, _NOTHING) != expected.get(quarter, _NOTHING)
    }


def _sum_segments(segments: Iterable[tuple[int, int, int, int, int]]) -> dict[int, Sums]:
    """The sums of closed segments, each `(start_ms, duration_ms, size, is_archived, is_local)`, by quarter."""
    sums: dict[int, Sums] = defaultdict(lambda: _NOTHING)
    for start_ms, duration_ms, size, is_archived, is_local in segments:
        quarter = start_ms // FIFTEEN_MINUTES_MS
        one = (duration_ms, size, 1, size if is_archived else 0, 0 if is_local == 1 else size)
        sums[quarter] = tuple(a + b for a, b in zip(sums[quarter], one, strict=True))
    return sums
