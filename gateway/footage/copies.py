"""Copies of segments in archives: rows, and the changes of a segment that come with them.

A segment is `is_archived` while it has a verified copy. `Place` says whether its local file exists. The functions that
take a `FootageScope` run in the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

import peewee

from gateway import database
from gateway.footage.recordings import Recording
from gateway.footage.segments import (
    FIFTEEN_MINUTES_MS,
    FifteenMinuteRollup,
    Segment,
    SegmentState,
    StoredSegment,
    read_segments,
    select_segments,
)
from gateway.media import parse_segment_key, segment_key
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT, FootageScope, Row, TimeField


class Place(IntEnum):
    """`segments.is_local`: whether the local file exists, is about to be removed, or is gone."""

    GONE = 0
    HERE = 1
    LEAVING = 2


#: Literal SQL, because SQLite uses these partial indexes for the exact expressions only.
IS_HERE = peewee.SQL("is_local = 1")
_IS_LEAVING = peewee.SQL("is_local = 2")


class ArchiveRow(Row):
    """An archive that holds, or held, copies."""

    id = peewee.BigAutoField()
    name = peewee.TextField(unique=True)
    created_at = TimeField()

    class Meta:
        table_name = "archives"


class SegmentCopy(Row):
    """A verified copy of a segment's file, with the CRC-32 of its blocks. Reached through its segment only."""

    segment_id = peewee.BigIntegerField()
    archive_id = peewee.BigIntegerField()
    object_key = peewee.TextField()
    size = peewee.BigIntegerField()
    checksum = peewee.TextField()
    blocks = peewee.BlobField()
    verified_at_ms = peewee.BigIntegerField()

    class Meta:
        table_name = "segment_copies"
        primary_key = peewee.CompositeKey("segment_id", "archive_id")


class ArchiveDeletion(Row):
    """An object that is to be deleted, because its footage is. The row goes after the object."""

    id = peewee.BigAutoField()
    archive_id = peewee.BigIntegerField()
    object_key = peewee.TextField()
    since_ms = peewee.BigIntegerField()
    attempts = peewee.IntegerField(default=0)
    next_try_ms = peewee.BigIntegerField(default=0)
    error = peewee.TextField(default="")

    class Meta:
        table_name = "archive_deletions"


class FoundCopy(NamedTuple):
    """A copy with the name of its archive."""

    archive: str
    object_key: str
    size: int
    checksum: str
    blocks: bytes


def find_copies(key: str) -> list[FoundCopy]:
    """The copies of the segment with this storage key; empty for one without copies, deleted, or unknown."""
    name = parse_segment_key(key)
    if name is None:
        return []
    tenant_id, device_id = key.split("/")[:2]
    start_ms, run, sequence = name
    with database.session():
        query = (
            SegmentCopy.select(
                ArchiveRow.name, SegmentCopy.object_key, SegmentCopy.size, SegmentCopy.checksum, SegmentCopy.blocks
            )
            .join(ArchiveRow, on=(ArchiveRow.id == SegmentCopy.archive_id))
            .switch(SegmentCopy)
            .join(Segment, on=(Segment.id == SegmentCopy.segment_id))
            .join(Recording, on=(Recording.id == Segment.recording_id))
            .where(
                Recording.tenant_id == tenant_id,
                Recording.device_id == device_id,
                Segment.start_ms == start_ms,
                Segment.run == run,
                Segment.sequence == sequence,
                Segment.state == SegmentState.CLOSED,
            )
            .order_by(SegmentCopy.verified_at_ms.desc())
        )
        return [FoundCopy(*row[:4], bytes(row[4])) for row in query.tuples()]


def has_archive_care() -> bool:
    """Whether anything is, or is to be deleted, in an archive. Raises DatabaseUnavailable."""
    with database.session():
        # Without selecting a column of the large table: any row will do.
        return any(table.select(peewee.SQL("1")).limit(1).tuples().first() for table in (SegmentCopy, ArchiveDeletion))


def lock_recording(recording_id: int) -> None:
    """Let other changes of a recording's footage wait until the transaction ends."""
    if database.is_postgresql():
        EVERY_TENANT.select(Recording, Recording.id).where(Recording.id == recording_id).for_update().execute()


# ---- deletion -------------------------------------------------------------------------------------------------


def bury_copies(segment_ids: Collection[int], now_ms: int) -> None:
    """Replace the copies of deleted segments by deletions of their objects. Runs in the caller's transaction."""
    mine = SegmentCopy.segment_id.in_(list(segment_ids))
    copies = list(SegmentCopy.select().where(mine))
    if copies:
        for copy in copies:
            bury_object(copy.archive_id, copy.object_key, now_ms)
        SegmentCopy.delete().where(mine).execute()


def bury_object(archive_id: int, object_key: str, now_ms: int) -> None:
    """Have an object deleted that no segment needs. Runs in the caller's transaction."""
    ArchiveDeletion.insert(archive_id=archive_id, object_key=object_key, since_ms=now_ms).execute()


# ---- removing the local file of a segment that has a copy ---------------------------------------------------------


def begin_leaving(footage: FootageScope, segment_ids: Collection[int]) -> list[StoredSegment]:
    """Mark the local files of segments for removal; returns those that have a verified copy and were marked.

    `end_leaving` follows once the files are gone; `leaving_keys` finds what a crash left between.
    """
    lock_recording(footage.recording_id)
    query = select_segments(footage.recording_id).where(
        Segment.id.in_(list(segment_ids)),
        Segment.state == SegmentState.CLOSED,
        Segment.is_local == Place.HERE,
        Segment.is_archived == 1,
    )
    found = read_segments(query)
    copies = SegmentCopy.select(SegmentCopy.segment_id).where(SegmentCopy.segment_id.in_([one.id for one in found]))
    copied = {row[0] for row in copies.tuples()}
    _set_unarchived(footage, [one for one in found if one.id not in copied])
    leaving = [one for one in found if one.id in copied]
    set_place(footage, leaving, Place.LEAVING)
    return leaving


def end_leaving(segment_ids: Collection[int]) -> None:
    """The local files are removed. Opens its own transaction."""
    if segment_ids:
        with database.transaction():
            EVERY_RECORDING.update(Segment, is_local=Place.GONE).where(
                Segment.id.in_(list(segment_ids)), Segment.is_local == Place.LEAVING
            ).execute()


def leaving_keys(limit: int) -> list[tuple[int, str]]:
    """Ids and keys of segments whose local files are to be removed. Opens its own session."""
    with database.session():
        query = EVERY_RECORDING.select(
            Segment, Segment.id, Segment.start_ms, Segment.run, Segment.sequence, Segment.recording_id
        )
        rows = list(query.where(_IS_LEAVING, Segment.state == SegmentState.CLOSED).limit(limit).tuples())
        owners = {
            row.id: (row.tenant_id, row.device_id)
            for row in EVERY_TENANT.select(Recording).where(Recording.id.in_(list({row[4] for row in rows})))
        }
    return [(row[0], segment_key(*owners[row[4]], *row[1:4])) for row in rows if row[4] in owners]


def set_place(footage: FootageScope, segments: Sequence[StoredSegment], place: Place) -> None:
    """Write where segments are, and change the roll-up."""
    if not segments:
        return
    footage.update(Segment, is_local=place).where(Segment.id.in_([one.id for one in segments])).execute()
    if place is Place.HERE:
        _change_rollup(footage, "away_bytes", [one for one in segments if one.is_local != Place.HERE], -1)
    else:
        _change_rollup(footage, "away_bytes", [one for one in segments if one.is_local == Place.HERE], 1)


# ---- gaining and losing a copy ----------------------------------------------------------------------------------


def set_archived(footage: FootageScope, segments: Sequence[StoredSegment]) -> None:
    """Mark segments as archived, and change the roll-up."""
    new = [one for one in segments if not one.is_archived]
    if new:
        footage.update(Segment, is_archived=1).where(Segment.id.in_([one.id for one in new])).execute()
        _change_rollup(footage, "archived_bytes", new, 1)


def forget_copies(footage: FootageScope, segments: Sequence[StoredSegment], archive_id: int) -> None:
    """Delete the rows of copies that no longer exist. A segment without another copy waits for one again."""
    ids = [one.id for one in segments]
    SegmentCopy.delete().where(SegmentCopy.segment_id.in_(ids), SegmentCopy.archive_id == archive_id).execute()
    others = SegmentCopy.select(SegmentCopy.segment_id).where(SegmentCopy.segment_id.in_(ids))
    kept = {row[0] for row in others.tuples()}
    _set_unarchived(footage, [one for one in segments if one.id not in kept and one.is_archived])


def _set_unarchived(footage: FootageScope, segments: Sequence[StoredSegment]) -> None:
    """Mark segments as waiting for a copy, and change the roll-up."""
    if segments:
        footage.update(Segment, is_archived=0).where(Segment.id.in_([one.id for one in segments])).execute()
        _change_rollup(footage, "archived_bytes", segments, -1)


def _change_rollup(footage: FootageScope, column: str, segments: Iterable[StoredSegment], sign: int) -> None:
    sums: dict[int, int] = defaultdict(int)
    for segment in segments:
        if segment.state == SegmentState.CLOSED:
            sums[segment.start_ms // FIFTEEN_MINUTES_MS] += sign * segment.size
    field = getattr(FifteenMinuteRollup, column)
    for quarter, size in sorted(sums.items()):
        footage.update(FifteenMinuteRollup, **{column: field + size}).where(
            FifteenMinuteRollup.quarter == quarter
        ).execute()
