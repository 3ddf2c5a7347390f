"""Runs jobs: claims them, writes heartbeats, cancels them within a second, hands them back when the worker stops.

The message in the queue is only a hint: the database holds the jobs. A job for which no slot was free is taken by the
first slot that becomes free, and the clock process sends its message again.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dramatiq.middleware import Shutdown

from gateway.config import Config
from gateway.errors import JobFailed, LeaseLost, Unavailable, VasError
from gateway.jobs.attempts import (
    JobAttempt,
    claim_job,
    end_cancelled,
    fail_job,
    finish_job,
    hand_back,
    heartbeat_job,
    is_cancel_requested,
    next_queued,
)
from gateway.jobs.files import remove_results

log = logging.getLogger(__name__)

_CHECK_SECONDS = 0.3
_HEARTBEAT_SECONDS = 2.0
#: How long writing the end of a job is retried while the database is away.
_MAX_RETRY_SECONDS = 120.0
_RETRY_SECONDS = 0.5


class JobCancelled(Exception):
    """The cancellation of the job was requested."""


class JobContext:
    """The context of a job's function. Call `check` often; both `check` and `report` are cheap."""

    def __init__(self, config: Config, attempt: JobAttempt, is_closing: Callable[[], bool] = lambda: False) -> None:
        self.config = config
        self.attempt = attempt
        self._is_closing = is_closing
        self._progress, self._stage = 0.0, "starting"
        self._is_cancelled = threading.Event()
        self._is_lost = threading.Event()

    def check(self) -> None:
        """Raise JobCancelled if the job is to end, LeaseLost if another worker has it or it was deleted.

        Raises Shutdown if the worker stops: Python drops the one that Dramatiq raises in the thread if it arrives in a
        destructor or another callback.
        """
        if self._is_closing():
            raise Shutdown
        self.check_attempt()

    def check_attempt(self) -> None:
        """As `check`, but a stop of the worker does not count: its work is done."""
        if self._is_lost.is_set():
            raise LeaseLost(f"job '{self.attempt.id}' is no longer run by this attempt")
        if self._is_cancelled.is_set():
            raise JobCancelled

    def is_cancelled(self) -> bool:
        """Whether the job is to end, because it was cancelled or lost."""
        return self._is_cancelled.is_set() or self._is_lost.is_set()

    def report(self, progress: float, stage: str) -> None:
        """Set progress (0 to 1) and stage of the job; written with the next heartbeat."""
        self._progress, self._stage = progress, stage


#: The function of a kind of job: returns the result or raises JobFailed. After a kill it is run again from the start.
JobFunction = Callable[[JobAttempt, JobContext], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class JobRunner:
    """Runs jobs of some kinds in this process; `slots` limits how many run at once."""

    config: Config
    worker: str
    kinds: Mapping[str, JobFunction]
    slots: threading.BoundedSemaphore
    is_closing: Callable[[], bool] = lambda: False

    def run(self, job_id: str) -> None:
        """Run a job if it is still queued and a slot is free, then the longest queued ones, until none is queued."""
        if not self.slots.acquire(blocking=False):
            log.debug("job %s waits: all slots of this worker are taken", job_id)
            return
        try:
            next_id: str | None = job_id
            while next_id is not None and not self.is_closing():
                attempt = claim_job(next_id, self.worker)
                if attempt is not None:
                    self._run_one(attempt)
                next_id = None if self.is_closing() else next_queued(self.kinds)
        finally:
            self.slots.release()

    def _run_one(self, attempt: JobAttempt) -> None:
        keep_hours = self.config.export_keep_hours
        context = JobContext(self.config, attempt, self.is_closing)
        started = time.monotonic()
        log.info("job %s (%s) started, attempt %d", attempt.id, attempt.kind, attempt.attempt)
        try:
            with _Heartbeat(context):
                # The files of an attempt that was killed are useless: each attempt starts from the beginning.
                remove_results(self.config, attempt.id)
                result = self._function(attempt)(attempt, context)
                context.check_attempt()
            if not retry_until_written(lambda: finish_job(attempt, result, keep_hours=keep_hours)):
                raise LeaseLost(f"job '{attempt.id}' was lost while its end was written")
            log.info("job %s (%s) done in %.1f s", attempt.id, attempt.kind, time.monotonic() - started)
        except Shutdown:
            log.info("job %s is handed back: this worker stops", attempt.id)
            try:
                self._hand_back(attempt)
            except Shutdown:
                # Dramatiq's came after that of `check`.
                self._hand_back(attempt)
            raise
        except LeaseLost:
            # Deleted, or taken by another worker: the files of this attempt are orphans.
            log.info("job %s no longer belongs to this worker", attempt.id)
            remove_results(self.config, result_stem(attempt))
        except JobCancelled:
            log.info("job %s was cancelled", attempt.id)
            remove_results(self.config, attempt.id)
            retry_until_written(lambda: end_cancelled(attempt, keep_hours=keep_hours))
        except Exception as error:
            is_known = isinstance(error, VasError)
            reason = error.reason if is_known else "job_failed"
            log.log(
                logging.WARNING if is_known else logging.ERROR,
                "job %s failed: %s: %s",
                attempt.id,
                reason,
                error,
                exc_info=None if is_known else error,
            )
            message = error.message if is_known else None
            remove_results(self.config, attempt.id)
            retry_until_written(lambda: fail_job(attempt, reason, message, keep_hours=keep_hours))

    def _hand_back(self, attempt: JobAttempt) -> None:
        with contextlib.suppress(VasError):
            remove_results(self.config, attempt.id)
            hand_back(attempt)

    def _function(self, attempt: JobAttempt) -> JobFunction:
        try:
            return self.kinds[attempt.kind]
        except KeyError:
            raise JobFailed("job_failed", f"this worker cannot run jobs of kind '{attempt.kind}'") from None


def result_stem(attempt: JobAttempt) -> str:
    """The start of the names of an attempt's files: no two attempts write the same file."""
    return f"{attempt.id}-{attempt.token.rpartition(':')[2]}"


class _Heartbeat:
    """A thread that writes the heartbeat of a job and checks whether the job is to end."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"job {context.attempt.id[:8]}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        # Short waits, because Dramatiq's Shutdown reaches a thread only while it runs Python.
        while self._thread.is_alive():
            self._thread.join(0.2)

    def _run(self) -> None:
        context, attempt = self._context, self._context.attempt
        written_at, written = time.monotonic(), ("starting", 0)
        while not self._end.wait(_CHECK_SECONDS):
            now = time.monotonic()
            current = (context._stage, int(context._progress * 100))
            try:
                age = now - written_at
                if age >= _HEARTBEAT_SECONDS or (current != written and age >= 2 * _CHECK_SECONDS):
                    is_cancelled = heartbeat_job(attempt, context._progress, context._stage)
                    written_at, written = now, current
                else:
                    is_cancelled = is_cancel_requested(attempt)
            except LeaseLost:
                context._is_lost.set()
                return
            except Unavailable as error:
                log.debug("the heartbeat of job %s cannot be written now: %s", attempt.id, error)
                continue
            except Exception:
                log.exception("the heartbeat of job %s failed", attempt.id)
                continue
            if is_cancelled:
                context._is_cancelled.set()


def retry_until_written(write: Callable[[], None]) -> bool:
    """Write the end of a job or its result, with retries while the database is away; False if the job is lost.

    After the last retry, the clock process finds the job without a heartbeat and requeues it.
    """
    deadline = time.monotonic() + _MAX_RETRY_SECONDS
    while True:
        try:
            write()
            return True
        except LeaseLost as error:
            log.info("%s", error)
            return False
        except Unavailable as error:
            if time.monotonic() > deadline:
                log.warning("the end of a job could not be written: %s", error)
                return False
            time.sleep(_RETRY_SECONDS)
