"""A thread that does something again and again, goes on after a failure, and ends when told."""

import logging
import threading
from collections.abc import Callable

import redis

from gateway.errors import Unavailable

log = logging.getLogger(__name__)

#: After something was away or failed.
_RETRY_SECONDS = 3.0


class PeriodicThread:
    """Calls `turn`, which gives the seconds until its next call. `start` and `stop` may be called twice."""

    def __init__(self, name: str, turn: Callable[[], float]) -> None:
        self._name, self._turn = name, turn
        self.stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._complaint = ""

    def start(self) -> None:
        """Begin."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """End after the present turn."""
        self.stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self.stopping.is_set():
            self.stopping.wait(self._attempt())

    def _attempt(self) -> float:
        try:
            seconds = self._turn()
            self._complaint = ""
            return seconds
        except (Unavailable, redis.RedisError, OSError) as error:
            if str(error) != self._complaint:
                log.warning("%s cannot go on now: %s", self._name, error)
            self._complaint = str(error)
        except Exception:
            log.exception("a turn of %s failed", self._name)
        return _RETRY_SECONDS
