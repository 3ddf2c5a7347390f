"""Bringing rows in line with their files: what reconciliation writes, each change whole in itself.

Every function is fenced by the epoch that the recording had when its files were looked at: once a recorder has claimed
the device since, it raises LeaseLost and changes nothing. Each is true only if the row was still as it had been seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import peewee

from gateway.footage.gap_rows import add_joined_gap, cut_file_gaps
from gateway.footage.segments import (
    MAX_SEGMENT_MS,
    Fence,
    Segment,
    SegmentParts,
    SegmentState,
    StoredSegment,
    add_to_rollup,
)
from gateway.media import PartFact, pack_parts
from gateway.storage.deletion import BATCH
from gateway.tenancy.scopes import FootageScope

#: A part that claims to last longer is wrong about it.
_MAX_PART_MS = 10_000
#: What the wall clock may have been corrected by between two files of one run.
_SAME_TIME_MS = 2000


@dataclass(frozen=True, slots=True)
class Content:
    """What is whole in a file."""

    init_size: int
    parts: tuple[PartFact, ...]

    @property
    def size(self) -> int:
        return self.init_size + sum(part.size for part in self.parts)

    @property
    def duration_ms(self) -> int:
        return self.parts[-1].offset_ms + self.parts[-1].duration_ms if self.parts else 0

    def columns(self) -> dict[str, int]:
        """What a segment's row tells of it."""
        return {
            "init_size": self.init_size,
            "size": self.size,
            "duration_ms": self.duration_ms,
            "parts": len(self.parts),
            "frames": sum(part.frames for part in self.parts),
        }


def finalize_times(content: Content, known: Sequence[PartFact] = ()) -> Content:
    """The content with times that can be believed: as `known` has them, otherwise as the file does, within reason.

    The recorder knows times better than the file, which has only the camera's own clock.
    """
    same = 0
    while same < min(len(known), len(content.parts)) and known[same].size == content.parts[same].size:
        same += 1
    parts = list(known[:same])
    shift = 0
    if same:
        shift = parts[-1].offset_ms + parts[-1].duration_ms
        shift -= content.parts[same].offset_ms if same < len(content.parts) else 0
    for part in content.parts[same:]:
        end_ms = parts[-1].offset_ms + parts[-1].duration_ms if parts else 0
        offset_ms = part.offset_ms + shift
        if abs(offset_ms - end_ms) > _MAX_PART_MS:
            shift += end_ms - offset_ms
            offset_ms = end_ms
        parts.append(replace(part, offset_ms=offset_ms, duration_ms=min(part.duration_ms, _MAX_PART_MS)))
    return Content(content.init_size, tuple(parts))


def mark_missing(fence: Fence, segment: StoredSegment, reason_code: str = "file_missing") -> bool:
    """The file is gone, or nothing in it is whole: the row stays as a fact, and a gap tells why."""
    with fence.transaction() as footage:
        if not _change(footage, segment, state=SegmentState.MISSING):
            return False
        if segment.state == SegmentState.CLOSED:
            add_to_rollup(footage, segment.start_ms, segment.duration_ms, segment.size, sign=-1)
        if segment.duration_ms > 0:
            add_joined_gap(footage, segment.start_ms, segment.end_ms, reason_code, is_wanted=True)
        return True


def finalize_segment(fence: Fence, segment: StoredSegment, content: Content, storage_id: int) -> bool:
    """The row tells what is whole in the file, and is closed. Footage that it had told of and is not there is a gap."""
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
        if end_ms < segment.end_ms:
            add_joined_gap(footage, end_ms, segment.end_ms, "file_damaged", is_wanted=True)
        return True


def move_segments(fence: Fence, segments: Sequence[StoredSegment], storage_id: int) -> int:
    """The files are in another store now, as they were; gives how many rows tell so from now on."""
    moved = 0
    for at in range(0, len(segments), BATCH):
        with fence.transaction() as footage:
            ids = [segment.id for segment in segments[at : at + BATCH]]
            query = footage.update(Segment, storage_id=storage_id).where(
                Segment.id.in_(ids), Segment.state == SegmentState.CLOSED
            )
            moved += query.execute()
    return moved


def drop_empty(fence: Fence, segment: StoredSegment) -> bool:
    """Remove the row of a file in which there is no footage and of which none was ever told."""
    with fence.transaction() as footage:
        if not _change(footage, segment, state=SegmentState.GARBAGE):
            return False
        SegmentParts.delete().where(SegmentParts.segment_id == segment.id).execute()
        return bool(footage.delete(Segment).where(Segment.id == segment.id).execute())


def adopt_segment(fence: Fence, name: tuple[int, int, int], content: Content, storage_id: int) -> int | None:
    """A row for a file that had none, named by start, run and sequence; None when somebody else has just made it."""
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
    """Whether the file that is named by start, run and sequence has a row, whatever its state."""
    start_ms, run, sequence = name
    with fence.transaction() as footage:
        query = footage.select(Segment, Segment.id).where(
            Segment.start_ms == start_ms, Segment.run == run, Segment.sequence == sequence
        )
        return query.limit(1).tuples().first() is not None


def holds_parts(fence: Fence, name: tuple[int, int, int], count: int, duration_ms: int, *, but: int = 0) -> bool:
    """Whether another playable segment holds any of these parts: the same run, sequence and time.

    The time decides too, because a stream may count its runs anew.
    """
    start_ms, run, sequence = name
    with fence.transaction() as footage:
        query = footage.select(Segment, Segment.id).where(
            Segment.start_ms.between(start_ms - MAX_SEGMENT_MS, start_ms + duration_ms + _SAME_TIME_MS),
            Segment.start_ms + Segment.duration_ms >= start_ms - _SAME_TIME_MS,
            Segment.run == run,
            Segment.sequence < sequence + count,
            Segment.sequence + Segment.parts > sequence,
            Segment.state.in_((SegmentState.OPEN, SegmentState.CLOSED)),
            Segment.id != but,
        )
        return query.limit(1).tuples().first() is not None


def _change(footage: FootageScope, segment: StoredSegment, **values: int) -> bool:
    """Change a row that is still as it was seen."""
    query = footage.update(Segment, **values).where(
        Segment.id == segment.id, Segment.state == segment.state, Segment.size == segment.size
    )
    return bool(query.execute())
