"""Housekeeping of the store of footage, in two threads of the record worker: by one process at a time, which holds a
lease.

One thread repairs what a crash left behind and slowly compares the whole store with its rows; the other one deletes
footage (`workers.storage.retention_loop`), and does not wait for the first.
"""

import logging
import threading
from collections.abc import Callable

import redis

from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.errors import LeaseLost, Unavailable
from gateway.storage.interface import Storage, StorageUnavailable
from gateway.storage.local import ensure_storage
from gateway.storage.reconciliation import Reconciliation, TooManyMissing
from gateway.storage.recorders import LivingRecorders
from gateway.storage.report import StorageReports
from gateway.storage.sweep import Sweep
from workers.storage.report_writer import ReportWriter
from workers.storage.retention_loop import RetentionLoop
from workers.storage.storage_lease import StorageLease

log = logging.getLogger(__name__)

#: Longest sleep of the thread, after which it checks for the stop.
_IDLE_SECONDS = 0.5
#: Interval at which a process without the lease tries to take it.
_TAKE_SECONDS = 5.0
#: Interval and duration of a step of the sweep, and the interval between the starts of two sweeps.
_STEP_EVERY_SECONDS = 1.0
_STEP_SECONDS = 0.05
SWEEP_SECONDS = 86_400.0
#: Interval between two searches for segments that a dead recorder left open.
_LEFT_OPEN_SECONDS = 20.0
#: Pauses after a failure, and between two samples of a suspicious store.
_RETRY_SECONDS = 3.0
_SUSPICION_SECONDS = 60.0


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
        self._open_store = open_store
        self._lease = StorageLease(client, self._clock, worker)
        self._sweep_reports = StorageReports(client)
        self._reports = ReportWriter(StorageReports(client), self._clock, worker)
        self._living = LivingRecorders(client, recorder)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._storage: Storage | None = None
        self._last_error = ""
        self._due: dict[str, float] = {}
        self._is_surveyed = False
        self._is_suspicious = False
        self._retention = RetentionLoop(
            config,
            self._clock,
            self._lease,
            self._reports,
            stop=self._stop,
            open_store=open_store,
            is_recorded=LivingRecorders(client, recorder),
            may_expire=lambda: self._is_surveyed and not self._is_suspicious,
        )

    def start(self) -> None:
        """Start the threads."""
        self._retention.start()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
            self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """End the threads between two steps, and release the lease."""
        self._stop.set()
        deadline = self._clock.monotonic() + timeout_seconds
        self._retention.join(timeout_seconds)
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - self._clock.monotonic()))

    def _run(self) -> None:
        while not self._stop.wait(_IDLE_SECONDS):
            self._attempt(self.turn)
        self._lease.release()

    def _attempt(self, work: Callable[[], None]) -> None:
        """Run one attempt; after a failure the next turn waits for some seconds."""
        try:
            work()
            self._last_error = ""
        except (_Stopping, LeaseLost):
            return
        except (Unavailable, redis.RedisError) as error:
            self._log_error(error)
            self._due["turn"] = self._clock.monotonic() + _RETRY_SECONDS
        except Exception:
            log.exception("housekeeping of the storage failed")
            self._due["turn"] = self._clock.monotonic() + _RETRY_SECONDS

    # ---- one turn ----------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Do what is due, if this process holds the lease. Raises Unavailable and redis.RedisError."""
        if not self._is_due("turn", _IDLE_SECONDS) or not self._has_lease():
            return
        storage = self._open()
        if not self._is_surveyed:
            self._survey()
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
            self._reports.report_survey(None)
        # A suspicious store is settled too: its sample is repeated, and only the rule of free space applies.
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
                    self._reports.report_sweep(self._sweep.checked, self._sweep.done)
                    self._sweep.done.clear()
        except TooManyMissing as error:
            self._suspect(error)

    def _has_lease(self) -> bool:
        if self._lease.is_held:
            self._keep_going()
            return True
        # Until this process has settled the store, retention leaves ages alone.
        self._is_surveyed = False
        if not self._lease.take():
            self._due["turn"] = self._clock.monotonic() + _TAKE_SECONDS
            return False
        return True

    def _keep_going(self) -> None:
        """Check between two steps whether to stop, and renew the lease. Raises _Stopping and LeaseLost."""
        if self._stop.is_set():
            raise _Stopping
        self._lease.keep()

    # ---- the storage -------------------------------------------------------------------------------------------

    def _open(self) -> Storage:
        """The store, checked. It is opened again after it was unavailable, because another disk may be mounted now."""
        if self._storage is None:
            self._storage = self._open_store(self._config)
            reconciliation = Reconciliation(
                self._storage, self._clock, is_recorded=self._living, keep_going=self._keep_going
            )
            self._sweep = Sweep(reconciliation, self._sweep_reports, self._clock)
            self._is_surveyed = False
        self._storage.check()
        return self._storage

    def _log_error(self, error: Exception) -> None:
        if str(error) != self._last_error:
            log.warning("housekeeping of the storage is not possible now: %s", error)
        self._last_error = str(error)
        if isinstance(error, StorageUnavailable):
            self._storage = None
            self._reports.report_unavailable(error)

    def _suspect(self, error: TooManyMissing) -> None:
        if not self._is_suspicious:
            log.error("the storage is suspicious, nothing is changed: %s", error)
        self._is_suspicious = True
        self._due["survey"] = self._clock.monotonic() + _SUSPICION_SECONDS
        self._reports.report_survey(error)

    def _is_due(self, what: str, every_seconds: float) -> bool:
        now = self._clock.monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every_seconds
        return True
