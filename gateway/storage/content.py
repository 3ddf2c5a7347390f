"""Reads what is whole in a segment file, with times that are plausible."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from gateway.footage.segment_scan import ScanProblem, SegmentScan, scan_segment
from gateway.footage.segments import MAX_PART_MS, SegmentState, StoredSegment, read_packed
from gateway.media import PartFact, unpack_parts
from gateway.storage.interface import Storage

#: A larger step of media time inside a file means that the camera set its clock: a recorder begins a new file where the
#: wall clock of two parts is more than 5 s apart.
_MAX_TIME_STEP_MS = 10_000


@dataclass(frozen=True, slots=True)
class Content:
    """The whole parts of a file; `problem` and `detail` describe what follows them, as in SegmentScan."""

    init_size: int
    parts: tuple[PartFact, ...]
    problem: ScanProblem | None = None
    detail: str = ""

    @property
    def size(self) -> int:
        return self.init_size + sum(part.size for part in self.parts)

    @property
    def duration_ms(self) -> int:
        return self.parts[-1].offset_ms + self.parts[-1].duration_ms if self.parts else 0

    def columns(self) -> dict[str, int]:
        """The columns of a segment's row that describe it."""
        return {
            "init_size": self.init_size,
            "size": self.size,
            "duration_ms": self.duration_ms,
            "parts": len(self.parts),
            "frames": sum(part.frames for part in self.parts),
        }


def scan_content(chunks: Iterable[bytes]) -> Content:
    """What is whole in a file that is read as a whole; what the iterator raises goes through."""
    return _correct(scan_segment(chunks))


def read_content(storage: Storage, key: str, segment: StoredSegment | None = None, size: int = 0) -> Content:
    """Read a file of `size` bytes; `segment` is its row. Raises NotFound and StorageUnavailable.

    Of a segment that was left open only the bytes after the indexed parts are read: the index has durable parts only.
    """
    if segment is None:
        return scan_content(storage.read(key))
    known = unpack_parts(read_packed(segment.id))[: segment.parts]
    known_size = segment.init_size + sum(part.size for part in known)
    if segment.state == SegmentState.OPEN and known and known_size <= size:
        tail = scan_segment(chain(storage.read(key, 0, segment.init_size), storage.read(key, known_size)))
        if tail.init_size == segment.init_size and (tail.parts or tail.problem is not ScanProblem.GARBAGE):
            return _correct(replace(tail, parts=(*known, *tail.parts)), known)
    return _correct(scan_segment(storage.read(key)), known)


def correct_times(parts: Sequence[PartFact], known: Sequence[PartFact] = ()) -> tuple[PartFact, ...]:
    """Parts with plausible times: those of the index for `known` parts, and the file's own times for the others.

    The index is better than the file, which has the camera's clock only. No part lasts longer than MAX_PART_MS, and
    after an implausible step of the camera's clock a part follows the one before it.
    """
    same = 0
    while same < min(len(known), len(parts)) and known[same].size == parts[same].size:
        same += 1
    corrected = list(known[:same])
    shift_ms = 0
    if same and same < len(parts):
        shift_ms = corrected[-1].offset_ms + corrected[-1].duration_ms - parts[same].offset_ms
    for part in parts[same:]:
        end_ms = corrected[-1].offset_ms + corrected[-1].duration_ms if corrected else 0
        offset_ms = part.offset_ms + shift_ms
        if abs(offset_ms - end_ms) > _MAX_TIME_STEP_MS:
            shift_ms += end_ms - offset_ms
            offset_ms = end_ms
        corrected.append(replace(part, offset_ms=offset_ms, duration_ms=min(part.duration_ms, MAX_PART_MS)))
    return tuple(corrected)


def _correct(scan: SegmentScan, known: Sequence[PartFact] = ()) -> Content:
    return Content(scan.init_size, correct_times(scan.parts, known), scan.problem, scan.detail)
