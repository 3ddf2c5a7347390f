"""The clock that the processes of several machines share: the wall clock of the database."""

import logging
import threading
import time

from gateway import database
from gateway.clock import SystemClock
from gateway.errors import Unavailable

log = logging.getLogger(__name__)

#: Interval at which the difference from the database's clock is measured.
_MEASURE_SECONDS = 30.0
#: Smaller differences are left alone: those of machines with NTP, and the time of the query itself.
_SMALL_SECONDS = 2.0


class ServiceClock(SystemClock):
    """The machine's clock, corrected where it differs from the database's by seconds or more.

    For decisions about times that another machine may have written: plans, schedules, ages. On SQLite all processes
    share one machine, and nothing is corrected. While the database is away, the last difference counts.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset_seconds = 0.0
        self._measure_at = 0.0

    def wall(self) -> float:
        if database.is_postgresql() and time.monotonic() >= self._measure_at:
            with self._lock:
                if time.monotonic() >= self._measure_at:
                    self._measure()
        return time.time() + self._offset_seconds

    def _measure(self) -> None:
        self._measure_at = time.monotonic() + _MEASURE_SECONDS
        try:
            offset = database.now().timestamp() - time.time()
        except Unavailable as error:
            log.debug("the clock of the database cannot be read now: %s", error)
            return
        offset = offset if abs(offset) >= _SMALL_SECONDS else 0.0
        if abs(offset - self._offset_seconds) >= _SMALL_SECONDS:
            log.warning("this machine's clock differs from the database's by %.0f s: synchronize both by NTP", -offset)
        self._offset_seconds = offset
