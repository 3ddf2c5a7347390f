"""Rows of gaps: time ranges without footage, opened, closed and added by recorders and by the care of the store.

Functions that take a `Fence` open their own transaction and raise LeaseLost; those that take a `FootageScope` run in
the caller's.
"""

from collections.abc import Iterable

from gateway.events.model import GAP, change_referenced, record_event
from gateway.footage.gaps import merge_ranges
from gateway.footage.recordings import Recording
from gateway.footage.segments import Fence, Gap, SegmentState, StoredSegment
from gateway.tenancy.scopes import EVERY_TENANT, FootageScope

#: Segments, or gaps, up to this far apart count as contiguous: the wall clock of two files may differ that much.
_SAME_RANGE_MS = 1500
#: Reasons of gaps that end when the file is there again.
_FILE_REASONS = ("file_missing", "file_damaged", "archive_copy_gone")


def open_gap(fence: Fence, start_ms: int, reason_code: str, *, is_wanted: bool, by_name: str | None = None) -> None:
    """Open a gap. An open gap with the same reason stays open; one with another reason ends where this one starts."""
    with fence.transaction() as footage:
        gap = footage.select(Gap).where(Gap.end_ms.is_null()).order_by(Gap.start_ms.desc()).first()
        if gap is not None:
            if (gap.reason_code, gap.by_name, bool(gap.is_wanted)) == (reason_code, by_name, is_wanted):
                return
            _end_gaps(footage, start_ms)
            start_ms = max(start_ms, gap.start_ms)
        gap_id = _insert(footage, start_ms, None, reason_code, by_name, is_wanted=is_wanted)
        _report(footage, gap_id, start_ms, None, reason_code, is_wanted=is_wanted)


def close_gaps(fence: Fence, end_ms: int) -> bool:
    """End the open gaps at `end_ms`, where footage begins again. Returns whether a gap was open.

    `end_ms` may lie before a gap's start, because the bus may still have held parts that a recorder had given up. Then
    that gap is deleted and the gaps that led up to it are shortened, such as the two of a disk that failed and was then
    not mounted.
    """
    with fence.transaction() as footage:
        opened = list(footage.select(Gap).where(Gap.end_ms.is_null()))
        for gap in opened:
            _shorten_gaps_before(footage, gap.start_ms, end_ms)
        _end_gaps(footage, end_ms)
        return bool(opened)


def add_gap(
    fence: Fence, start_ms: int, end_ms: int, reason_code: str, *, is_wanted: bool = True, by_name: str | None = None
) -> None:
    """Add a gap that has ended; an empty one is left out."""
    if end_ms <= start_ms:
        return
    with fence.transaction() as footage:
        gap_id = _insert(footage, start_ms, end_ms, reason_code, by_name, is_wanted=is_wanted)
        _report(footage, gap_id, start_ms, end_ms, reason_code, is_wanted=is_wanted)


def add_joined_gap(
    footage: FootageScope, start_ms: int, end_ms: int, reason_code: str, *, by_name: str | None = None, is_wanted: bool
) -> None:
    """Add a gap that has ended, merged with gaps of the same reason that touch it."""
    same = (Gap.reason_code == reason_code) & (Gap.is_wanted == int(is_wanted))
    same &= Gap.by_name.is_null() if by_name is None else Gap.by_name == by_name
    near = (
        footage.select(Gap)
        .where(same, Gap.start_ms <= end_ms + _SAME_RANGE_MS, Gap.end_ms >= start_ms - _SAME_RANGE_MS)
        .order_by(Gap.start_ms)
    )
    touching = list(near)
    if touching:
        start_ms = min(start_ms, touching[0].start_ms)
        end_ms = max(end_ms, *(gap.end_ms for gap in touching))
        footage.delete(Gap).where(Gap.id.in_([gap.id for gap in touching])).execute()
    _insert(footage, start_ms, end_ms, reason_code, by_name, is_wanted=is_wanted)


def add_gaps_of_segments(
    footage: FootageScope, segments: Iterable[StoredSegment], reason_code: str, by_name: str | None, *, is_wanted: bool
) -> None:
    """Add gaps where these segments were, one for each contiguous range. Missing segments have their gap already."""
    ranges = [
        (segment.start_ms, segment.end_ms)
        for segment in segments
        if segment.state != SegmentState.MISSING and segment.duration_ms > 0
    ]
    for start_ms, end_ms in merge_ranges(ranges, within_ms=_SAME_RANGE_MS):
        add_joined_gap(footage, start_ms, end_ms, reason_code, by_name=by_name, is_wanted=is_wanted)


def cut_file_gaps(footage: FootageScope, start_ms: int, end_ms: int) -> None:
    """Remove a range from the gaps of missing and damaged files: its footage is there again."""
    gaps = list(
        footage.select(Gap).where(Gap.reason_code.in_(_FILE_REASONS), Gap.start_ms < end_ms, Gap.end_ms > start_ms)
    )
    for gap in gaps:
        footage.delete(Gap).where(Gap.id == gap.id).execute()
        for first_ms, last_ms in ((gap.start_ms, start_ms), (end_ms, gap.end_ms)):
            if first_ms < last_ms:
                _insert(footage, first_ms, last_ms, gap.reason_code, gap.by_name, is_wanted=bool(gap.is_wanted))


def delete_gaps_before(footage: FootageScope, before_ms: int) -> None:
    """Delete the gaps that ended by a moment."""
    footage.delete(Gap).where(Gap.start_ms < before_ms, Gap.end_ms <= before_ms).execute()


def _insert(
    footage: FootageScope, start_ms: int, end_ms: int | None, reason_code: str, by_name: str | None, *, is_wanted: bool
) -> int:
    return footage.insert(
        Gap, start_ms=start_ms, end_ms=end_ms, reason_code=reason_code, by_name=by_name, is_wanted=int(is_wanted)
    ).execute()


def _report(
    footage: FootageScope, gap_id: int, start_ms: int, end_ms: int | None, reason_code: str, *, is_wanted: bool
) -> None:
    """Record an event of a gap in wanted footage; it changes with its gap."""
    if not is_wanted:
        return
    owner = EVERY_TENANT.select(Recording, Recording.tenant_id, Recording.device_id)
    tenant_id, device_id = owner.where(Recording.id == footage.recording_id).tuples().first()
    record_event(
        tenant_id,
        device_id,
        GAP,
        start_ms=start_ms,
        end_ms=end_ms,
        goes_on=end_ms is None,
        reason_code=reason_code,
        reference=str(gap_id),
    )


def _report_end(gap: Gap, end_ms: int) -> None:
    if gap.is_wanted:
        change_referenced(GAP, str(gap.id), end_ms=max(gap.start_ms, end_ms))


def _shorten_gaps_before(footage: FootageScope, start_ms: int, end_ms: int) -> None:
    """End at `end_ms` the chain of gaps that leads to the gap at `start_ms`, each ending where the next one starts."""
    while start_ms > end_ms:
        gap = footage.select(Gap).where(Gap.end_ms == start_ms, Gap.start_ms < start_ms).first()
        if gap is None:
            return
        _report_end(gap, end_ms)
        if gap.start_ms < end_ms:
            footage.update(Gap, end_ms=end_ms).where(Gap.id == gap.id).execute()
        else:
            footage.delete(Gap).where(Gap.id == gap.id).execute()
        start_ms = gap.start_ms


def _end_gaps(footage: FootageScope, end_ms: int) -> None:
    for gap in footage.select(Gap).where(Gap.end_ms.is_null(), Gap.is_wanted == 1):
        _report_end(gap, end_ms)
    footage.delete(Gap).where(Gap.end_ms.is_null(), Gap.start_ms >= end_ms).execute()
    footage.update(Gap, end_ms=end_ms).where(Gap.end_ms.is_null()).execute()
