"""The order in which retention deletes: archived footage first, then the oldest."""

import heapq
from collections.abc import Iterable, Iterator

from gateway.footage.gaps import Range
from gateway.footage.segments import SegmentState, StoredSegment
from gateway.storage.unprotected import FOREVER_MS, deletable_segments

#: Candidates of each device that are read at once; among them archived segments are deleted first.
_WINDOW = 32


def size_on_disk(segment: StoredSegment) -> int:
    """The bytes freed by deleting a segment."""
    return 0 if segment.state == SegmentState.MISSING else segment.size


def oldest_first(recording_ids: Iterable[int], ranges: dict[int, list[Range]]) -> Iterator[StoredSegment]:
    """Deletable segments of several recordings: archived ones first, and within both groups the oldest first."""
    streams = [_windows(recording_id, ranges.get(recording_id, [])) for recording_id in recording_ids]
    heap: list[tuple[bool, int, int, StoredSegment, Iterator[StoredSegment]]] = []
    for number, stream in enumerate(streams):
        if (segment := next(stream, None)) is not None:
            heapq.heappush(heap, (not segment.is_archived, segment.start_ms, number, segment, stream))
    while heap:
        _, _, number, segment, stream = heap[0]
        yield segment
        if (following := next(stream, None)) is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (not following.is_archived, following.start_ms, number, following, stream))


def _windows(recording_id: int, ranges: list[Range]) -> Iterator[StoredSegment]:
    at = 0
    while window := deletable_segments(recording_id, ranges, from_ms=at, before_ms=FOREVER_MS, limit=_WINDOW):
        at = window[-1].start_ms + 1
        yield from sorted(window, key=lambda segment: (not segment.is_archived, segment.start_ms))
