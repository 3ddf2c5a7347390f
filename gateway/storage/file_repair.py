"""Crash repair of segment files: a file and its row are made to agree on the parts that are whole.

A recorder that takes over a device uses it for its own newest files, and reconciliation for those of the whole store.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.footage.copies import Place
from gateway.footage.segment_scan import ScanProblem
from gateway.footage.segments import Fence, SegmentState, StoredSegment
from gateway.media import parse_segment_key
from gateway.storage.content import Content, read_content
from gateway.storage.interface import Storage
from gateway.storage.repairs import (
    adopt_segment,
    close_segment,
    drop_segment,
    has_row,
    holds_parts,
    mark_missing,
    move_copied,
)


class RepairAction(StrEnum):
    """What a repair did, in the words of reports and logs."""

    ADOPTED = "adopted"
    CLOSED = "closed"
    DELETED = "torn file deleted"
    FILE_DAMAGED = "file damaged"
    FILE_MISSING = "file missing"
    FILE_RETURNED = "file is back"
    LOCAL_FILE_BACK = "local file is back beside its copy"
    LOCAL_FILE_GONE = "local file gone, its copy is archived"
    INDEX_REPAIRED = "index repaired"
    QUARANTINED = "quarantined"
    TORN_END_CUT = "torn end cut off"


@dataclass(frozen=True, slots=True)
class Repair:
    """A change that was made; `segment_id` and `content` describe the segment when its row was written."""

    action: RepairAction
    segment_id: int | None = None
    content: Content | None = None


class FileRepair:
    """Repairs files of one recording, fenced by `fence`. Rows are changed before files, so a lost fence changes
    nothing.

    With `resumes` the caller is a recorder that goes on recording the device. The bus may still have what a file lost,
    and the recorder adds gaps for the holes that remain, so a damaged file adds none and a segment without a whole part
    is dropped. A torn file without a row is deleted, because the recorder before was killed while it wrote the first
    part; otherwise the origin of such a file is unknown, and it is quarantined.

    Every method raises LeaseLost, NotFound, StorageUnavailable and DatabaseUnavailable. None: the row has changed
    since.
    """

    def __init__(self, storage: Storage, fence: Fence, *, resumes: bool = False) -> None:
        self._storage = storage
        self._fence = fence
        self._resumes = resumes

    def repair_missing(self, segment: StoredSegment) -> Repair | None:
        """Mark a segment as missing: its file is gone."""
        return Repair(RepairAction.FILE_MISSING) if mark_missing(self._fence, segment) else None

    def repair_copied(self, key: str, segment: StoredSegment, size: int | None) -> Repair | None:
        """Make row and file of a segment agree that has a copy in an archive: damaged footage is read from there."""
        is_here = size == segment.size
        if size is not None and size > segment.size and segment.is_local:
            self._storage.truncate(key, segment.size)
            return Repair(RepairAction.TORN_END_CUT)
        if is_here is not bool(segment.is_local):
            if not move_copied(self._fence, segment, Place.HERE if is_here else Place.GONE, self._storage.id):
                return None
        elif is_here:
            return None
        if size is not None and not is_here:
            self._storage.quarantine(key, f"it has {size} bytes instead of {segment.size}; its copy is archived")
        return Repair(RepairAction.LOCAL_FILE_BACK if is_here else RepairAction.LOCAL_FILE_GONE, segment.id)

    def repair_segment(self, key: str, segment: StoredSegment, size: int) -> Repair | None:
        """Make the row of a file of `size` bytes describe its whole parts, and cut off the rest."""
        content = read_content(self._storage, key, segment, size)
        is_longer = segment.state == SegmentState.CLOSED and size > segment.size
        if is_longer and not self._has_more_parts(segment, content):
            self._storage.truncate(key, segment.size)
            return Repair(RepairAction.TORN_END_CUT)
        if not content.parts:
            return self._repair_empty(key, segment, content)
        if not close_segment(self._fence, segment, content, self._storage.id, adds_gap=not self._resumes):
            return None
        self._cut(key, size, content)
        if is_longer:
            action = RepairAction.INDEX_REPAIRED
        else:
            action = {
                SegmentState.OPEN: RepairAction.CLOSED,
                SegmentState.CLOSED: RepairAction.FILE_DAMAGED,
                SegmentState.MISSING: RepairAction.FILE_RETURNED,
            }[SegmentState(segment.state)]
        return Repair(action, segment.id, content)

    def adopt(self, key: str, size: int) -> Repair | None:
        """Insert a row for a file that has none."""
        name = parse_segment_key(key)
        if name is None:
            return self._quarantine(key, "its name is not that of a segment")
        if has_row(self._fence, name):
            return None
        content = read_content(self._storage, key)
        if not content.parts:
            if self._resumes and content.problem is not ScanProblem.GARBAGE:
                self._storage.delete(key)
                return Repair(RepairAction.DELETED)
            return self._quarantine_empty(key, content)
        if holds_parts(self._fence, name, len(content.parts), content.duration_ms):
            return self._quarantine(key, "another file holds its parts too")
        segment_id = adopt_segment(self._fence, name, content, self._storage.id)
        if segment_id is None:
            return None
        self._cut(key, size, content)
        return Repair(RepairAction.ADOPTED, segment_id, content)

    def _has_more_parts(self, segment: StoredSegment, content: Content) -> bool:
        """Whether a file holds whole parts that neither its row nor another segment has."""
        count = len(content.parts) - segment.parts
        if count <= 0 or content.size <= segment.size:
            return False
        name = segment.end_ms, segment.run, segment.sequence + segment.parts
        return not holds_parts(self._fence, name, count, content.duration_ms - segment.duration_ms, but=segment.id)

    def _repair_empty(self, key: str, segment: StoredSegment, content: Content) -> Repair | None:
        """Nothing in the file is whole: the segment is missing, or is dropped when its row describes no footage."""
        if segment.state != SegmentState.MISSING:
            if segment.parts > 0 and segment.duration_ms > 0 and not self._resumes:
                is_changed = mark_missing(self._fence, segment, "file_damaged")
            else:
                is_changed = drop_segment(self._fence, segment)
            if not is_changed:
                return None
        return self._quarantine_empty(key, content)

    def _cut(self, key: str, size: int, content: Content) -> None:
        if size > content.size:
            self._storage.truncate(key, content.size)

    def _quarantine_empty(self, key: str, content: Content) -> Repair:
        return self._quarantine(key, f"no part of it is whole: {content.problem}, {content.detail}")

    def _quarantine(self, key: str, why: str) -> Repair:
        self._storage.quarantine(key, why)
        return Repair(RepairAction.QUARANTINED)
