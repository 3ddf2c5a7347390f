"""The thread that deletes footage: at once when the disk is full, and by the rules of retention at intervals.

It is apart from the rest of housekeeping, which may settle the store for minutes after a crash: a full disk does not
wait. A request for room is handled by any process, without the lease and without Redis, and ends a pass of retention
between two of its steps.
"""

import logging
import threading
from collections.abc import Callable

import redis

from gateway.clock import Clock
from gateway.config import Config
from gateway.database import DatabaseUnavailable
from gateway.errors import LeaseLost, Unavailable
from gateway.events.model import FOOTAGE, record_event
from gateway.storage.clock_trust import report_doubt_once
from gateway.storage.interface import Storage, StorageUnavailable
from gateway.storage.pass_report import PassReport
from gateway.storage.retention import Retention
from gateway.storage.room_requests import is_room_requested, take_room_request
from workers.storage.disk_reserve import DiskReserve
from workers.storage.report_writer import ReportWriter
from workers.storage.storage_lease import StorageLease

log = logging.getLogger(__name__)

#: Longest sleep of the thread, after which it checks for the stop.
_IDLE_SECONDS = 0.5
_RETRY_SECONDS = 3.0
#: Least pauses between two deletions for a full disk; the longer one when there was nothing to delete.
_ROOM_SECONDS = 1.0
_STUCK_SECONDS = 10.0
#: A device's event that footage was deleted without a copy is not repeated for this time.
_EVENT_SECONDS = 3600.0
_UNARCHIVED = "Footage was deleted before it had a copy in the archive: the disk is full"


class _Interrupted(Exception):
    """The pass ends here: the thread is to end, or a full disk comes first. The next pass finishes what was begun."""


class RetentionLoop:
    """Retention of one process. `start` starts its thread; it ends when `stop` is set.

    `may_expire()` returns whether the store is settled, so that all rules apply; until then only that of free space
    does. `is_recorded(device_id)` is as in `Retention`.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        lease: StorageLease,
        reports: ReportWriter,
        *,
        stop: threading.Event,
        open_store: Callable[[Config], Storage],
        is_recorded: Callable[[str], bool],
        may_expire: Callable[[], bool],
    ) -> None:
        self._config = config
        self._clock = clock
        self._lease = lease
        self._reports = reports
        self._stop = stop
        self._open_store = open_store
        self._is_recorded = is_recorded
        self._may_expire = may_expire
        self._storage: Storage | None = None
        self._had_lease = False
        self._was_settled = False
        self._last_error = ""
        self._next_pass_at = 0.0
        self._next_room_at = 0.0
        self._next_event_at: dict[str, float] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
            self._thread.start()

    def join(self, timeout_seconds: float) -> None:
        """Wait for the end of the thread, after `stop` was set."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            if take_room_request(_IDLE_SECONDS) and not self._stop.is_set():
                self._attempt(self.make_room)
            self._attempt(self.turn)

    def _attempt(self, work: Callable[[], None]) -> None:
        """Run one attempt; after a failure the next pass waits for some seconds."""
        try:
            work()
            self._last_error = ""
        except _Interrupted:
            self._next_pass_at = 0.0
        except LeaseLost:
            return
        except (Unavailable, redis.RedisError) as error:
            self._log_error(error)
            self._next_pass_at = self._clock.monotonic() + _RETRY_SECONDS
        except Exception:
            log.exception("retention failed")
            self._next_pass_at = self._clock.monotonic() + _RETRY_SECONDS

    def turn(self) -> None:
        """Run a pass of retention, if it is due and this process holds the lease. Raises Unavailable."""
        has_lease, is_settled = self._lease.is_held, self._may_expire()
        if has_lease and (not self._had_lease or is_settled != self._was_settled):
            self._next_pass_at = min(self._next_pass_at, self._clock.monotonic())
        self._had_lease, self._was_settled = has_lease, is_settled
        if not has_lease or self._clock.monotonic() < self._next_pass_at:
            return
        self._next_pass_at = self._clock.monotonic() + self._config.retention_seconds
        storage = self._open()
        report = self._retention.run(only_space=not is_settled)
        self._report(report)
        self._reserve.allocate(storage.space().free)
        if report.is_more:
            self._next_pass_at = 0.0

    def make_room(self) -> None:
        """Delete footage because the disk is full. Raises Unavailable."""
        if self._clock.monotonic() < self._next_room_at:
            return
        self._next_room_at = self._clock.monotonic() + _ROOM_SECONDS
        storage = self._open()
        retention = Retention(self._config, storage, self._clock, keep_going=self._check_stop)
        try:
            report = retention.make_room()
        except DatabaseUnavailable:
            # The database may be on the same disk, and unable to mark what is to be deleted.
            if not self._reserve.release():
                raise
            report = retention.make_room()
        if report.is_stuck:
            self._next_room_at = self._clock.monotonic() + _STUCK_SECONDS
        self._report(report)

    def _report(self, report: PassReport) -> None:
        self._reports.report_retention(report)
        if report.held and report.time is not None and report.time.is_doubted and report_doubt_once():
            for device_id, tenant_id in report.held.items():
                text = f"Old footage is kept: {report.time.describe()}"
                record_event(tenant_id, device_id, FOOTAGE, text)
        for device_id, tenant_id in report.unarchived.items():
            if self._clock.monotonic() >= self._next_event_at.get(device_id, 0.0):
                self._next_event_at[device_id] = self._clock.monotonic() + _EVENT_SECONDS
                record_event(tenant_id, device_id, FOOTAGE, _UNARCHIVED)

    def _keep_going(self) -> None:
        self._check_stop()
        if is_room_requested() and self._clock.monotonic() >= self._next_room_at:
            raise _Interrupted
        self._lease.keep()

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise _Interrupted

    def _open(self) -> Storage:
        """The store, checked. It is opened again after it was unavailable, because another disk may be mounted now."""
        if self._storage is None:
            self._storage = self._open_store(self._config)
            self._retention = Retention(
                self._config,
                self._storage,
                self._clock,
                keep_going=self._keep_going,
                is_recorded=self._is_recorded,
                pause=self._stop.wait,
            )
            self._reserve = DiskReserve(self._storage)
        self._storage.check()
        return self._storage

    def _log_error(self, error: Exception) -> None:
        if str(error) != self._last_error:
            log.warning("footage cannot be deleted now: %s", error)
        self._last_error = str(error)
        if isinstance(error, StorageUnavailable):
            self._storage = None
            self._reports.report_unavailable(error)
