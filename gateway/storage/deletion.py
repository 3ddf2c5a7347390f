"""Deleting footage, the part in the database: a row turns to garbage, its file goes, then the row.

Whoever deletes calls `mark_for_deletion`; the files and then the rows go by
`gateway.storage.retention.remove_garbage`, now or after a crash. Retention, a person's deletion and the removal of a
device's footage are the same from there on.
"""

from collections.abc import Iterable, Sequence

from gateway import database
from gateway.footage.gap_rows import SAME_RANGE_MS, add_joined_gap
from gateway.footage.protections import is_protected, protected_ranges, unprotected_between
from gateway.footage.recordings import Protection, Recording, RecordingEvent
from gateway.footage.rollup import take_from_rollup
from gateway.footage.segments import (
    UNSETTLED,
    FifteenMinuteRollup,
    Gap,
    Segment,
    SegmentParts,
    SegmentState,
    StorageRow,
    StoredSegment,
    select_segments,
    stored_segments,
)
from gateway.media import segment_key
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT, FootageScope

#: Rows that change in one transaction: others wait for the database no longer than some tens of milliseconds.
BATCH = 100
#: Between two of them: SQLite wakes those who wait for its lock only now and then.
PAUSE_SECONDS = 0.02

Range = tuple[int, int]


# ---- what is protected ----------------------------------------------------------------------------------------


def deletable_segments(
    recording_id: int, ranges: Sequence[Range], *, from_ms: int = 0, before_ms: int, limit: int = BATCH
) -> list[StoredSegment]:
    """The oldest settled segments of a recording that end by `before_ms` and are not protected, at most `limit`.

    Protected footage costs no time, however much there is of it: only what lies between is read.
    """
    found: list[StoredSegment] = []
    with database.session():
        for first, last in unprotected_between(ranges, from_ms, before_ms):
            query = select_segments(recording_id).where(
                Segment.start_ms >= first,
                Segment.start_ms < last,
                Segment.start_ms + Segment.duration_ms <= last,
                Segment.state.in_((SegmentState.CLOSED, SegmentState.MISSING)),
            )
            found += stored_segments(query.order_by(Segment.start_ms).limit(limit - len(found)))
            if len(found) >= limit:
                break
    return found


# ---- row → garbage --------------------------------------------------------------------------------------------


def mark_for_deletion(
    recording_id: int,
    segment_ids: Iterable[int],
    *,
    reason_code: str | None = None,
    by_name: str | None = None,
    is_wanted: bool = False,
    keeps_protected: bool = True,
    takes_open: bool = False,
) -> list[StoredSegment]:
    """Turn segments to garbage and take them out of the roll-up; gives those that were.

    Left alone is what is garbage or gone by now, protected by now, or (unless `takes_open`) still open. With
    `reason_code` `retention` the moment up to which footage has expired moves on; any other is noted as gaps.
    """
    states = [SegmentState.CLOSED, SegmentState.MISSING] + [SegmentState.OPEN] * takes_open
    marked: list[StoredSegment] = []
    ids = list(segment_ids)
    for at in range(0, len(ids), BATCH):
        with database.transaction():
            footage = FootageScope(recording_id)
            query = select_segments(recording_id).where(Segment.id.in_(ids[at : at + BATCH]), Segment.state.in_(states))
            if database.is_postgresql():
                # Whoever protects footage now waits, or is seen below: a new protection locks its recording's key.
                EVERY_TENANT.select(Recording, Recording.id).where(Recording.id == recording_id).for_update().execute()
                query = query.for_update()
            ranges = protected_ranges([recording_id]).get(recording_id, []) if keeps_protected else []
            batch = [s for s in stored_segments(query) if not is_protected(s.start_ms, s.end_ms, ranges)]
            if not batch:
                continue
            footage.update(Segment, state=SegmentState.GARBAGE).where(Segment.id.in_([s.id for s in batch])).execute()
            take_from_rollup(footage, [s for s in batch if s.state == SegmentState.CLOSED])
            if reason_code == "retention":
                _note_expired(footage, batch, ranges)
            elif reason_code is not None:
                _note_gaps(footage, batch, reason_code, by_name, is_wanted=is_wanted)
            marked += batch
    return marked


def _note_expired(footage: FootageScope, batch: list[StoredSegment], ranges: Sequence[Range]) -> None:
    """Move `expired_before_ms` on; what goes although older footage stays (archived goes first) is a gap of its own."""
    newest_ms = max(segment.end_ms for segment in batch)
    left = deletable_segments(footage.recording_id, ranges, before_ms=newest_ms, limit=1)
    bound_ms = left[0].start_ms if left else newest_ms
    expired = [segment.end_ms for segment in batch if segment.end_ms <= bound_ms]
    if expired:
        EVERY_TENANT.update(Recording, expired_before_ms=max(expired)).where(
            Recording.id == footage.recording_id, Recording.expired_before_ms < max(expired)
        ).execute()
        _forget_gaps(footage, max(expired))
    _note_gaps(footage, [s for s in batch if s.end_ms > bound_ms], "retention", None, is_wanted=False)


def _forget_gaps(footage: FootageScope, before_ms: int) -> None:
    footage.delete(Gap).where(Gap.start_ms < before_ms, Gap.end_ms <= before_ms).execute()


def _note_gaps(
    footage: FootageScope, segments: Iterable[StoredSegment], reason_code: str, by_name: str | None, *, is_wanted: bool
) -> None:
    """Note where footage was; stretches that touch are one gap. What is missing already has its gap."""
    stretches: list[list[int]] = []
    for segment in sorted(segments, key=lambda item: item.start_ms):
        if segment.state == SegmentState.MISSING or segment.duration_ms <= 0:
            continue
        if stretches and segment.start_ms - stretches[-1][1] <= SAME_RANGE_MS:
            stretches[-1][1] = max(stretches[-1][1], segment.end_ms)
        else:
            stretches.append([segment.start_ms, segment.end_ms])
    for start_ms, end_ms in stretches:
        add_joined_gap(footage, start_ms, end_ms, reason_code, by_name=by_name, is_wanted=is_wanted)


# ---- garbage → gone -------------------------------------------------------------------------------------------


def garbage_keys(storage_id: int, limit: int = BATCH) -> list[tuple[int, str]]:
    """Id and key of segments whose files are to go from a storage.

    Those of other stores of its kind are among them: only one is in use at a time, and what is not in it is gone.
    """
    with database.session():
        kind = StorageRow.select(StorageRow.kind).where(StorageRow.id == storage_id)
        stores = StorageRow.select(StorageRow.id).where(StorageRow.kind.in_(kind))
        query = (
            EVERY_RECORDING.select(
                Segment, Segment.id, Segment.start_ms, Segment.run, Segment.sequence, Segment.recording_id
            )
            .where(UNSETTLED, Segment.state == SegmentState.GARBAGE, Segment.storage_id.in_(stores))
            .limit(limit)  # in no order: with one, a database may walk all rows in that order
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
    """Remove the rows of garbage whose files are gone; gives how many."""
    if not segment_ids:
        return 0
    with database.transaction():
        garbage = [
            row[0]
            for row in EVERY_RECORDING.select(Segment, Segment.id)
            .where(Segment.id.in_(list(segment_ids)), Segment.state == SegmentState.GARBAGE)
            .tuples()
        ]
        SegmentParts.delete().where(SegmentParts.segment_id.in_(garbage)).execute()
        return EVERY_RECORDING.delete(Segment).where(Segment.id.in_(garbage)).execute()


# ---- devices that were deleted --------------------------------------------------------------------------------


def deleted_recordings() -> list[Recording]:
    """The recordings of devices that were deleted, whose footage is to go."""
    with database.session():
        return list(EVERY_TENANT.select(Recording).where(Recording.deleted_at.is_null(False)).order_by(Recording.id))


def mark_recording_for_deletion(recording_id: int, limit: int = BATCH) -> list[StoredSegment]:
    """Turn the next segments of a deleted device to garbage, protected and open ones too."""
    with database.session():
        query = select_segments(recording_id).where(Segment.state != SegmentState.GARBAGE)
        ids = [segment.id for segment in stored_segments(query.order_by(Segment.start_ms).limit(limit))]
    return mark_for_deletion(recording_id, ids, keeps_protected=False, takes_open=True)


def drop_recording(recording_id: int) -> bool:
    """Remove a deleted device's recording with all that hangs on it; False while it still has segments."""
    with database.transaction():
        footage = FootageScope(recording_id)
        if footage.select(Segment, Segment.id).limit(1).tuples().first() is not None:
            return False
        for model in (FifteenMinuteRollup, Gap):
            footage.delete(model).execute()
        for model in (Protection, RecordingEvent):
            EVERY_TENANT.delete(model).where(model.recording_id == recording_id).execute()
        gone = (
            EVERY_TENANT.delete(Recording)
            .where(Recording.id == recording_id, Recording.deleted_at.is_null(False))
            .execute()
        )
        return bool(gone)
