"""The order in which retention deletes: local files that have a copy first, then the oldest footage."""

import heapq
from collections.abc import Iterable, Iterator

from gateway.footage.gaps import Range
from gateway.footage.segments import SegmentState, StoredSegment
from gateway.storage.unprotected import FOREVER_MS, Tier, deletable_segments

#: Candidates of each device that are read at once.
_WINDOW = 32


def size_on_disk(segment: StoredSegment) -> int:
    """The bytes of the local disk that are freed by deleting a segment, or its local file."""
    return segment.size if segment.state != SegmentState.MISSING and segment.is_local else 0


def oldest_first(
    recording_ids: Iterable[int], ranges: dict[int, list[Range]], tier: Tier = Tier.LOCAL
) -> Iterator[StoredSegment]:
    """Deletable segments of a tier of several recordings, the oldest first."""
    streams = [_windows(recording_id, ranges.get(recording_id, []), tier) for recording_id in recording_ids]
    return heapq.merge(*streams, key=lambda segment: segment.start_ms)


def _windows(recording_id: int, ranges: list[Range], tier: Tier) -> Iterator[StoredSegment]:
    at = 0
    while window := deletable_segments(
        recording_id, ranges, from_ms=at, before_ms=FOREVER_MS, limit=_WINDOW, tier=tier
    ):
        at = window[-1].start_ms + 1
        yield from window
