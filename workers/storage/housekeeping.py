"""Housekeeping of the store of footage, in a thread of the record worker: by one process at a time, which holds a
lease.

It first repairs what a crash left behind, then runs retention again and again; in between it slowly compares the whole
store with its rows. A full disk is handled at once, by any process and without the lease.
"""

import logging
import threading
from collections.abc import Callable

import redis

from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.database import DatabaseUnavailable
from gateway.errors import LeaseLost, Unavailable
from gateway.leases import Leases
from gateway.storage.interface import Storage, StorageUnavailable
from gateway.storage.local import ensure_storage
from gateway.storage.reconciliation import Reconciliation, TooManyMissing
from gateway.storage.recorders import LivingRecorders
from gateway.storage.report import FULL, OK, SUSPICIOUS, UNAVAILABLE, StorageReport, StorageReports
from gateway.storage.retention import PassReport, Retention
from gateway.storage.room_requests import take_room_request
from gateway.storage.sweep import Sweep
from workers.storage.disk_reserve import DiskReserve

log = logging.getLogger(__name__)

LEASE = "storage"
LEASE_ID = "local"
LEASE_SECONDS = 30.0
_RENEW_SECONDS = 5.0

#: Longest sleep of the thread, after which it checks for the stop and for requests for space.
_IDLE_SECONDS = 0.5
#: Interval and duration of a step of the sweep, and the interval between the starts of two sweeps.
_STEP_EVERY_SECONDS = 1.0
_STEP_SECONDS = 0.05
SWEEP_SECONDS = 86_400.0
#: Interval between two searches for segments that a dead recorder left open.
_LEFT_OPEN_SECONDS = 20.0
#: Pauses after a failure, and between two samples of a suspicious store.
_RETRY_SECONDS = 3.0
_SUSPICION_SECONDS = 60.0
#: Least pauses between two deletions for a full disk; the longer one when there was nothing to delete.
_ROOM_SECONDS = 1.0
_STUCK_SECONDS = 10.0


class _Stopping(Exception):
    """The thread is to end; the next process finishes what was begun."""


class Housekeeper:
    """The housekeeping of one process. `start` starts it, `stop` ends it within some seconds; both may be called twice.

    `recorder` is the name of the output that writes footage; None when no plugin has one.
    """

    def __init__(
        self,
        config: Config,
        client: redis.Redis,
        clock: Clock | None = None,
        *,
        worker: str,
        recorder: str | None,
        open_store: Callable[[Config], Storage] = ensure_storage,
    ) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._worker = worker
        self._open_store = open_store
        self._leases = Leases(client)
        self._reports = StorageReports(client)
        self._living = LivingRecorders(client, recorder)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._renewed_at: float | None = None
        self._storage: Storage | None = None
        self._report = StorageReport(worker=worker)
        self._last_error = ""
        self._due: dict[str, float] = {}
        self._is_surveyed = False
        self._is_suspicious = False

    def start(self) -> None:
        """Start the thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
            self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """End the thread between two steps, and release the lease."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            if take_room_request(_IDLE_SECONDS) and not self._stop.is_set():
                self._attempt(self._make_room)
            self._attempt(self.turn)
        self._release()

    def _attempt(self, work: Callable[[], None]) -> None:
        """Run one attempt; after a failure the next turn waits for some seconds."""
        try:
            work()
        except _Stopping:
            return
        except LeaseLost:
            self._forget_lease()
        except (Unavailable, redis.RedisError) as error:
            self._log_error(error)
            self._due["turn"] = self._clock.monotonic() + _RETRY_SECONDS
        except Exception:
            log.exception("housekeeping of the storage failed")
            self._due["turn"] = self._clock.monotonic() + _RETRY_SECONDS

    # ---- one turn ----------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Do what is due, if this process holds the lease. Raises Unavailable and redis.RedisError."""
        if not self._is_due("turn", _IDLE_SECONDS) or not self._take_lease():
            return
        storage = self._open()
        if not self._is_surveyed:
            self._survey()
        if self._is_due("retention", self._config.retention_seconds):
            report = self._retention.run(only_space=self._is_suspicious)
            self._report_retention(report)
            self._reserve.allocate(storage.space().free)
            if report.is_more:
                self._due["retention"] = 0.0
        if self._is_suspicious:
            if self._is_due("survey", _SUSPICION_SECONDS):
                self._survey()
            return
        self._continue_sweep(storage)

    def _survey(self) -> None:
        """Check by a sample that the store is the same as before, then repair the newest footage."""
        try:
            self._sweep.survey()
            self._sweep.repair_recent()
        except TooManyMissing as error:
            self._suspect(error)
        else:
            self._is_suspicious = False
            self._report_state(OK)
        # Retention also serves a suspicious store, whose sample is repeated.
        self._is_surveyed = True
        self._due["survey"] = self._clock.monotonic() + _SUSPICION_SECONDS

    def _continue_sweep(self, storage: Storage) -> None:
        storage.check()
        try:
            if self._is_due("left_open", _LEFT_OPEN_SECONDS):
                self._sweep.repair_left_open()
            if self._is_due("step", _STEP_EVERY_SECONDS) and self._sweep.is_due(SWEEP_SECONDS):
                is_more = self._sweep.step(_STEP_SECONDS)
                if not is_more:
                    self._report_sweep()
        except TooManyMissing as error:
            self._suspect(error)

    def _make_room(self) -> None:
        """Delete footage because the disk is full. Any process does so at once, without the lease and without Redis."""
        if self._clock.monotonic() < self._due.get("room", 0.0):
            return
        self._due["room"] = self._clock.monotonic() + _ROOM_SECONDS
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
            self._due["room"] = self._clock.monotonic() + _STUCK_SECONDS
        self._report_retention(report)

    # ---- the lease ---------------------------------------------------------------------------------------------

    def _take_lease(self) -> bool:
        if self._renewed_at is not None:
            self._keep_going()
            return True
        if not self._leases.take(LEASE, LEASE_ID, self._worker, LEASE_SECONDS):
            self._due["turn"] = self._clock.monotonic() + _RENEW_SECONDS
            return False
        self._renewed_at = self._clock.monotonic()
        self._is_surveyed = False
        self._due.pop("retention", None)
        log.info("worker %s does the housekeeping of the storage", self._worker)
        return True

    def _keep_going(self) -> None:
        """Check between two steps whether to stop, and renew the lease. Raises _Stopping and LeaseLost."""
        self._check_stop()
        now = self._clock.monotonic()
        if self._renewed_at is None or now - self._renewed_at >= _RENEW_SECONDS:
            self._leases.renew(LEASE, LEASE_ID, self._worker, LEASE_SECONDS)
            self._renewed_at = now

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise _Stopping

    def _forget_lease(self) -> None:
        log.info("worker %s stops the housekeeping of the storage: another worker does it", self._worker)
        self._renewed_at = None

    def _release(self) -> None:
        if self._renewed_at is None:
            return
        self._renewed_at = None
        try:
            self._leases.release(LEASE, LEASE_ID, self._worker)
        except redis.RedisError as error:
            log.debug("the lease of the storage expires by itself: %s", error)

    # ---- the storage -------------------------------------------------------------------------------------------

    def _open(self) -> Storage:
        """The store, checked. It is opened again after it was unavailable, because another disk may be mounted now."""
        if self._storage is None:
            self._storage = self._open_store(self._config)
            reconciliation = Reconciliation(
                self._storage, self._clock, is_recorded=self._living, keep_going=self._keep_going
            )
            self._sweep = Sweep(reconciliation, self._reports, self._clock)
            self._retention = Retention(
                self._config,
                self._storage,
                self._clock,
                keep_going=self._keep_going,
                is_recorded=self._living,
                pause=self._stop.wait,
            )
            self._reserve = DiskReserve(self._storage)
            self._is_surveyed = False
        self._storage.check()
        return self._storage

    # ---- reports -----------------------------------------------------------------------------------------------

    def _log_error(self, error: Exception) -> None:
        if str(error) != self._last_error:
            log.warning("housekeeping of the storage is not possible now: %s", error)
        self._last_error = str(error)
        if isinstance(error, StorageUnavailable):
            self._storage = None
            self._report_state(UNAVAILABLE, error.reason, error.message)

    def _suspect(self, error: TooManyMissing) -> None:
        if not self._is_suspicious:
            log.error("the storage is suspicious, nothing is changed: %s", error)
        self._is_suspicious = True
        self._due["survey"] = self._clock.monotonic() + _SUSPICION_SECONDS
        self._report_state(SUSPICIOUS, error.reason, error.message)

    def _report_retention(self, report: PassReport) -> None:
        self._last_error = ""
        self._report.retention_at = self._clock.wall()
        if report.total_segments or not self._report.deleted:
            self._report.deleted = {"segments": report.total_segments, "bytes": report.total_bytes}
        if report.is_stuck:
            self._report_state(FULL, "disk_full", "there is too little free space, and no footage that may be deleted")
        elif self._is_suspicious:
            self._write_report()
        else:
            self._report_state(OK)

    def _report_sweep(self) -> None:
        self._report.checked_at = self._clock.wall()
        self._report.found = {"checked": self._sweep.checked, **self._sweep.done}
        self._sweep.done.clear()
        log.info("the whole storage was compared with its rows: %s", self._report.found)
        self._write_report()

    def _report_state(self, state: str, reason: str | None = None, message: str = "") -> None:
        self._report.state, self._report.reason, self._report.message = state, reason, message
        self._write_report()

    def _write_report(self) -> None:
        self._report.at = self._clock.wall()
        try:
            self._reports.write(self._report)
        except redis.RedisError as error:
            log.debug("the report of the storage cannot be written: %s", error)

    def _is_due(self, what: str, every_seconds: float) -> bool:
        now = self._clock.monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every_seconds
        return True
