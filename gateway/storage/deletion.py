"""Deletion of footage in the database: segments are marked as garbage, and the rows of removed files are deleted.

Retention, a person's deletion and the removal of a deleted device all call `mark_for_deletion`. The files of garbage
are removed by `gateway.storage.retention`, now or after a crash, and then `drop_segments` deletes the rows. Nothing
here touches a file or waits: pacing belongs to the callers, who should pause for PAUSE_SECONDS between two batches.
"""

from collections.abc import Iterable, Sequence

from gateway import database
from gateway.clock import to_ms, utc_now
from gateway.devices.bin import DeletedDevice
from gateway.footage.copies import bury_copies, lock_recording
from gateway.footage.gap_rows import add_gaps_of_segments, delete_gaps_before
from gateway.footage.gaps import Range
from gateway.footage.protections import is_protected, protected_ranges
from gateway.footage.recordings import Protection, Recording, RecordingEvent
from gateway.footage.rollup import subtract_from_rollup
from gateway.footage.segments import (
    NOT_CLOSED,
    FifteenMinuteRollup,
    Gap,
    Segment,
    SegmentParts,
    SegmentState,
    StorageRow,
    StoredSegment,
    read_segments,
    select_segments,
)
from gateway.media import segment_key
from gateway.storage.unprotected import AT_REST, deletable_segments
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT, FootageScope

#: Rows changed in one transaction, so that other writers wait for the database for some tens of milliseconds at most.
BATCH = 100
#: Pause between two batches: SQLite wakes writers that wait for its lock only now and then.
PAUSE_SECONDS = 0.02


def mark_for_deletion(
    recording_id: int,
    segment_ids: Iterable[int],
    *,
    reason_code: str | None = None,
    by_name: str | None = None,
    is_wanted: bool = False,
    keeps_protected: bool = True,
    takes_open: bool = False,
    keeps_copied: bool = False,
    known_ranges: Sequence[Range] | None = None,
) -> list[StoredSegment]:
    """Mark segments as garbage and subtract them from the roll-up. Returns the segments that were marked.

    Skipped are segments that by now are garbage, deleted, protected or, without `takes_open`, open; with
    `keeps_copied` also those that have a copy in an archive. With the `reason_code` `retention` the recording's
    `expired_before_ms` advances; any other reason is recorded as gaps. `known_ranges` are the protected ranges of the
    recording if the caller has read them: a protection that was added since is seen anyway.
    """
    states = [*AT_REST, SegmentState.OPEN] if takes_open else list(AT_REST)
    marked: list[StoredSegment] = []
    ids = list(segment_ids)
    for at in range(0, len(ids), BATCH):
        asked = ids[at : at + BATCH]
        # Only what must not change meanwhile is read while other writers wait.
        oldest_kept_ms = _oldest_kept_ms(recording_id, asked, known_ranges) if reason_code == "retention" else None
        with database.transaction():
            footage = FootageScope(recording_id)
            query = select_segments(recording_id).where(Segment.id.in_(asked), Segment.state.in_(states))
            if keeps_copied:
                query = query.where(Segment.is_archived == 0)
            # A new protection references its recording's row, so it either waits for this lock or is read below.
            lock_recording(recording_id)
            if database.is_postgresql():
                query = query.for_update()
            batch = read_segments(query)
            if keeps_protected:
                batch = _without_protected(recording_id, batch)
            if not batch:
                continue
            footage.update(Segment, state=SegmentState.GARBAGE).where(
                Segment.id.in_([one.id for one in batch])
            ).execute()
            subtract_from_rollup(footage, [one for one in batch if one.state == SegmentState.CLOSED])
            if reason_code == "retention":
                _record_expiry(footage, batch, oldest_kept_ms)
            elif reason_code is not None:
                add_gaps_of_segments(footage, batch, reason_code, by_name, is_wanted=is_wanted)
            marked += batch
    return marked


def _without_protected(recording_id: int, segments: list[StoredSegment]) -> list[StoredSegment]:
    if not segments:
        return []
    bounds = min(one.start_ms for one in segments), max(one.end_ms for one in segments)
    ranges = protected_ranges([recording_id], overlapping=bounds).get(recording_id, [])
    return [one for one in segments if not is_protected(one.start_ms, one.end_ms, ranges)]


def _oldest_kept_ms(recording_id: int, segment_ids: list[int], known_ranges: Sequence[Range] | None) -> int | None:
    """Start of the oldest footage that may be deleted and is older than the newest of these segments, but none of
    them; None without any.
    """
    ranges = protected_ranges([recording_id]).get(recording_id, []) if known_ranges is None else known_ranges
    with database.session():
        asked = read_segments(select_segments(recording_id).where(Segment.id.in_(segment_ids)))
    newest_ms = max((segment.end_ms for segment in asked), default=0)
    oldest = deletable_segments(recording_id, ranges, before_ms=newest_ms, limit=len(segment_ids) + 1)
    return next((segment.start_ms for segment in oldest if segment.id not in segment_ids), None)


def _record_expiry(footage: FootageScope, batch: list[StoredSegment], oldest_kept_ms: int | None) -> None:
    """Advance `expired_before_ms`. Footage deleted while older footage stays becomes a gap: archived footage goes
    first.
    """
    bound_ms = max(segment.end_ms for segment in batch) if oldest_kept_ms is None else oldest_kept_ms
    expired = [segment.end_ms for segment in batch if segment.end_ms <= bound_ms]
    if expired:
        EVERY_TENANT.update(Recording, expired_before_ms=max(expired)).where(
            Recording.id == footage.recording_id, Recording.expired_before_ms < max(expired)
        ).execute()
        delete_gaps_before(footage, max(expired))
    add_gaps_of_segments(
        footage, [segment for segment in batch if segment.end_ms > bound_ms], "retention", None, is_wanted=False
    )


def garbage_keys(storage_id: int, limit: int = BATCH) -> list[tuple[int, str]]:
    """Ids and keys of garbage whose files are to be removed from a store.

    Includes garbage of other stores of the same kind: only one is in use at a time, and a file that is not in it is
    gone.
    """
    with database.session():
        kind = StorageRow.select(StorageRow.kind).where(StorageRow.id == storage_id)
        stores = StorageRow.select(StorageRow.id).where(StorageRow.kind.in_(kind))
        query = (
            EVERY_RECORDING.select(
                Segment, Segment.id, Segment.start_ms, Segment.run, Segment.sequence, Segment.recording_id
            )
            .where(NOT_CLOSED, Segment.state == SegmentState.GARBAGE, Segment.storage_id.in_(stores))
            .limit(limit)  # not ordered: for an order a database may walk through all rows
        )
        rows = list(query.tuples())
        owners = {
            row.id: (row.tenant_id, row.device_id)
            for row in EVERY_TENANT.select(Recording).where(Recording.id.in_(list({row[4] for row in rows})))
        }
    return [
        (segment_id, segment_key(*owners[recording_id], start_ms, run, sequence))
        for segment_id, start_ms, run, sequence, recording_id in rows
        if recording_id in owners
    ]


def drop_segments(segment_ids: Sequence[int]) -> int:
    """Delete the rows of garbage whose files were removed; returns how many.

    Their copies in archives become deletions of objects in the same transaction.
    """
    if not segment_ids:
        return 0
    with database.transaction():
        garbage = [
            row[0]
            for row in EVERY_RECORDING.select(Segment, Segment.id)
            .where(Segment.id.in_(list(segment_ids)), Segment.state == SegmentState.GARBAGE)
            .tuples()
        ]
        bury_copies(garbage, to_ms(utc_now()))
        SegmentParts.delete().where(SegmentParts.segment_id.in_(garbage)).execute()
        return EVERY_RECORDING.delete(Segment).where(Segment.id.in_(garbage)).execute()


def deleted_recordings() -> list[Recording]:
    """The recordings of deleted devices that are not in the bin: their footage is to be deleted."""
    with database.session():
        binned = EVERY_TENANT.select(DeletedDevice, DeletedDevice.device_id)
        query = EVERY_TENANT.select(Recording).where(
            Recording.deleted_at.is_null(False), Recording.device_id.not_in(binned)
        )
        return list(query.order_by(Recording.id))


def kept_recordings() -> list[Recording]:
    """The recordings whose footage is kept within the limits: those of devices, and of deleted devices in the bin."""
    with database.session():
        binned = EVERY_TENANT.select(DeletedDevice, DeletedDevice.device_id)
        query = EVERY_TENANT.select(Recording).where(Recording.deleted_at.is_null() | Recording.device_id.in_(binned))
        return list(query.order_by(Recording.id))


def mark_recording_for_deletion(recording_id: int, limit: int = BATCH) -> list[StoredSegment]:
    """Mark the next segments of a deleted device as garbage, including protected and open ones."""
    with database.session():
        query = select_segments(recording_id).where(Segment.state != SegmentState.GARBAGE)
        ids = [segment.id for segment in read_segments(query.order_by(Segment.start_ms).limit(limit))]
    return mark_for_deletion(recording_id, ids, keeps_protected=False, takes_open=True)


def drop_recording(recording_id: int) -> bool:
    """Delete a deleted device's recording and all its rows; returns False while it still has segments."""
    with database.transaction():
        footage = FootageScope(recording_id)
        if footage.select(Segment, Segment.id).limit(1).tuples().first() is not None:
            return False
        for model in (FifteenMinuteRollup, Gap):
            footage.delete(model).execute()
        for model in (Protection, RecordingEvent):
            EVERY_TENANT.delete(model).where(model.recording_id == recording_id).execute()
        deleted = (
            EVERY_TENANT.delete(Recording)
            .where(Recording.id == recording_id, Recording.deleted_at.is_null(False))
            .execute()
        )
        return bool(deleted)
