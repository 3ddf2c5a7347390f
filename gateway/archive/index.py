"""What an archive reads from, and writes into, the index of footage: devices, pending segments, verified copies."""

from collections.abc import Collection
from dataclasses import dataclass

import peewee
from peewee import fn

from gateway import database
from gateway.clock import utc_now
from gateway.errors import InvalidValue
from gateway.footage.copies import (
    IS_HERE,
    ArchiveDeletion,
    ArchiveRow,
    SegmentCopy,
    bury_object,
    lock_recording,
    set_archived,
)
from gateway.footage.recordings import Recording
from gateway.footage.segments import FifteenMinuteRollup, Segment, SegmentState, read_segments, select_segments
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT, FootageScope

_MAX_NAME = 64
#: A position in the list of pending segments.
Cursor = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ArchivableSegment:
    """A closed segment without a verified copy. `key` is that of its file in the store of footage."""

    id: int
    tenant_id: str
    device_id: str
    key: str
    size: int
    start_ms: int
    duration_ms: int
    parts: int

    @property
    def cursor(self) -> Cursor:
        """Its position, for `after` of `pending_segments`."""
        return self.start_ms, self.id


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for a copy: bytes of closed segments, and the start of the oldest (None without any)."""

    bytes: int = 0
    oldest_ms: int | None = None


def assign_devices(archive: str, device_ids: Collection[str]) -> set[str]:
    """Say which devices' footage an archive takes, and that it takes no other's.

    From then on the limits of their local footage wait for a verified copy, unless their settings say otherwise. Call
    it at the start and after each change of options. Returns the devices that it has got: one that another archive has
    stays with it, and a deleted one is left out.
    """
    _check_name(archive)
    wanted = set(device_ids)
    with database.transaction():
        rows = EVERY_TENANT.select(Recording, Recording.id, Recording.device_id, Recording.archived_by)
        found = {device_id: (key, by) for key, device_id, by in rows.tuples()}
        mine = {device_id for device_id, (_, by) in found.items() if device_id in wanted and by in (None, archive)}
        given_up = [key for device_id, (key, by) in found.items() if by == archive and device_id not in mine]
        taken = [found[device_id][0] for device_id in mine if found[device_id][1] is None]
        for ids, name in ((given_up, None), (taken, archive)):
            if ids:
                EVERY_TENANT.update(Recording, archived_by=name).where(Recording.id.in_(ids)).execute()
    return mine


def pending_segments(
    device_ids: Collection[str], limit: int, *, after: Cursor | None = None
) -> list[ArchivableSegment]:
    """The closed segments of these devices that have no verified copy, oldest first, at most `limit`.

    `after` is the `cursor` of a segment of an earlier call; None begins with the oldest again, which finds everything
    that was left out, whatever happened meanwhile.
    """
    found: list[ArchivableSegment] = []
    with database.session():
        rows = EVERY_TENANT.select(Recording).where(Recording.device_id.in_(list(device_ids)))
        for recording in rows:
            query = _pending(recording.id)
            if after is not None:
                start_ms, segment_id = after
                query = query.where(
                    Segment.start_ms >= start_ms, (Segment.start_ms > start_ms) | (Segment.id > segment_id)
                )
            for segment in read_segments(query.order_by(Segment.start_ms, Segment.id).limit(limit)):
                found.append(
                    ArchivableSegment(
                        segment.id,
                        recording.tenant_id,
                        recording.device_id,
                        segment.key(recording.tenant_id, recording.device_id),
                        segment.size,
                        segment.start_ms,
                        segment.duration_ms,
                        segment.parts,
                    )
                )
    return sorted(found, key=lambda segment: segment.cursor)[:limit]


def mark_archived(
    segment_id: int,
    archive: str,
    *,
    object_key: str,
    size: int,
    checksum: str,
    at_ms: int,
    blocks: bytes = b"",
) -> bool:
    """Record a verified copy of a segment: an object of the whole file, read back or checked by the archive.

    `checksum` names its algorithm (`sha256:…`). `blocks` are the checksums of `gateway.archive.checksums`, by which
    what is read later is checked. Returns False when the segment is deleted, changed or damaged by now; then the
    object is deleted by the removal of objects. May be repeated.
    """
    _check_name(archive)
    with database.transaction():
        archive_id = archive_id_of(archive)
        query = EVERY_RECORDING.select(Segment, Segment.recording_id).where(Segment.id == segment_id)
        recording_id = query.scalar()
        segments = []
        if recording_id is not None:
            lock_recording(recording_id)
            is_same = (Segment.id == segment_id) & (Segment.state == SegmentState.CLOSED) & (Segment.size == size)
            segments = read_segments(select_segments(recording_id).where(is_same))
        if not segments:
            bury_object(archive_id, object_key, at_ms)
            return False
        values = {
            "object_key": object_key,
            "size": size,
            "checksum": checksum,
            "blocks": blocks,
            "verified_at_ms": at_ms,
        }
        SegmentCopy.insert(segment_id=segment_id, archive_id=archive_id, **values).on_conflict(
            conflict_target=[SegmentCopy.segment_id, SegmentCopy.archive_id], update=values
        ).execute()
        set_archived(FootageScope(recording_id), segments)
        # The object is in use again, if an earlier one with its key was to be deleted.
        ArchiveDeletion.delete().where(
            ArchiveDeletion.archive_id == archive_id, ArchiveDeletion.object_key == object_key
        ).execute()
    return True


def remove_object(archive: str, object_key: str, at_ms: int) -> None:
    """Have an object deleted that is no copy of a segment and is not needed any more.

    Runs in the caller's transaction, in which the row that names the object goes too: the removal of objects finds it
    whatever is killed when, and asks an archive that is away again.
    """
    _check_name(archive)
    bury_object(archive_id_of(archive), object_key, at_ms)


def read_backlog(device_ids: Collection[str]) -> Backlog:
    """What of these devices waits for a copy. Fast: bytes from the roll-up, the oldest from an index."""
    size, oldest = 0, None
    with database.session():
        ids = [
            row[0]
            for row in EVERY_TENANT.select(Recording, Recording.id)
            .where(Recording.device_id.in_(list(device_ids)))
            .tuples()
        ]
        for recording_id in ids:
            for first in read_segments(_pending(recording_id).order_by(Segment.start_ms).limit(1)):
                oldest = first.start_ms if oldest is None else min(oldest, first.start_ms)
                size += count_pending_bytes(recording_id)
    return Backlog(size, oldest)


def count_pending_bytes(recording_id: int) -> int:
    """The bytes of a recording that have no copy, from the roll-up."""
    waiting = FifteenMinuteRollup.bytes - FifteenMinuteRollup.archived_bytes
    with database.session():
        return int(FootageScope(recording_id).select(FifteenMinuteRollup, fn.SUM(waiting)).scalar() or 0)


def archive_id_of(name: str) -> int:
    """The id of an archive; inserts a missing row. Runs in the caller's transaction."""
    ArchiveRow.insert(name=name, created_at=utc_now()).on_conflict_ignore().execute()
    return ArchiveRow.get(ArchiveRow.name == name).id


def _pending(recording_id: int) -> peewee.ModelSelect:
    return select_segments(recording_id).where(IS_HERE, Segment.is_archived == 0, Segment.state == SegmentState.CLOSED)


def _check_name(archive: str) -> None:
    if not archive or len(archive) > _MAX_NAME:
        raise InvalidValue("archive", f"the name of an archive must have 1 to {_MAX_NAME} characters, not {archive!r}")
