"""Retention: deletes footage by age, by size of a device, a tenant and the store, and by the free space.

It deletes the oldest footage across devices, archived before other footage, and never protected ranges. The
housekeeping of the record workers runs it again and again; a pass does a bounded amount of work and reports whether
there is more. Ages are computed by the trusted time (`gateway.storage.clock_trust`), never by the clock alone.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.clock import Clock
from gateway.config import Config
from gateway.devices.bin import purge_bin
from gateway.footage.gaps import Range
from gateway.footage.protections import protected_ranges
from gateway.footage.recordings import Recording
from gateway.footage.segments import StoredSegment
from gateway.storage.clock_trust import ClockTrust, TrustedTime
from gateway.storage.deletion import (
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
from gateway.storage.limits import free_bytes_floor, limits_of
from gateway.storage.unprotected import deletable_segments
from gateway.storage.usage import UsageSums, bytes_per_hour, count_bytes

log = logging.getLogger(__name__)


#: Segments that are marked, and files that are removed, in one step.
_STEP = 64
#: Duration after which a pass ends. The next one follows at once, so that every rule gets its turn.
_PASS_SECONDS = 5.0
#: Least space to free on a full disk that is large enough.
_MIN_ROOM_BYTES = 256 << 20


@dataclass(slots=True)
class PassReport:
    """What a pass deleted, by device. `is_more`: another pass should follow at once. `is_stuck`: too little could be
    freed. `held`: devices with footage that is too old by the clock and not by the trusted time, with their tenants.
    """

    segments: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bytes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    reasons: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    held: dict[str, str] = field(default_factory=dict)
    time: TrustedTime | None = None
    is_more: bool = False
    is_stuck: bool = False

    def add(self, device_id: str, marked: Iterable[StoredSegment], why: str) -> None:
        """Count deleted segments of a device."""
        for segment in marked:
            self.segments[device_id] += 1
            self.bytes[device_id] += size_on_disk(segment)
            self.reasons[device_id].add(why)

    @property
    def total_segments(self) -> int:
        return sum(self.segments.values())

    @property
    def total_bytes(self) -> int:
        return sum(self.bytes.values())


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
        rules = [self._by_space]
        if not only_space:
            self._remove_deleted_devices(report)
            rules = [self._by_age, self._by_device, self._by_tenant, self._by_store, *rules]
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
        work = _Pass(kept_recordings(), protected_ranges(), report)
        self._delete_oldest(target, work.recordings, work, "the disk is full")
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
            ranges = work.ranges.get(recording.id, [])
            before_ms, times = time.now_ms - keep_ms, {"now_ms": time.wall_ms, "limit": _STEP}
            while batch := self._expiry.expired(recording.id, ranges, before_ms=before_ms, **times):
                while future := self._expiry.of_the_future(recording.id, ranges, batch, **times):
                    self._delete(recording, future, work, "age", reason_code=None)
                    if self._is_over():
                        break
                self._delete(recording, batch, work, "age")
                if self._is_over():
                    work.report.is_more = True
                    return
            if not time.is_settled and deletable_segments(
                recording.id, ranges, before_ms=time.wall_ms - keep_ms, limit=1
            ):
                work.report.held[recording.device_id] = recording.tenant_id

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
        is_enough = self._delete_oldest(missing + floor // 20, work.recordings, work, "free space")
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

    def _delete_oldest(self, size: int, recordings: list[Recording], work: _Pass, why: str) -> bool:
        """Delete the oldest `size` bytes of these recordings; False when there is less that may be deleted."""
        by_id = {recording.id: recording for recording in recordings}
        step: dict[int, list[StoredSegment]] = defaultdict(list)
        waiting = 0
        for segment in oldest_first(by_id, work.ranges):
            step[segment.recording_id].append(segment)
            waiting += 1
            size -= size_on_disk(segment)
            if waiting >= _STEP or size <= 0:
                self._delete_step(by_id, step, work, why)
                step, waiting = defaultdict(list), 0
                if size <= 0:
                    return True
                if self._is_over():
                    work.report.is_more = True
                    return True
        self._delete_step(by_id, step, work, why)
        return False

    def _delete_step(
        self, by_id: dict[int, Recording], step: dict[int, list[StoredSegment]], work: _Pass, why: str
    ) -> None:
        for recording_id, batch in step.items():
            self._delete(by_id[recording_id], batch, work, why)

    def _delete(
        self,
        recording: Recording,
        batch: Iterable[StoredSegment],
        work: _Pass,
        why: str,
        *,
        reason_code: str | None = "retention",
    ) -> None:
        self._keep_going()
        marked = mark_for_deletion(
            recording.id,
            [segment.id for segment in batch],
            reason_code=reason_code,
            known_ranges=work.ranges.get(recording.id, []),
        )
        work.report.add(recording.device_id, marked, why)
        self._pause(PAUSE_SECONDS)
        garbage = [(segment.id, segment.key(recording.tenant_id, recording.device_id)) for segment in marked]
        remove_files(self._storage, garbage, self._keep_going)
        self._pause(PAUSE_SECONDS)

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
