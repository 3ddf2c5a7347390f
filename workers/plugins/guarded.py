"""Calls a plugin's function so that whatever it raises ends this call alone, and ends it when it is overdue."""

import ctypes
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.clock import Clock
from gateway.errors import JobFailed, LeaseLost, VasError
from gateway.jobs.attempts import JobAttempt
from gateway.plugin_tasks import PluginJob
from workers.job_runner import JobCancelled, JobContext
from workers.plugins.child_side import describe_error

log = logging.getLogger(__name__)

#: A cancelled job that does not call `check` is ended after this time.
CANCEL_SECONDS = 10.0
#: A call that cannot be ended for this long costs its process its life.
STUCK_SECONDS = 15.0
_MAX_RESULT = 100_000


class Overdue(BaseException):
    """Raised in the thread of a plugin's function that must end. Not an Exception: plugins catch those."""


@dataclass(slots=True)
class _Call:
    name: str
    ending: Callable[[], type[BaseException] | None]
    overdue_since: float | None = None


class Calls:
    """The calls of plugins' functions that run in this process, each in the thread that makes it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[int, _Call] = {}
        self._lock = threading.Lock()

    def run(self, name: str, function: Callable[[], Any], ending: Callable[[], type[BaseException] | None]) -> Any:
        """Call the function; `ending` returns the exception to raise in it, when it is to be ended."""
        thread = threading.get_ident()
        with self._lock:
            self._calls[thread] = _Call(name, ending)
        try:
            try:
                return function()
            finally:
                self._forget(thread)
        finally:
            # Again: an exception for the function may have interrupted the first time.
            self._forget(thread)

    def _forget(self, thread: int) -> None:
        with self._lock:
            self._calls.pop(thread, None)
            # What is raised from now on would hit other code.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)

    def end_overdue(self) -> None:
        """Raise the exceptions that are due. They reach a thread only while it runs Python."""
        with self._lock:
            for thread, call in self._calls.items():
                error = call.ending()
                if error is not None:
                    call.overdue_since = call.overdue_since or self._clock.monotonic()
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))

    def stuck(self) -> str | None:
        """The name of a call that could not be ended for STUCK_SECONDS, because it does not return to Python."""
        now = self._clock.monotonic()
        with self._lock:
            for call in self._calls.values():
                if call.overdue_since is not None and now - call.overdue_since > STUCK_SECONDS:
                    return call.name
        return None


def guard_job(job: PluginJob, calls: Calls, clock: Clock) -> Callable[[JobAttempt, JobContext], dict[str, Any]]:
    """The function of a plugin's job as the job runner expects it."""

    def run(attempt: JobAttempt, context: JobContext) -> dict[str, Any]:
        cancelled_at: float | None = None
        name = f"the job {attempt.id} ({attempt.kind})"

        def ending() -> type[BaseException] | None:
            nonlocal cancelled_at
            if not context.is_cancelled():
                return None
            cancelled_at = cancelled_at or clock.monotonic()
            return Overdue if clock.monotonic() - cancelled_at > CANCEL_SECONDS else None

        try:
            result = calls.run(name, lambda: job.run(attempt, context), ending)
        except Overdue:
            raise JobCancelled from None
        except (VasError, JobCancelled, LeaseLost):
            raise
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            log.exception("job %s (%s) failed", attempt.id, attempt.kind)
            raise JobFailed("plugin_failed", describe_error(error)) from error
        return _check_result(job, {} if result is None else result)

    return run


def _check_result(job: PluginJob, result: Any) -> dict[str, Any]:
    if not isinstance(result, dict):
        raise JobFailed("plugin_failed", f"jobs of kind '{job.kind}' must return a dict, not {type(result).__name__}")
    try:
        text = json.dumps(result)
    except (TypeError, ValueError, RecursionError) as error:
        raise JobFailed("plugin_failed", f"the result of a job of kind '{job.kind}' is not JSON: {error}") from None
    if len(text) > _MAX_RESULT:
        raise JobFailed("plugin_failed", f"the result of a job of kind '{job.kind}' is longer than {_MAX_RESULT}")
    return result
