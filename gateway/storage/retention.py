"""Retention: deletes footage by age, by size of a device, a tenant and the store, and by the free space.

It deletes the oldest footage across devices, and never protected ranges. Of footage with a copy in an archive only the
local file goes, before other footage; the archive has a limit of age of its own. Footage that an archive is to take
waits for its copy, but not on a full disk. The housekeeping of the record workers runs it again and again; a pass does
a bounded amount of work and reports whether there is more. Ages are computed by the trusted time
(`gateway.storage.clock_trust`), never by the clock alone.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway import database
from gateway.clock import Clock
from gateway.config import Config
from gateway.devices.bin import purge_bin
from gateway.footage.copies import begin_leaving, end_leaving, leaving_keys
from gateway.footage.gaps import Range
from gateway.footage.protections import protected_ranges
from gateway.footage.recordings import Recording
from gateway.footage.segments import StoredSegment
from gateway.storage.clock_trust import ClockTrust, TrustedTime
from gateway.storage.deletion import (
    BATCH,
    PAUSE_SECONDS,
    deleted_recordings,
    drop_recording,
    drop_segments,
    garbage_keys,
    kept_recordings,
    mark_for_deletion,
    mark_recording_for_deletion,
)
from gateway.storage.deletion_order import oldest_first, size_on_disk
from gateway.storage.expiry import Expiry
from gateway.storage.interface import Storage
from gateway.storage.limits import free_bytes_floor, limits_of, waits_for_copies
from gateway.storage.pass_report import PassReport
from gateway.storage.unprotected import Tier, deletable_segments
from gateway.storage.usage import UsageSums, bytes_per_hour, count_bytes
from gateway.tenancy.scopes import FootageScope

log = logging.getLogger(__name__)


#: Segments that are marked, and files that are removed, in one step.
_STEP = 64
#: Duration after which a pass ends. The next one follows at once, so that every rule gets its turn.
_PASS_SECONDS = 5.0
#: Least space to free on a full disk that is large enough.
_MIN_ROOM_BYTES = 256 << 20


@dataclass(slots=True)
class _Pass:
    """What the rules of a pass share: recordings, their protected ranges and sizes, and the report."""

    recordings: list[Recording]
    ranges: dict[int, list[Range]]
    report: PassReport
    sums: dict[int, int] | None = None


class Retention:
    """Retention of one store. `keep_going` is called between batches and raises to end a pass.

    `is_recorded(device_id)` returns whether a living recorder writes a device's footage now. `pause(seconds)` is called
    between two batches, so that other writers of the database get their turn.
    """

    def __init__(
        self,
        config: Config,
        storage: Storage,
        clock: Clock,
        *,
        keep_going: Callable[[], None] = lambda: None,
        is_recorded: Callable[[str], bool] = lambda _device_id: False,
        pause: Callable[[float], object] = lambda _seconds: None,
    ) -> None:
        self._config = config
        self._pause = pause
        self._storage = storage
        self._clock = clock
        self._keep_going = keep_going
        self._is_recorded = is_recorded
        self._sums = UsageSums(clock)
        self._trust = ClockTrust(clock)
        self._expiry = Expiry()
        self._deadline = 0.0

    def run(self, *, only_space: bool = False) -> PassReport:
        """Run one pass. With `only_space` only the rule of free space is applied.

        Raises StorageUnavailable and DatabaseUnavailable; a later pass finishes what was begun.
        """
        report = PassReport()
        self._deadline = self._clock.monotonic() + _PASS_SECONDS
        self._remove_garbage(report)
        self._remove_leaving(report)
        rules = [self._by_space]
        if not only_space:
            self._remove_deleted_devices(report)
            rules = [self._by_age, self._by_archive_age, self._by_device, self._by_tenant, self._by_store, *rules]
        work = _Pass(kept_recordings(), protected_ranges(), report)
        for rule in rules:
            if self._is_over():
                report.is_more = True
                break
            rule(work)
        self._log(report)
        return report

    def make_room(self) -> PassReport:
        """Delete the oldest footage because the disk is full: about 3 minutes of recording. Raises as `run` does."""
        report = PassReport()
        self._deadline = self._clock.monotonic() + _PASS_SECONDS
        space = self._storage.space()
        three_minutes = bytes_per_hour(self._now_ms()) // 20
        target = min(max(_MIN_ROOM_BYTES, three_minutes), max(space.total // 8, 1))
        self._remove_garbage(report)
        self._remove_leaving(report)
        work = _Pass(kept_recordings(), protected_ranges(), report)
        self._delete_oldest(target, work.recordings, work, "the disk is full", takes_waiting=True)
        report.is_stuck = not report.total_segments
        self._log(report)
        return report

    # ---- the rules ---------------------------------------------------------------------------------------------

    def _by_age(self, work: _Pass) -> None:
        time = work.report.time = self._trust.check()
        for recording in work.recordings:
            keep_ms = limits_of(recording, self._config).keep_ms
            if keep_ms is None:
                continue
            tiers = (Tier.COPIED, Tier.MISSING if waits_for_copies(recording) else Tier.LOCAL)
            for tier in tiers:
                if not self._expire(recording, keep_ms, tier, work, time):
                    return
            ranges = work.ranges.get(recording.id, [])
            if not time.is_settled:
                before_ms = time.wall_ms - keep_ms
                if any(deletable_segments(recording.id, ranges, before_ms=before_ms, limit=1, tier=t) for t in tiers):
                    work.report.held[recording.device_id] = recording.tenant_id
            if waits_for_copies(recording) and deletable_segments(
                recording.id, ranges, before_ms=time.now_ms - keep_ms, limit=1, tier=Tier.WAITING
            ):
                work.report.waiting[recording.device_id] = recording.tenant_id

    def _by_archive_age(self, work: _Pass) -> None:
        time = work.report.time or self._trust.check()
        for recording in work.recordings:
            keep_ms = limits_of(recording, self._config).archive_keep_ms
            if keep_ms is not None and not self._expire(recording, keep_ms, Tier.ARCHIVE, work, time):
                return

    def _expire(self, recording: Recording, keep_ms: int, tier: Tier, work: _Pass, time: TrustedTime) -> bool:
        """Delete what is too old of a tier; False when the time of the pass is over."""
        why = "age in the archive" if tier is Tier.ARCHIVE else "age"
        ranges = work.ranges.get(recording.id, [])
        before_ms, times = time.now_ms - keep_ms, {"now_ms": time.wall_ms, "limit": _STEP, "tier": tier}
        while batch := self._expiry.expired(recording.id, ranges, before_ms=before_ms, **times):
            while future := self._expiry.of_the_future(recording.id, ranges, batch, **times):
                self._delete(recording, future, work, why, tier, reason_code=None)
                if self._is_over():
                    break
            self._delete(recording, batch, work, why, tier)
            if self._is_over():
                work.report.is_more = True
                return False
        return True

    def _by_device(self, work: _Pass) -> None:
        for recording in work.recordings:
            if limit := limits_of(recording, self._config).keep_bytes:
                self._shrink([recording], limit, work, "size of the device")

    def _by_tenant(self, work: _Pass) -> None:
        if not self._config.tenant_keep_bytes:
            return
        of_tenant: dict[str, list[Recording]] = defaultdict(list)
        for recording in work.recordings:
            of_tenant[recording.tenant_id].append(recording)
        for recordings in of_tenant.values():
            self._shrink(recordings, self._config.tenant_keep_bytes, work, "size of the tenant")

    def _by_store(self, work: _Pass) -> None:
        if self._config.keep_bytes:
            self._shrink(work.recordings, self._config.keep_bytes, work, "size of the store")

    def _by_space(self, work: _Pass) -> None:
        space = self._storage.space()
        floor = free_bytes_floor(self._config, space, bytes_per_hour(self._now_ms()))
        missing = floor - space.free
        if missing <= 0:
            return
        # Some more than needed, so that the footage of the next seconds does not trigger it again.
        is_enough = self._delete_oldest(missing + floor // 20, work.recordings, work, "free space", takes_waiting=True)
        work.report.is_stuck = not is_enough and self._storage.space().free < floor

    # ---- deleting --------------------------------------------------------------------------------------

    def _shrink(self, recordings: list[Recording], limit: int, work: _Pass, why: str) -> None:
        """Delete the oldest footage of these recordings until they are within `limit` bytes."""
        if work.sums is None:
            work.sums = self._sums.read()
        ids = [recording.id for recording in recordings]
        if sum(work.sums.get(recording_id, 0) for recording_id in ids) <= limit:
            return
        # Other processes delete too: compute the sums again before deleting by them.
        self._sums.forget()
        excess = sum(count_bytes(ids).values()) - limit
        if excess > 0:
            # Some more than needed, so that not every pass has to compute the sums.
            self._delete_oldest(excess + min(limit // 100, bytes_per_hour(self._now_ms()) // 6), recordings, work, why)

    def _delete_oldest(
        self, size: int, recordings: list[Recording], work: _Pass, why: str, *, takes_waiting: bool = False
    ) -> bool:
        """Free `size` bytes of the local disk by the oldest of these recordings; False when there is less to free.

        First the local files of footage that has a copy. Footage that waits for a copy comes last, and only with
        `takes_waiting`.
        """
        waiting = [recording for recording in recordings if waits_for_copies(recording)]
        others = [recording for recording in recordings if recording not in waiting]
        steps = [(recordings, Tier.COPIED), (others, Tier.LOCAL), (waiting, Tier.MISSING)]
        if takes_waiting:
            steps.append((waiting, Tier.WAITING))
        for group, tier in steps:
            size -= self._delete_oldest_of(size, group, work, why, tier)
            if size <= 0 or work.report.is_more:
                return True
        if waiting and not takes_waiting:
            work.report.waiting |= {recording.device_id: recording.tenant_id for recording in waiting}
        return False

    def _delete_oldest_of(self, size: int, recordings: list[Recording], work: _Pass, why: str, tier: Tier) -> int:
        """Free at least `size` bytes by the oldest of a tier; returns the bytes that were freed."""
        by_id = {recording.id: recording for recording in recordings}
        step: dict[int, list[StoredSegment]] = defaultdict(list)
        count = freed = 0
        for segment in oldest_first(by_id, work.ranges, tier):
            step[segment.recording_id].append(segment)
            count += 1
            freed += size_on_disk(segment)
            if count >= _STEP or freed >= size:
                self._delete_step(by_id, step, work, why, tier)
                step, count = defaultdict(list), 0
                if freed >= size:
                    return freed
                if self._is_over():
                    work.report.is_more = True
                    return freed
        self._delete_step(by_id, step, work, why, tier)
        return freed

    def _delete_step(
        self, by_id: dict[int, Recording], step: dict[int, list[StoredSegment]], work: _Pass, why: str, tier: Tier
    ) -> None:
        for recording_id, batch in step.items():
            self._delete(by_id[recording_id], batch, work, why, tier)

    def _delete(
        self,
        recording: Recording,
        batch: Iterable[StoredSegment],
        work: _Pass,
        why: str,
        tier: Tier,
        *,
        reason_code: str | None = "retention",
    ) -> None:
        """Delete segments of a tier; of those with a copy only the local file."""
        self._keep_going()
        ids = [segment.id for segment in batch]
        if tier is Tier.COPIED:
            with database.transaction():
                leaving = begin_leaving(FootageScope(recording.id), ids)
            work.report.add(recording.device_id, leaving, f"{why}, a copy is in the archive")
            self._pause(PAUSE_SECONDS)
            keys = [(segment.id, segment.key(recording.tenant_id, recording.device_id)) for segment in leaving]
            remove_local_files(self._storage, keys, self._keep_going)
            self._pause(PAUSE_SECONDS)
            return
        is_lost = tier is Tier.WAITING
        marked = mark_for_deletion(
            recording.id,
            ids,
            reason_code="not_archived" if is_lost else reason_code,
            is_wanted=is_lost,
            known_ranges=work.ranges.get(recording.id, []),
            keeps_copied=tier is not Tier.ARCHIVE,
        )
        if is_lost and marked:
            work.report.unarchived[recording.device_id] = recording.tenant_id
        work.report.add(recording.device_id, marked, f"{why}, before it had a copy" if is_lost else why)
        self._pause(PAUSE_SECONDS)
        garbage = [(segment.id, segment.key(recording.tenant_id, recording.device_id)) for segment in marked]
        remove_files(self._storage, garbage, self._keep_going)
        self._pause(PAUSE_SECONDS)

    def _remove_leaving(self, report: PassReport) -> None:
        """Remove the local files of archived segments that an interrupted pass has left."""
        while batch := leaving_keys(BATCH):
            remove_local_files(self._storage, batch, self._keep_going)
            self._pause(PAUSE_SECONDS)
            if self._is_over():
                report.is_more = True
                return

    def _remove_garbage(self, report: PassReport) -> None:
        """Remove the files of garbage, which a person's deletion or an interrupted pass has left."""
        while batch := garbage_keys(self._storage.id):
            remove_files(self._storage, batch, self._keep_going)
            self._pause(PAUSE_SECONDS)
            if self._is_over():
                report.is_more = True
                return

    def _remove_deleted_devices(self, report: PassReport) -> None:
        now = datetime.fromtimestamp(self._trust.check().now_ms / 1000, UTC)
        purge_bin(now - timedelta(hours=self._config.bin_hours))
        for recording in deleted_recordings():
            if self._is_recorded(recording.device_id):
                continue  # its recorder notices the deletion within seconds
            while batch := mark_recording_for_deletion(recording.id, _STEP):
                report.add(recording.device_id, batch, "the device was deleted")
                self._remove_garbage(report)
                if self._is_over():
                    report.is_more = True
                    return
            self._remove_orphan_files(recording)
            self._remove_garbage(report)
            if drop_recording(recording.id):
                log.info("device %s: the footage of the deleted device is deleted", recording.device_id)

    def _remove_orphan_files(self, recording: Recording) -> None:
        """Remove the files of a deleted device that have no row."""
        for key, _, _ in list(self._storage.list(f"{recording.tenant_id}/{recording.device_id}")):
            self._keep_going()
            self._storage.delete(key)

    # ---- the rest ---------------------------------------------------------------------------------------------

    def _is_over(self) -> bool:
        return self._clock.monotonic() >= self._deadline

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)

    def _log(self, report: PassReport) -> None:
        for device_id, count in report.segments.items():
            if count:
                log.info(
                    "device %s: deleted %d segments, %.1f MB: %s",
                    device_id,
                    count,
                    report.bytes[device_id] / 1e6,
                    ", ".join(sorted(report.reasons[device_id])),
                )
        if report.is_stuck:
            log.error("there is too little free space for footage, and no footage that may be deleted")


def remove_files(
    storage: Storage, garbage: list[tuple[int, str]], keep_going: Callable[[], None] = lambda: None
) -> None:
    """Remove the files of garbage, then their rows. When a file fails, rows of the files before it are deleted."""
    removed: list[int] = []
    try:
        for segment_id, key in garbage:
            keep_going()
            storage.delete(key)
            removed.append(segment_id)
    finally:
        drop_segments(removed)


def remove_local_files(
    storage: Storage, leaving: list[tuple[int, str]], keep_going: Callable[[], None] = lambda: None
) -> None:
    """Remove the local files of archived segments, then say so in their rows, as far as files could be removed."""
    removed: list[int] = []
    try:
        for segment_id, key in leaving:
            keep_going()
            storage.delete(key)
            removed.append(segment_id)
    finally:
        end_leaving(removed)
