"""Deletes the footage of a range that a person named."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.clock import format_time, to_ms, utc_now
from gateway.errors import InvalidValue
from gateway.events.model import FOOTAGE, change_event, record_event
from gateway.footage.protections import protected_ranges
from gateway.footage.recordings import find_recording
from gateway.footage.segments import SegmentState
from gateway.storage.deletion import BATCH, PAUSE_SECONDS, mark_for_deletion
from gateway.storage.unprotected import count_protected, deletable_segments
from gateway.tenancy.scopes import TenantScope


@dataclass(frozen=True, slots=True)
class RangeDeletion:
    """What was deleted, or would be in a dry run. `kept_protected` counts the segments that a protection kept."""

    segments: int = 0
    bytes: int = 0
    seconds: float = 0.0
    kept_protected: int = 0


def delete_range(
    scope: TenantScope,
    device_id: str,
    start_ms: int,
    end_ms: int,
    by_name: str,
    *,
    dry_run: bool = False,
    pause: Callable[[float], object] = lambda _seconds: None,
) -> RangeDeletion:
    """Delete the segments that lie wholly in a range, except protected and open ones. Retention removes their files.

    `pause(seconds)` is called between two batches, so that other writers of the database get their turn. Raises
    NotFound, and InvalidValue for a range that ends before it begins.
    """
    if end_ms <= start_ms:
        raise InvalidValue("end", "'end' must be after 'start'")
    recording = find_recording(scope, device_id)
    ranges = protected_ranges([recording.id]).get(recording.id, [])
    kept = count_protected(recording.id, ranges, start_ms, end_ms)
    segments = size = duration_ms = 0
    from_ms = start_ms
    event_id: int | None = None
    while batch := deletable_segments(recording.id, ranges, from_ms=from_ms, before_ms=end_ms, limit=BATCH):
        from_ms = batch[-1].start_ms + 1
        if not dry_run:
            if event_id is None:
                event_id = record_event(
                    recording.tenant_id,
                    device_id,
                    FOOTAGE,
                    "Footage deleted",
                    label="deleted",
                    by_name=by_name,
                    goes_on=True,
                    data={"start": format_time(start_ms), "end": format_time(end_ms)},
                )
            ids = [segment.id for segment in batch]
            batch = mark_for_deletion(
                recording.id, ids, reason_code="deleted_by_person", by_name=by_name, is_wanted=True
            )
            pause(PAUSE_SECONDS)
        segments += len(batch)
        present = [segment for segment in batch if segment.state == SegmentState.CLOSED]
        size += sum(segment.size for segment in present)
        duration_ms += sum(segment.duration_ms for segment in present)
    if event_id is not None:
        text = f"Footage of {duration_ms / 1000:.0f} s deleted"
        change_event(scope, event_id, text=text, end_ms=to_ms(utc_now()))
    return RangeDeletion(segments, size, duration_ms / 1000, kept)
