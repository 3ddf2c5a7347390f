"""Rows of gaps: opening, closing, adding and cutting them, within a recorder's fence."""

from gateway.footage.segments import Fence, Gap
from gateway.tenancy.scopes import FootageScope


def open_gap(fence: Fence, start_ms: int, reason_code: str, *, is_wanted: bool, by_name: str | None = None) -> None:
    """Note that from now on there is no footage; an open gap for the same reason goes on. Raises LeaseLost."""
    with fence.transaction() as footage:
        gap = footage.select(Gap).where(Gap.end_ms.is_null()).order_by(Gap.start_ms.desc()).first()
        if gap is not None:
            if (gap.reason_code, gap.by_name, bool(gap.is_wanted)) == (reason_code, by_name, is_wanted):
                return
            _end_gaps(footage, start_ms)
            start_ms = max(start_ms, gap.start_ms)
        footage.insert(
            Gap, start_ms=start_ms, end_ms=None, reason_code=reason_code, by_name=by_name, is_wanted=int(is_wanted)
        ).execute()


def close_gaps(fence: Fence, end_ms: int) -> bool:
    """Footage is there again from `end_ms` on; gives whether a gap was open. Raises LeaseLost.

    The bus may have kept what a recorder thought was lost: then the gap ends earlier, or never was, and with it those
    that it followed upon, as where a disk failed, and then was not mounted.
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
    """Note a stretch without footage that is over. Raises LeaseLost."""
    if end_ms <= start_ms:
        return
    with fence.transaction() as footage:
        footage.insert(
            Gap, start_ms=start_ms, end_ms=end_ms, reason_code=reason_code, by_name=by_name, is_wanted=int(is_wanted)
        ).execute()


#: Segments further apart than this are two stretches of footage.
SAME_RANGE_MS = 1500


def add_joined_gap(
    footage: FootageScope, start_ms: int, end_ms: int, reason_code: str, *, by_name: str | None = None, is_wanted: bool
) -> None:
    """Note a gap that is over; one of the same kind that touches it grows. Within the caller's transaction."""
    same = (Gap.reason_code == reason_code) & (Gap.is_wanted == int(is_wanted))
    same &= Gap.by_name.is_null() if by_name is None else Gap.by_name == by_name
    near = (
        footage.select(Gap)
        .where(same, Gap.start_ms <= end_ms + SAME_RANGE_MS, Gap.end_ms >= start_ms - SAME_RANGE_MS)
        .order_by(Gap.start_ms)
    )
    touching = list(near)
    if touching:
        start_ms = min(start_ms, touching[0].start_ms)
        end_ms = max(end_ms, *(gap.end_ms for gap in touching))
        footage.delete(Gap).where(Gap.id.in_([gap.id for gap in touching])).execute()
    footage.insert(
        Gap, start_ms=start_ms, end_ms=end_ms, reason_code=reason_code, by_name=by_name, is_wanted=int(is_wanted)
    ).execute()


#: The gaps that a file which is there again closes.
_FILE_GAPS = ("file_missing", "file_damaged")


def cut_file_gaps(footage: FootageScope, start_ms: int, end_ms: int) -> None:
    """Take footage that is there again out of the gaps that told of its loss."""
    gaps = list(
        footage.select(Gap).where(Gap.reason_code.in_(_FILE_GAPS), Gap.start_ms < end_ms, Gap.end_ms > start_ms)
    )
    for gap in gaps:
        footage.delete(Gap).where(Gap.id == gap.id).execute()
        for first, last in ((gap.start_ms, start_ms), (end_ms, gap.end_ms)):
            if first < last:
                footage.insert(
                    Gap,
                    start_ms=first,
                    end_ms=last,
                    reason_code=gap.reason_code,
                    by_name=gap.by_name,
                    is_wanted=gap.is_wanted,
                ).execute()


def _shorten_gaps_before(footage: FootageScope, begin_ms: int, end_ms: int) -> None:
    """Take footage from `end_ms` on out of the gaps that lead, each up to the next, to a gap that begins at
    `begin_ms`."""
    while begin_ms > end_ms:
        gap = footage.select(Gap).where(Gap.end_ms == begin_ms, Gap.start_ms < begin_ms).first()
        if gap is None:
            return
        if gap.start_ms < end_ms:
            footage.update(Gap, end_ms=end_ms).where(Gap.id == gap.id).execute()
        else:
            footage.delete(Gap).where(Gap.id == gap.id).execute()
        begin_ms = gap.start_ms


def _end_gaps(footage: FootageScope, end_ms: int) -> None:
    footage.delete(Gap).where(Gap.end_ms.is_null(), Gap.start_ms >= end_ms).execute()
    footage.update(Gap, end_ms=end_ms).where(Gap.end_ms.is_null()).execute()
