"""Writes the report of housekeeping: one state from what its threads found."""

import logging
import threading

import redis

from gateway.clock import Clock
from gateway.storage.interface import StorageUnavailable
from gateway.storage.pass_report import PassReport
from gateway.storage.reconciliation import TooManyMissing
from gateway.storage.report import CLOCK_DOUBTED, FULL, OK, SUSPICIOUS, UNAVAILABLE, StorageReport, StorageReports

log = logging.getLogger(__name__)

_FULL_MESSAGE = "there is too little free space, and no footage that may be deleted"


class ReportWriter:
    """The report of one process. A failure of Redis is not raised: the next report tells the same."""

    def __init__(self, reports: StorageReports, clock: Clock, worker: str) -> None:
        self._reports = reports
        self._clock = clock
        self._lock = threading.Lock()
        self._report = StorageReport(worker=worker)
        self._unavailable: StorageUnavailable | None = None
        self._suspicion: TooManyMissing | None = None
        self._doubt = ""
        self._is_full = False

    def report_unavailable(self, error: StorageUnavailable) -> None:
        """Footage can be neither written nor deleted now."""
        with self._lock:
            self._unavailable = error
            self._write()

    def report_survey(self, suspicion: TooManyMissing | None) -> None:
        """The result of a sample of the store."""
        with self._lock:
            self._unavailable, self._suspicion = None, suspicion
            self._write()

    def report_retention(self, report: PassReport) -> None:
        """The result of a pass of retention."""
        with self._lock:
            self._unavailable, self._is_full = None, report.is_stuck
            if report.time is not None:
                self._doubt = report.time.describe() if report.held else ""
            self._report.retention_at = self._clock.wall()
            self._report.waiting = len(report.waiting)
            if report.unarchived:
                self._report.unarchived_at = self._clock.wall()
            if report.total_segments or not self._report.deleted:
                self._report.deleted = {"segments": report.total_segments, "bytes": report.total_bytes}
            self._write()

    def report_sweep(self, checked: int, done: dict[str, int]) -> None:
        """The result of a comparison of the whole store."""
        with self._lock:
            self._report.checked_at = self._clock.wall()
            self._report.found = {"checked": checked, **done}
            log.info("the whole storage was compared with its rows: %s", self._report.found)
            self._write()

    def _write(self) -> None:
        self._report.state, self._report.reason, self._report.message = self._state()
        self._report.at = self._clock.wall()
        try:
            self._reports.write(self._report)
        except redis.RedisError as error:
            log.debug("the report of the storage cannot be written: %s", error)

    def _state(self) -> tuple[str, str | None, str]:
        if self._unavailable is not None:
            return UNAVAILABLE, self._unavailable.reason, self._unavailable.message
        if self._suspicion is not None:
            return SUSPICIOUS, self._suspicion.reason, self._suspicion.message
        if self._is_full:
            return FULL, "disk_full", _FULL_MESSAGE
        if self._doubt:
            return SUSPICIOUS, CLOCK_DOUBTED, self._doubt
        return OK, None, ""
