"""Compares archives with their copies in the index, and finds footage again that the index does not have.

`ArchiveCheck` drops copies whose objects are gone: their segments wait for a copy again, or are missing. Where more
than half would be lost, the cause is another bucket or wrong credentials, and nothing is changed until a person
confirms it. `ArchiveScan` adopts objects without a row: a restored or an empty database finds its footage again,
because keys have tenant, device, time, run and sequence, and the files have their own index.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway import database
from gateway.archive.adoption import Adoption
from gateway.archive.index import archive_id_of
from gateway.archives import Archive
from gateway.clock import DAY_MS
from gateway.errors import LeaseLost, NotFound
from gateway.footage.copies import ArchiveDeletion, Place, SegmentCopy, forget_copies, set_place
from gateway.footage.recordings import Recording
from gateway.footage.segments import Fence, Segment, SegmentState, StoredSegment, read_segments, select_segments
from gateway.media import parse_segment_key
from gateway.storage.folders import Folder
from gateway.storage.interface import StorageUnavailable
from gateway.storage.repairs import mark_missing
from gateway.tenancy.scopes import EVERY_TENANT

log = logging.getLogger(__name__)


class TooManyObjectsMissing(StorageUnavailable):
    """More than half of the compared copies have no object: it is not the same archive, and nothing was changed."""

    reason = "too_many_missing"


@dataclass(slots=True)
class ArchiveCheck:
    """Compares the copies of one archive with its objects, a device and day at a time.

    `checked` and `lost` count copies. With `may_lose` a person has confirmed that missing objects are lost.
    """

    archive: Archive
    may_lose: bool = False
    checked: int = 0
    lost: int = 0
    done: Counter[str] = field(default_factory=Counter)

    def check(self, folder: Folder) -> None:
        """Compare a device and day, and drop the copies without an object. Raises TooManyObjectsMissing,
        ArchiveUnavailable and DatabaseUnavailable.
        """
        copies = self._copies(folder)
        if not copies:
            return
        # Rows before objects: an object of a later row is there already, and a deleted one lost its row before.
        objects = dict(self.archive.list(f"{folder.prefix}/"))
        lost = [(segment, key) for segment, key in copies if objects.get(key) != segment.size]
        self.checked += len(copies)
        self.lost += len(lost)
        if self.lost * 2 > self.checked and not self.may_lose:
            raise TooManyObjectsMissing(
                f"the objects of {self.lost} of {self.checked} copies are not in the archive '{self.archive.name}': is "
                "it the right one, and complete? If they are really gone, run 'vas archive check --accept'"
            )
        for segment, key in lost:
            try:
                if self.archive.size(key) != segment.size and (action := self._forget(folder, segment)):
                    self.done[action] += 1
                    log.warning("device %s: %s: '%s'", folder.device_id, action, key)
            except LeaseLost:
                continue  # a recorder has claimed the device; the next check finds what is left

    def _copies(self, folder: Folder) -> list[tuple[StoredSegment, str]]:
        with database.session():
            segments = select_segments(folder.recording_id).where(
                Segment.start_ms >= folder.day * DAY_MS,
                Segment.start_ms < (folder.day + 1) * DAY_MS,
                Segment.is_archived == 1,
                Segment.state == SegmentState.CLOSED,
            )
            by_id = {segment.id: segment for segment in read_segments(segments)}
            with database.transaction():
                archive_id = archive_id_of(self.archive.name)
            copies = SegmentCopy.select(SegmentCopy.segment_id, SegmentCopy.object_key).where(
                SegmentCopy.archive_id == archive_id, SegmentCopy.segment_id.in_(list(by_id))
            )
            return [(by_id[segment_id], key) for segment_id, key in copies.tuples()]

    def _forget(self, folder: Folder, segment: StoredSegment) -> str | None:
        fence = read_fence(folder.recording_id)
        if fence is None:
            return None
        with fence.transaction() as footage:
            now = read_segments(select_segments(folder.recording_id).where(Segment.id == segment.id))
            if not now or now[0].state != SegmentState.CLOSED:
                return None
            forget_copies(footage, now, archive_id_of(self.archive.name))
            now = read_segments(select_segments(folder.recording_id).where(Segment.id == segment.id))
            if now[0].is_archived:
                return "copy gone, another one is left"
            if now[0].is_local == Place.HERE:
                return "copy gone, waiting for a new one"
            set_place(footage, now, Place.HERE)
            mark_missing(fence, now[0]._replace(is_local=Place.HERE), "archive_copy_gone")
            return "the only copy is gone"


@dataclass(slots=True)
class ArchiveScan:
    """Adopts objects of an archive that no row has. `unknown` counts objects by device that the database does not have.

    `make_device(tenant_id, device_id)` creates a missing device if it may; it returns whether it did.
    """

    archive: Archive
    storage_id: int
    keeps_ms: Callable[[Recording], int | None]
    now_ms: int
    make_device: Callable[[str, str], bool] = lambda _tenant_id, _device_id: False
    keep_going: Callable[[], None] = lambda: None
    scanned: int = 0
    done: Counter[str] = field(default_factory=Counter)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)

    def run(self, prefix: str = "") -> None:
        """Scan the objects below a prefix. Raises ArchiveUnavailable and DatabaseUnavailable; may be repeated."""
        recordings: dict[tuple[str, str], Recording | None] = {}
        for owner, keys in _batches(self.archive.list(prefix)):
            self.keep_going()
            self.scanned += len(keys)
            if owner not in recordings:
                recordings[owner] = _find_recording(owner) or (
                    _find_recording(owner) if self.make_device(*owner) else None
                )
            recording = recordings[owner]
            if recording is None:
                self.unknown[owner] += len(keys)
                continue
            for key, size in self._without_copy(recording, keys).items():
                self.keep_going()
                self._adopt(recording, key, size)

    def _without_copy(self, recording: Recording, keys: dict[str, int]) -> dict[str, int]:
        """The objects that neither a copy nor a deletion has."""
        names = [parse_segment_key(key) for key in keys]
        with database.session():
            copies = (
                SegmentCopy.select(SegmentCopy.object_key)
                .join(Segment, on=(Segment.id == SegmentCopy.segment_id))
                .where(
                    Segment.recording_id == recording.id,
                    Segment.start_ms >= min(name[0] for name in names),
                    Segment.start_ms <= max(name[0] for name in names),
                )
            )
            known = {row[0] for row in copies.tuples()}
            dying = ArchiveDeletion.select(ArchiveDeletion.object_key).where(ArchiveDeletion.object_key.in_(list(keys)))
            known |= {row[0] for row in dying.tuples()}
        return {key: size for key, size in keys.items() if key not in known}

    def _adopt(self, recording: Recording, key: str, size: int) -> None:
        adoption = Adoption(self.archive, recording, self.storage_id)
        keep_ms = self.keeps_ms(recording)
        fence = read_fence(recording.id)
        if fence is None:
            return
        try:
            expired = keep_ms is not None and parse_segment_key(key)[0] < self.now_ms - keep_ms
            action = adoption.drop_expired(key, self.now_ms) if expired else adoption.adopt(fence, key, size)
        except (LeaseLost, NotFound):
            return  # changed meanwhile; a later scan finds it
        if action is not None:
            self.done[action] += 1


def read_fence(recording_id: int) -> Fence | None:
    """The present right to change the footage of a recording; None if its device was deleted."""
    with database.session():
        query = EVERY_TENANT.select(Recording, Recording.fencing_token).where(
            Recording.id == recording_id, Recording.deleted_at.is_null()
        )
        token = query.scalar()
    return None if token is None else Fence(recording_id, token)


def _find_recording(owner: tuple[str, str]) -> Recording | None:
    with database.session():
        query = EVERY_TENANT.select(Recording).where(
            Recording.tenant_id == owner[0], Recording.device_id == owner[1], Recording.deleted_at.is_null()
        )
        return query.first()


def _batches(objects: Iterator[tuple[str, int]]) -> Iterator[tuple[tuple[str, str], dict[str, int]]]:
    """Objects of segments in batches of one device; others are passed over."""
    owner: tuple[str, str] | None = None
    batch: dict[str, int] = {}
    for key, size in objects:
        if parse_segment_key(key) is None:
            continue
        tenant_id, device_id = key.split("/")[:2]
        if batch and (owner != (tenant_id, device_id) or len(batch) >= 500):
            yield owner, batch
            batch = {}
        owner = (tenant_id, device_id)
        batch[key] = size
    if batch:
        yield owner, batch
