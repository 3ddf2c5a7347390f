"""Brings the rows of footage and its files together, one device and day at a time, and never loses by it what is there.

`look` compares and changes nothing; `mend` changes what was seen. Where more than half of what was looked at would be
lost, something else is wrong than files (a disk not mounted, a wrong folder): then nothing is changed until a person
says so.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gateway import database
from gateway.clock import DAY_MS, Clock
from gateway.errors import LeaseLost, NotFound
from gateway.footage.recordings import Recording
from gateway.footage.rollup import correct_rollup
from gateway.footage.segment_scan import SegmentScan, scan_segment
from gateway.footage.segments import (
    UNSETTLED,
    Fence,
    Segment,
    SegmentState,
    StoredSegment,
    read_packed,
    select_segments,
    stored_segments,
)
from gateway.media import parse_segment_key, unpack_parts
from gateway.storage.folders import Folder, folder_of, read_recordings
from gateway.storage.interface import Storage, StorageUnavailable
from gateway.storage.repairs import (
    Content,
    adopt_segment,
    drop_empty,
    finalize_segment,
    finalize_times,
    has_row,
    holds_parts,
    mark_missing,
    move_segments,
)
from gateway.tenancy.scopes import EVERY_TENANT

log = logging.getLogger(__name__)


#: Files that were changed less long ago are left alone: somebody may be about to write their row.
QUIET_SECONDS = 30.0
#: With a living recorder, whose rows may wait in a line, a file without a row must be older.
_RECORDED_QUIET_SECONDS = 900.0


class TooManyMissing(StorageUnavailable):
    """More than half of what was looked at would be lost: the storage is not what it was, and nothing was changed."""

    reason = "too_many_missing"


class Seen(StrEnum):
    """How a row and its file disagree."""

    MISSING = "missing"
    SHORT = "short"
    LONG = "long"
    RETURNED = "returned"
    LEFT_OPEN = "left_open"
    UNKNOWN = "unknown"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Finding:
    """A disagreement. `segment` is None for a file without a row; `size` is the file's, None without one.

    `fence` is of the recorder that was the newest before anything was looked at.
    """

    folder: Folder
    fence: Fence
    seen: Seen
    key: str
    segment: StoredSegment | None
    size: int | None


@dataclass(slots=True)
class Look:
    """What was compared, and what disagrees.

    `lost` counts segments that could not be played any more, `elsewhere` those of a store that is not here: they are
    left alone.
    """

    checked: int = 0
    lost: int = 0
    elsewhere: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: "Look") -> None:
        """Count another look in."""
        self.checked += other.checked
        self.lost += other.lost
        self.elsewhere += other.elsewhere
        self.findings += other.findings


class Reconciliation:
    """Looks and repairs over one storage.

    `is_recorded(device_id)` tells whether a living recorder writes a device's footage now; `keep_going` is called
    between steps, and raises to end the work. With `may_lose` a person has said that what is missing is lost.
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

    def look(self, folder: Folder) -> Look:
        """Compare the rows of a device and day with its files. Changes nothing."""
        self._keep_going()
        look = Look()
        epoch = _read_epoch(folder.recording_id)
        if epoch is None:
            return look
        fence = Fence(folder.recording_id, epoch)
        rows = self._rows(folder)
        # Rows first: a file that is written meanwhile has its row later, and one that is deleted lost it before.
        files = {key: (size, modified) for key, size, modified in self._storage.list(folder.prefix)}
        is_recorded: bool | None = None
        for segment in rows:
            key = segment.key(folder.tenant_id, folder.device_id)
            size, modified = files.pop(key, (None, None))
            if segment.state == SegmentState.GARBAGE:
                continue
            if segment.storage_id != self._storage.id and size is None and not self.may_lose:
                look.elsewhere += segment.state != SegmentState.MISSING
                continue
            look.checked += segment.state != SegmentState.MISSING
            if segment.state == SegmentState.OPEN:
                is_recorded = self._is_recorded(folder.device_id) if is_recorded is None else is_recorded
                if is_recorded:
                    continue
            seen = self._compare(segment, size)
            if seen is None or (modified is not None and self._is_young(modified, QUIET_SECONDS)):
                continue
            look.lost += seen is Seen.MISSING or (seen is Seen.SHORT and size < segment.size // 2)
            look.findings.append(Finding(folder, fence, seen, key, segment, size))
        for key, (size, modified) in files.items():
            is_recorded = self._is_recorded(folder.device_id) if is_recorded is None else is_recorded
            if not self._is_young(modified, _RECORDED_QUIET_SECONDS if is_recorded else QUIET_SECONDS):
                look.findings.append(Finding(folder, fence, Seen.UNKNOWN, key, None, size))
        return look

    def folders_left_open(self) -> list[Folder]:
        """Where segments are still open although nobody records their device."""
        with database.session():
            query = select_segments().where(UNSETTLED, Segment.state == SegmentState.OPEN).limit(1000)
            days = {(segment.recording_id, segment.start_ms // DAY_MS) for segment in stored_segments(query)}
        owners = {row.id: row for row in read_recordings([recording_id for recording_id, _ in days])}
        abandoned = {key for key, row in owners.items() if not self._is_recorded(row.device_id)}
        return [folder_of(owners[key], day) for key, day in sorted(days) if key in abandoned]

    def _compare(self, segment: StoredSegment, size: int | None) -> Seen | None:
        if segment.state == SegmentState.MISSING:
            return None if size is None else Seen.RETURNED
        if size is None:
            return Seen.MISSING
        if segment.state == SegmentState.OPEN:
            return Seen.LEFT_OPEN
        if size == segment.size:
            return None if segment.storage_id == self._storage.id else Seen.MOVED
        return Seen.SHORT if size < segment.size else Seen.LONG

    def _rows(self, folder: Folder) -> list[StoredSegment]:
        with database.session():
            query = select_segments(folder.recording_id).where(
                Segment.start_ms >= folder.day * DAY_MS, Segment.start_ms < (folder.day + 1) * DAY_MS
            )
            return stored_segments(query.order_by(Segment.start_ms))

    def _is_young(self, modified: float, seconds: float) -> bool:
        return abs(self._clock.wall() - modified) < seconds

    # ---- repairing ---------------------------------------------------------------------------------------------

    def mend(self, look: Look) -> Counter[str]:
        """Change what a look has seen; gives what was done, by words. What a recorder owns by now is left alone."""
        done: Counter[str] = Counter()
        moved = [finding for finding in look.findings if finding.seen is Seen.MOVED]
        if moved and (count := self._move(moved)):
            done["moved"] += count
            log.warning("device %s: %d segments are in this store now", moved[0].folder.device_id, count)
        for finding in look.findings:
            if finding.seen is Seen.MOVED:
                continue
            self._keep_going()
            try:
                word = self._repair(finding)
            except (LeaseLost, NotFound):
                word = None  # somebody else was faster; the next round sees what is left
            if word is not None:
                done[word] += 1
                log.warning("device %s: %s: '%s'", finding.folder.device_id, word, finding.key)
        return done

    def _move(self, findings: list[Finding]) -> int:
        self._storage.check()
        try:
            return move_segments(findings[0].fence, [finding.segment for finding in findings], self._storage.id)
        except LeaseLost:
            return 0

    def settle(self, folder: Folder) -> Counter[str]:
        """Have the roll-up of a day tell what its segments add up to, which a row that was lost had changed."""
        epoch = _read_epoch(folder.recording_id)
        try:
            is_changed = epoch is not None and correct_rollup(Fence(folder.recording_id, epoch), folder.day)
        except LeaseLost:
            is_changed = False  # a recorder has begun meanwhile; the next round comes
        if is_changed:
            log.warning("device %s: the sums of '%s' were wrong and are right now", folder.device_id, folder.prefix)
        return Counter({"sums mended": 1} if is_changed else {})

    def _repair(self, finding: Finding) -> str | None:
        self._storage.check()
        if self._storage.size(finding.key) != finding.size:
            return None  # it came, went or grew since
        if finding.segment is None:
            return self._repair_unknown(finding)
        if finding.seen is Seen.MISSING:
            return "file missing" if mark_missing(finding.fence, finding.segment) else None
        return self._repair_file(finding, finding.segment)

    def _repair_file(self, finding: Finding, segment: StoredSegment) -> str | None:
        fence = finding.fence
        known = unpack_parts(read_packed(segment.id))[: segment.parts]
        scan = self._scan(finding.key)
        content = finalize_times(Content(scan.init_size, scan.parts), known)
        if finding.seen is Seen.LONG:
            content = self._content_of_long(fence, segment, content)
            if content is None:
                self._storage.truncate(finding.key, segment.size)
                return "torn end cut off"
        if not content.parts:
            return self._repair_lost(finding, segment, scan)
        if not finalize_segment(fence, segment, content, self._storage.id):
            return None
        if finding.size > content.size:
            self._storage.truncate(finding.key, content.size)
        words = {
            Seen.RETURNED: "file is back",
            Seen.LEFT_OPEN: "closed",
            Seen.SHORT: "file damaged",
            Seen.LONG: "index mended",
        }
        return words[finding.seen]

    def _content_of_long(self, fence: Fence, segment: StoredSegment, content: Content) -> Content | None:
        """What the row of a longer file should tell; None when it tells all there is, and the rest is torn."""
        more = len(content.parts) - segment.parts
        if more <= 0 or content.size <= segment.size:
            return None
        after = segment.end_ms, segment.run, segment.sequence + segment.parts
        is_taken = holds_parts(fence, after, more, content.duration_ms - segment.duration_ms, but=segment.id)
        return None if is_taken else content

    def _repair_lost(self, finding: Finding, segment: StoredSegment, scan: SegmentScan) -> str | None:
        """Nothing in the file is whole."""
        fence = finding.fence
        has_told = segment.parts > 0 and segment.duration_ms > 0
        if segment.state == SegmentState.MISSING:
            changed = True
        else:
            changed = mark_missing(fence, segment, "file_damaged") if has_told else drop_empty(fence, segment)
        if not changed:
            return None
        self._storage.quarantine(finding.key, f"no part of it is whole: {scan.problem}, {scan.detail}")
        return "quarantined"

    def _repair_unknown(self, finding: Finding) -> str | None:
        parsed = parse_segment_key(finding.key)
        if parsed is None:
            self._storage.quarantine(finding.key, "its name is not a segment's")
            return "quarantined"
        fence = finding.fence
        if has_row(fence, parsed):
            return None  # its recorder has written it since
        scan = self._scan(finding.key)
        content = finalize_times(Content(scan.init_size, scan.parts))
        if not content.parts:
            self._storage.quarantine(finding.key, f"no part of it is whole: {scan.problem}, {scan.detail}")
            return "quarantined"
        if holds_parts(fence, parsed, len(content.parts), content.duration_ms):
            self._storage.quarantine(finding.key, "its parts are in another file too")
            return "quarantined"
        if adopt_segment(fence, parsed, content, self._storage.id) is None:
            return None
        if finding.size > content.size:
            self._storage.truncate(finding.key, content.size)
        return "adopted"

    def _scan(self, key: str) -> SegmentScan:
        return scan_segment(self._storage.read(key))


# ---- which folders there are --------------------------------------------------------------------------------------


def _read_epoch(recording_id: int) -> int | None:
    with database.session():
        query = EVERY_TENANT.select(Recording, Recording.epoch).where(
            Recording.id == recording_id, Recording.deleted_at.is_null()
        )
        return query.scalar()
