"""Deletes the footage of a range that a person named."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from gateway import database
from gateway.errors import InvalidValue
from gateway.footage.gaps import Range
from gateway.footage.protections import is_protected, protected_ranges
from gateway.footage.recordings import find_recording
from gateway.footage.segments import MAX_SEGMENT_MS, Segment, SegmentState, select_segments, stored_segments
from gateway.storage.deletion import PAUSE_SECONDS, deletable_segments, mark_for_deletion
from gateway.tenancy.scopes import TenantScope


@dataclass(frozen=True, slots=True)
class RangeDeletion:
    """What a person's deletion took, or with a dry run would take; `kept_protected` counts segments left alone."""

    segments: int = 0
    bytes: int = 0
    seconds: float = 0.0
    kept_protected: int = 0


def delete_range(
    scope: TenantScope, device_id: str, start_ms: int, end_ms: int, by_name: str, *, dry_run: bool = False
) -> RangeDeletion:
    """Delete the segments that lie wholly in a range, but not protected or open ones; the files go soon after.

    Raises NotFound, and InvalidValue for a range that ends before it begins.
    """
    if end_ms <= start_ms:
        raise InvalidValue("end", "'end' must be after 'start'")
    recording = find_recording(scope, device_id)
    ranges = protected_ranges([recording.id]).get(recording.id, [])
    kept = _count_protected(recording.id, ranges, start_ms, end_ms)
    segments = size = duration = 0
    at = start_ms
    while batch := deletable_segments(recording.id, ranges, from_ms=at, before_ms=end_ms):
        at = batch[-1].start_ms + 1
        if not dry_run:
            ids = [segment.id for segment in batch]
            batch = mark_for_deletion(
                recording.id, ids, reason_code="deleted_by_person", by_name=by_name, is_wanted=True
            )
            time.sleep(PAUSE_SECONDS)
        segments += len(batch)
        present = [segment for segment in batch if segment.state == SegmentState.CLOSED]
        size += sum(segment.size for segment in present)
        duration += sum(segment.duration_ms for segment in present)
    return RangeDeletion(segments, size, duration / 1000, kept)


def _count_protected(recording_id: int, ranges: Sequence[Range], start_ms: int, end_ms: int) -> int:
    """Settled segments that lie in a range and are touched by a protected one."""
    count = 0
    with database.session():
        seen_to = start_ms
        for first, last in ranges:
            first, last = max(first - MAX_SEGMENT_MS, seen_to), min(last, end_ms)  # noqa: PLW2901
            if first >= last:
                continue
            query = select_segments(recording_id).where(
                Segment.start_ms >= first,
                Segment.start_ms < last,
                Segment.start_ms + Segment.duration_ms <= end_ms,
                Segment.state.in_((SegmentState.CLOSED, SegmentState.MISSING)),
            )
            count += sum(is_protected(s.start_ms, s.end_ms, ranges) for s in stored_segments(query))
            seen_to = last
    return count
