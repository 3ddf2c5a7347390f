"""Protected ranges of footage, and the events of a recording: listing, adding and removing them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from gateway import database
from gateway.clock import DAY_MS, utc_now
from gateway.errors import Conflict, NotFound
from gateway.footage.gaps import Range, merge_ranges
from gateway.footage.recordings import Protection, Recording, RecordingEvent
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, TenantScope

#: The kind of protection that a person adds. Others (`export`, `bookmark`) are removed with the job or bookmark.
HOLD = "hold"
#: Upper limit of an event's duration in the API. Queries find events that overlap a range by their start and this.
_MAX_EVENT_MS = DAY_MS


def protections_between(
    scope: EveryTenantScope, recording: Recording, start_ms: int | None = None, end_ms: int | None = None
) -> list[Protection]:
    """The protections of a recording, in order, optionally only those that overlap a range."""
    with database.session():
        query = scope.select(Protection).where(Protection.recording_id == recording.id)
        if end_ms is not None:
            query = query.where(Protection.start_ms < end_ms)
        if start_ms is not None:
            query = query.where(Protection.end_ms > start_ms)
        return list(query.order_by(Protection.start_ms, Protection.id))


def protect(scope: TenantScope, recording: Recording, start_ms: int, end_ms: int, *, note: str, by: str) -> Protection:
    """Protect a range until a person removes the protection."""
    with database.transaction():
        protection_id = scope.insert(
            Protection,
            recording_id=recording.id,
            start_ms=start_ms,
            end_ms=end_ms,
            kind=HOLD,
            reference="",
            note=note,
            created_by=by,
            created_at=utc_now(),
        ).execute()
        return scope.select(Protection).where(Protection.id == protection_id).first()


def release_footage(scope: TenantScope, recording: Recording, protection_id: int) -> None:
    """Remove a person's protection. Raises NotFound, and Conflict `protection_in_use` for an export's or bookmark's."""
    with database.transaction():
        row = (
            scope.select(Protection)
            .where(Protection.id == protection_id, Protection.recording_id == recording.id)
            .first()
        )
        if row is None:
            raise NotFound(f"there is no protection with id {protection_id} in this recording")
        if row.kind != HOLD:
            raise Conflict(f"the protection belongs to the {row.kind}: remove that", reason="protection_in_use")
        scope.delete(Protection).where(Protection.id == protection_id).execute()


def recording_events(
    scope: EveryTenantScope,
    recording: Recording,
    start_ms: int | None,
    end_ms: int | None,
    *,
    limit: int,
    offset: int = 0,
) -> tuple[list[RecordingEvent], int]:
    """A page of the events that overlap a range, newest first, and their total number."""
    with database.session():
        query = scope.select(RecordingEvent).where(RecordingEvent.recording_id == recording.id)
        if end_ms is not None:
            query = query.where(RecordingEvent.at_ms < end_ms)
        if start_ms is not None:
            still_lasts = RecordingEvent.end_ms > start_ms
            query = query.where(
                RecordingEvent.at_ms > start_ms - _MAX_EVENT_MS, (RecordingEvent.at_ms >= start_ms) | still_lasts
            )
        newest_first = query.order_by(RecordingEvent.at_ms.desc(), RecordingEvent.id.desc())
        return list(newest_first.limit(limit).offset(offset)), query.count()


def protected_ranges(
    recording_ids: Iterable[int] | None = None, *, overlapping: Range | None = None
) -> dict[int, list[Range]]:
    """The protected ranges of each recording that has any, in order, merged where they touch.

    Optionally of some recordings only, and only those that overlap a range.
    """
    with database.session():
        query = EVERY_TENANT.select(Protection, Protection.recording_id, Protection.start_ms, Protection.end_ms)
        if recording_ids is not None:
            query = query.where(Protection.recording_id.in_(list(recording_ids)))
        if overlapping is not None:
            query = query.where(Protection.start_ms < overlapping[1], Protection.end_ms > overlapping[0])
        rows = list(query.tuples())
    ranges: dict[int, list[Range]] = defaultdict(list)
    for recording_id, start_ms, end_ms in rows:
        ranges[recording_id].append((start_ms, end_ms))
    return {recording_id: merge_ranges(of_recording) for recording_id, of_recording in ranges.items()}


def is_protected(start_ms: int, end_ms: int, ranges: Sequence[Range]) -> bool:
    """Whether any of the protected ranges overlaps this one."""
    return any(start_ms < last and first < end_ms for first, last in ranges)


def unprotected_between(ranges: Sequence[Range], start_ms: int, end_ms: int) -> list[Range]:
    """The parts of a range that are not protected, in order. `ranges` are in order and do not overlap."""
    unprotected, at = [], start_ms
    for first, last in ranges:
        if last <= at:
            continue
        if first >= end_ms:
            break
        if first > at:
            unprotected.append((at, first))
        at = last
    if at < end_ms:
        unprotected.append((at, end_ms))
    return unprotected
