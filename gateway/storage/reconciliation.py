"""Reconciliation: compares the rows of footage with its files, one device and day at a time, and repairs mismatches.

`scan` compares and changes nothing; `repair` changes what a scan found. Where more than half of the compared segments
would be lost, the cause is something other than files, such as an unmounted disk or a wrong folder. Then nothing is
changed until a person confirms the loss.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gateway import database
from gateway.clock import DAY_MS, Clock
from gateway.errors import LeaseLost, NotFound
from gateway.footage.copies import Place
from gateway.footage.recordings import Recording
from gateway.footage.rollup import correct_rollup
from gateway.footage.segments import (
    NOT_CLOSED,
    Fence,
    Segment,
    SegmentState,
    StoredSegment,
    read_segments,
    select_segments,
)
from gateway.storage.file_repair import FileRepair, Repair
from gateway.storage.folders import Folder, folder_of, read_recordings
from gateway.storage.interface import Storage, StorageUnavailable
from gateway.storage.repairs import move_segments
from gateway.tenancy.scopes import EVERY_TENANT

log = logging.getLogger(__name__)

#: Files changed more recently are skipped: another process may be about to write their row.
QUIET_SECONDS = 30.0
#: The same for files without a row while a recorder is alive: its rows may be queued while the database is away.
_RECORDED_QUIET_SECONDS = 900.0
#: Open segments read at once.
_MAX_OPEN = 1000


class TooManyMissing(StorageUnavailable):
    """More than half of the compared segments would be lost: it is not the same store, and nothing was changed."""

    reason = "too_many_missing"


class MismatchKind(StrEnum):
    """How a row and its file disagree. `COPIED`: in any way, but nothing is lost, because an archive has a copy."""

    MISSING = "missing"
    SHORT = "short"
    LONG = "long"
    RETURNED = "returned"
    LEFT_OPEN = "left_open"
    UNKNOWN = "unknown"
    MOVED = "moved"
    COPIED = "copied"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A row and a file that disagree. `segment` is None for a file without a row, `size` for a row without a file.

    `fence` has the fencing token that was the newest before anything was compared.
    """

    folder: Folder
    fence: Fence
    kind: MismatchKind
    key: str
    segment: StoredSegment | None
    size: int | None


@dataclass(slots=True)
class Scan:
    """The result of a comparison.

    `checked` counts the compared segments, `lost` those that could no longer be played, and `elsewhere` those of a
    store that is not here, which are skipped.
    """

    checked: int = 0
    lost: int = 0
    elsewhere: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)

    def add(self, other: "Scan") -> None:
        """Add another scan to this one."""
        self.checked += other.checked
        self.lost += other.lost
        self.elsewhere += other.elsewhere
        self.mismatches += other.mismatches


class Reconciliation:
    """Compares and repairs one store.

    `is_recorded(device_id)` returns whether a living recorder writes a device's footage now. `keep_going` is called
    between steps and raises to end the work. With `may_lose` a person has confirmed that missing footage is lost.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        *,
        is_recorded: Callable[[str], bool],
        keep_going: Callable[[], None] = lambda: None,
        may_lose: bool = False,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._is_recorded = is_recorded
        self._keep_going = keep_going
        self.may_lose = may_lose

    # ---- comparing ---------------------------------------------------------------------------------------------

    def scan(self, folder: Folder) -> Scan:
        """Compare the rows of a device and day with its files. Changes nothing."""
        self._keep_going()
        scan = Scan()
        token = _read_fencing_token(folder.recording_id)
        if token is None:
            return scan
        fence = Fence(folder.recording_id, token)
        rows = self._rows(folder)
        # Rows before files: a file written meanwhile gets its row later, and a deleted one lost its row before.
        files = {key: (size, modified) for key, size, modified in self._storage.list(folder.prefix)}
        is_recorded: bool | None = None
        for segment in rows:
            key = segment.key(folder.tenant_id, folder.device_id)
            size, modified = files.pop(key, (None, None))
            if segment.state == SegmentState.GARBAGE or segment.is_local == Place.LEAVING:
                continue
            if segment.is_local == Place.GONE and size is None:
                continue
            if segment.storage_id != self._storage.id and size is None and not self.may_lose:
                scan.elsewhere += segment.state != SegmentState.MISSING
                continue
            scan.checked += segment.state != SegmentState.MISSING
            if segment.state == SegmentState.OPEN:
                is_recorded = self._is_recorded(folder.device_id) if is_recorded is None else is_recorded
                if is_recorded:
                    continue
            kind = self._compare(segment, size)
            if kind is None or (modified is not None and self._is_recent(modified, QUIET_SECONDS)):
                continue
            scan.lost += kind is MismatchKind.MISSING or (kind is MismatchKind.SHORT and size < segment.size // 2)
            scan.mismatches.append(Mismatch(folder, fence, kind, key, segment, size))
        for key, (size, modified) in files.items():
            is_recorded = self._is_recorded(folder.device_id) if is_recorded is None else is_recorded
            if not self._is_recent(modified, _RECORDED_QUIET_SECONDS if is_recorded else QUIET_SECONDS):
                scan.mismatches.append(Mismatch(folder, fence, MismatchKind.UNKNOWN, key, None, size))
        self._leave_out_deleted(folder, scan)
        return scan

    def _leave_out_deleted(self, folder: Folder, scan: Scan) -> None:
        """Leave out segments that retention has deleted since their rows were read: their files are not lost."""
        if not any(found.kind is MismatchKind.MISSING for found in scan.mismatches):
            return
        kept = {segment.id for segment in self._rows(folder) if segment.state != SegmentState.GARBAGE}
        compared = scan.mismatches
        scan.mismatches = [
            found for found in compared if found.kind is not MismatchKind.MISSING or found.segment.id in kept
        ]
        scan.checked -= len(compared) - len(scan.mismatches)
        scan.lost -= len(compared) - len(scan.mismatches)

    def folders_left_open(self) -> list[Folder]:
        """Folders with open segments of devices that no recorder records."""
        with database.session():
            query = select_segments().where(NOT_CLOSED, Segment.state == SegmentState.OPEN).limit(_MAX_OPEN)
            days = {(segment.recording_id, segment.start_ms // DAY_MS) for segment in read_segments(query)}
        recordings = {row.id: row for row in read_recordings([recording_id for recording_id, _ in days])}
        abandoned = {key for key, row in recordings.items() if not self._is_recorded(row.device_id)}
        return [folder_of(recordings[key], day) for key, day in sorted(days) if key in abandoned]

    def _compare(self, segment: StoredSegment, size: int | None) -> MismatchKind | None:
        if segment.state == SegmentState.MISSING:
            return None if size is None else MismatchKind.RETURNED
        if segment.is_archived and (size != segment.size or segment.is_local != Place.HERE):
            return MismatchKind.COPIED
        if size is None:
            return MismatchKind.MISSING
        if segment.state == SegmentState.OPEN:
            return MismatchKind.LEFT_OPEN
        if size == segment.size:
            return None if segment.storage_id == self._storage.id else MismatchKind.MOVED
        return MismatchKind.SHORT if size < segment.size else MismatchKind.LONG

    def _rows(self, folder: Folder) -> list[StoredSegment]:
        with database.session():
            query = select_segments(folder.recording_id).where(
                Segment.start_ms >= folder.day * DAY_MS, Segment.start_ms < (folder.day + 1) * DAY_MS
            )
            return read_segments(query.order_by(Segment.start_ms))

    def _is_recent(self, modified: float, seconds: float) -> bool:
        return abs(self._clock.wall() - modified) < seconds

    # ---- repairing ---------------------------------------------------------------------------------------------

    def repair(self, scan: Scan) -> Counter[str]:
        """Repair what a scan found; returns the number of repairs by action. Skips recordings claimed since."""
        done: Counter[str] = Counter()
        moved = [mismatch for mismatch in scan.mismatches if mismatch.kind is MismatchKind.MOVED]
        if moved and (count := self._move(moved)):
            done["moved"] += count
            log.warning("device %s: %d segments are in this store now", moved[0].folder.device_id, count)
        for mismatch in scan.mismatches:
            if mismatch.kind is MismatchKind.MOVED:
                continue
            self._keep_going()
            try:
                repair = self._repair(mismatch)
            except (LeaseLost, NotFound):
                repair = None  # another process was faster; the next sweep finds what is left
            if repair is not None:
                done[repair.action.value] += 1
                log.warning("device %s: %s: '%s'", mismatch.folder.device_id, repair.action, mismatch.key)
        return done

    def correct_rollup(self, folder: Folder) -> Counter[str]:
        """Recompute a day's roll-up where it differs from the sums of its segments, as after a row was lost."""
        token = _read_fencing_token(folder.recording_id)
        try:
            is_changed = token is not None and correct_rollup(Fence(folder.recording_id, token), folder.day)
        except LeaseLost:
            is_changed = False  # a recorder has started meanwhile; the next sweep comes
        if is_changed:
            log.warning("device %s: the sums of '%s' were wrong and are corrected", folder.device_id, folder.prefix)
        return Counter({"sums corrected": 1} if is_changed else {})

    def _move(self, mismatches: list[Mismatch]) -> int:
        self._storage.check()
        try:
            segments = [mismatch.segment for mismatch in mismatches]
            return move_segments(mismatches[0].fence, segments, self._storage.id)
        except LeaseLost:
            return 0

    def _repair(self, mismatch: Mismatch) -> Repair | None:
        self._storage.check()
        if self._storage.size(mismatch.key) != mismatch.size:
            return None  # the file came, went or grew since the scan
        repair = FileRepair(self._storage, mismatch.fence)
        if mismatch.segment is None:
            return repair.adopt(mismatch.key, mismatch.size)
        if mismatch.kind is MismatchKind.COPIED:
            return repair.repair_copied(mismatch.key, mismatch.segment, mismatch.size)
        if mismatch.kind is MismatchKind.MISSING:
            return repair.repair_missing(mismatch.segment)
        return repair.repair_segment(mismatch.key, mismatch.segment, mismatch.size)


def _read_fencing_token(recording_id: int) -> int | None:
    with database.session():
        query = EVERY_TENANT.select(Recording, Recording.fencing_token).where(
            Recording.id == recording_id, Recording.deleted_at.is_null()
        )
        return query.scalar()
