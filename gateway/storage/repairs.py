"""Database changes of crash repair; each function makes one change, whole in itself.

They are fenced by the fencing token that the recording had when its files were compared: once a recorder has claimed
the device since then, they raise LeaseLost and change nothing. They return False or None when the row has changed
meanwhile.
"""

from collections.abc import Sequence

import peewee

from gateway.footage.copies import Place, set_place
from gateway.footage.gap_rows import add_joined_gap, cut_file_gaps
from gateway.footage.segments import (
    MAX_SEGMENT_MS,
    PLAYABLE,
    Fence,
    Segment,
    SegmentParts,
    SegmentState,
    StoredSegment,
    add_to_rollup,
    read_segments,
    select_segments,
)
from gateway.media import pack_parts
from gateway.storage.content import Content
from gateway.storage.deletion import BATCH
from gateway.tenancy.scopes import FootageScope

#: By how much the wall clock may have been corrected between two files of one run.
_SAME_TIME_MS = 2000


def mark_missing(fence: Fence, segment: StoredSegment, reason_code: str = "file_missing") -> bool:
    """Mark a segment whose file is gone or has no whole part; its row stays, and a gap gives the reason."""
    with fence.transaction() as footage:
        if not _change(footage, segment, state=SegmentState.MISSING):
            return False
        if segment.state == SegmentState.CLOSED:
            add_to_rollup(footage, segment.start_ms, segment.duration_ms, segment.size, sign=-1)
        if segment.duration_ms > 0:
            add_joined_gap(footage, segment.start_ms, segment.end_ms, reason_code, is_wanted=True)
        return True


def close_segment(
    fence: Fence, segment: StoredSegment, content: Content, storage_id: int, *, adds_gap: bool = True
) -> bool:
    """Close a segment with what is whole in its file. With `adds_gap`, footage that its row had is a gap if lost."""
    with fence.transaction() as footage:
        if not _change(footage, segment, state=SegmentState.CLOSED, storage_id=storage_id, **content.columns()):
            return False
        packed = pack_parts(content.parts)
        if not SegmentParts.update(packed=packed).where(SegmentParts.segment_id == segment.id).execute():
            SegmentParts.insert(segment_id=segment.id, packed=packed).execute()
        if segment.state == SegmentState.CLOSED:
            add_to_rollup(footage, segment.start_ms, segment.duration_ms, segment.size, sign=-1)
        add_to_rollup(footage, segment.start_ms, content.duration_ms, content.size)
        end_ms = segment.start_ms + content.duration_ms
        cut_file_gaps(footage, segment.start_ms, end_ms)
        if adds_gap and end_ms < segment.end_ms:
            add_joined_gap(footage, end_ms, segment.end_ms, "file_damaged", is_wanted=True)
        return True


def move_segments(fence: Fence, segments: Sequence[StoredSegment], storage_id: int) -> int:
    """Move closed segments to another store, where their unchanged files are now; returns how many."""
    moved = 0
    for at in range(0, len(segments), BATCH):
        with fence.transaction() as footage:
            ids = [segment.id for segment in segments[at : at + BATCH]]
            query = footage.update(Segment, storage_id=storage_id).where(
                Segment.id.in_(ids), Segment.state == SegmentState.CLOSED
            )
            moved += query.execute()
    return moved


def move_copied(fence: Fence, segment: StoredSegment, place: Place, storage_id: int) -> bool:
    """Write whether the local file of an archived segment exists, in this store."""
    with fence.transaction() as footage:
        if not _change(footage, segment, storage_id=storage_id):
            return False
        now = read_segments(select_segments(fence.recording_id).where(Segment.id == segment.id))
        if not now or now[0].is_local != segment.is_local or not now[0].is_archived:
            return False
        set_place(footage, now, place)
        return True


def drop_segment(fence: Fence, segment: StoredSegment) -> bool:
    """Delete the row of a segment whose file has no whole part."""
    with fence.transaction() as footage:
        if not _change(footage, segment, state=SegmentState.GARBAGE):
            return False
        SegmentParts.delete().where(SegmentParts.segment_id == segment.id).execute()
        return bool(footage.delete(Segment).where(Segment.id == segment.id).execute())


def adopt_segment(fence: Fence, name: tuple[int, int, int], content: Content, storage_id: int) -> int | None:
    """Insert a row for a file, named by start, run and sequence. Returns its id; None when the row exists by now."""
    start_ms, run, sequence = name
    try:
        with fence.transaction() as footage:
            segment_id = footage.insert(
                Segment,
                start_ms=start_ms,
                run=run,
                sequence=sequence,
                state=SegmentState.CLOSED,
                storage_id=storage_id,
                is_archived=0,
                **content.columns(),
            ).execute()
            SegmentParts.insert(segment_id=segment_id, packed=pack_parts(content.parts)).execute()
            add_to_rollup(footage, start_ms, content.duration_ms, content.size)
            cut_file_gaps(footage, start_ms, start_ms + content.duration_ms)
    except peewee.IntegrityError:
        return None
    return segment_id


def has_row(fence: Fence, name: tuple[int, int, int]) -> bool:
    """Whether a file, named by start, run and sequence, has a row in any state."""
    start_ms, run, sequence = name
    with fence.transaction() as footage:
        query = footage.select(Segment, Segment.id).where(
            Segment.start_ms == start_ms, Segment.run == run, Segment.sequence == sequence
        )
        return query.limit(1).tuples().first() is not None


def holds_parts(fence: Fence, name: tuple[int, int, int], count: int, duration_ms: int, *, but: int = 0) -> bool:
    """Whether a playable segment other than `but` holds any of `count` parts from a start, run and sequence on.

    The time is compared too, because a stream may restart its run numbers.
    """
    start_ms, run, sequence = name
    with fence.transaction() as footage:
        query = footage.select(Segment, Segment.id).where(
            Segment.start_ms.between(start_ms - MAX_SEGMENT_MS, start_ms + duration_ms + _SAME_TIME_MS),
            Segment.start_ms + Segment.duration_ms >= start_ms - _SAME_TIME_MS,
            Segment.run == run,
            Segment.sequence < sequence + count,
            Segment.sequence + Segment.parts > sequence,
            PLAYABLE,
            Segment.id != but,
        )
        return query.limit(1).tuples().first() is not None


def _change(footage: FootageScope, segment: StoredSegment, **values: int) -> bool:
    """Change a row, if it is unchanged since it was read."""
    query = footage.update(Segment, **values).where(
        Segment.id == segment.id, Segment.state == segment.state, Segment.size == segment.size
    )
    return bool(query.execute())
