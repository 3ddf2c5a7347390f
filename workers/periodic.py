"""A thread that runs a task periodically, continues after failures, and ends when stopped."""

import logging
import threading
from collections.abc import Callable

import redis

from gateway.errors import Unavailable

log = logging.getLogger(__name__)

#: Pause after a failure, or while a service is away.
_RETRY_SECONDS = 3.0


class PeriodicThread:
    """Runs `task`, which returns the seconds until its next run. `start` and `stop` may be called twice."""

    def __init__(self, name: str, task: Callable[[], float]) -> None:
        self._name, self._task = name, task
        self.stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_error = ""

    def start(self) -> None:
        """Start the thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """End the thread after the present run of the task."""
        self.stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self.stopping.is_set():
            self.stopping.wait(self._run_task())

    def _run_task(self) -> float:
        try:
            seconds = self._task()
            self._last_error = ""
            return seconds
        except (Unavailable, redis.RedisError, OSError) as error:
            if str(error) != self._last_error:
                log.warning("%s cannot continue now: %s", self._name, error)
            self._last_error = str(error)
        except Exception:
            log.exception("a run of %s failed", self._name)
        return _RETRY_SECONDS
