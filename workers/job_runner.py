"""Runs the jobs that a person waits for: claimed, kept alive by a heartbeat, cancelled within a second, handed back.

The queue's message is only a hint: which jobs there are stands in the database. A job that no seat was free for is
taken by whoever gets free first, and the clock process sends its message again.
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
from gateway.errors import LeaseLost, Unavailable, VasError
from gateway.jobs.files import remove_results
from gateway.jobs.model import (
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

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.3
_HEARTBEAT_SECONDS = 2.0
#: So long the end of a job is tried to be written while the database is away.
_PATIENCE_SECONDS = 120.0
_RETRY_SECONDS = 0.5


class JobFailed(VasError):
    """A job cannot be done; `reason` is a code of gateway.jobs.model.JOB_ERRORS or gateway.states.REASONS."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, reason=reason)


class JobCancelled(Exception):
    """Somebody wished the job to end."""


class JobContext:
    """What a job's function has beside the job. `check` often, `report` as often as it likes: both cost nothing."""

    def __init__(self, config: Config, attempt: JobAttempt) -> None:
        self.config = config
        self.attempt = attempt
        self._progress, self._stage = 0.0, "starting"
        self._is_cancelled = threading.Event()
        self._is_lost = threading.Event()

    def check(self) -> None:
        """Raise JobCancelled when the job is to end, LeaseLost when another worker has it or it was deleted."""
        if self._is_lost.is_set():
            raise LeaseLost(f"job '{self.attempt.id}' is not run by this attempt any more")
        if self._is_cancelled.is_set():
            raise JobCancelled

    def report(self, progress: float, stage: str) -> None:
        """How far the job is, 0 to 1, and at what; written with the next heartbeat."""
        self._progress, self._stage = progress, stage


#: What runs a job: it gives the result, or raises JobFailed. It may be killed at any moment and is then begun anew.
JobFunction = Callable[[JobAttempt, JobContext], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class JobRunner:
    """Runs jobs of some kinds in this process, `seats` at once."""

    config: Config
    worker: str
    kinds: Mapping[str, JobFunction]
    seats: threading.BoundedSemaphore
    is_closing: Callable[[], bool] = lambda: False

    def run(self, job_id: str) -> None:
        """Run a job if it is still queued and a seat is free, then whichever has waited longest, until none does."""
        if not self.seats.acquire(blocking=False):
            log.debug("job %s waits: every seat of this worker is taken", job_id)
            return
        try:
            following: str | None = job_id
            while following is not None and not self.is_closing():
                attempt = claim_job(following, self.worker)
                if attempt is not None:
                    self._run_one(attempt)
                following = None if self.is_closing() else next_queued(self.kinds)
        finally:
            self.seats.release()

    def _run_one(self, attempt: JobAttempt) -> None:
        keep_hours = self.config.export_keep_hours
        context = JobContext(self.config, attempt)
        started = time.monotonic()
        log.info("job %s (%s) started, attempt %d", attempt.id, attempt.kind, attempt.attempt)
        try:
            with _Heartbeat(context):
                # What an attempt that was killed has left is of no use: each begins anew.
                remove_results(self.config, attempt.id)
                result = self._function(attempt)(attempt, context)
                context.check()
            if not retry_until_written(lambda: finish_job(attempt, result, keep_hours=keep_hours)):
                raise LeaseLost(f"job '{attempt.id}' was taken away while it was finished")
            log.info("job %s (%s) done in %.1f s", attempt.id, attempt.kind, time.monotonic() - started)
        except Shutdown:
            log.info("job %s is handed back: this worker stops", attempt.id)
            with contextlib.suppress(VasError):
                remove_results(self.config, attempt.id)
                hand_back(attempt)
            raise
        except LeaseLost:
            # Deleted, or another worker's: whatever this attempt has written belongs to nobody.
            log.info("job %s is not this worker's any more", attempt.id)
            for path in self.config.exports_dir.glob(f"*{result_stem(attempt)}*"):
                path.unlink(missing_ok=True)
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

    def _function(self, attempt: JobAttempt) -> JobFunction:
        try:
            return self.kinds[attempt.kind]
        except KeyError:
            raise JobFailed("job_failed", f"this worker knows no job of kind '{attempt.kind}'") from None


def result_stem(attempt: JobAttempt) -> str:
    """How the names of an attempt's files begin: no two attempts write the same file."""
    return f"{attempt.id}-{attempt.token.rpartition(':')[2]}"


class _Heartbeat:
    """A thread that says that the job lives, and looks whether it is to end."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"job {context.attempt.id[:8]}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        # Short waits, because Dramatiq's Shutdown reaches a thread only when it runs Python.
        while self._thread.is_alive():
            self._thread.join(0.2)

    def _beat(self) -> None:
        context, attempt = self._context, self._context.attempt
        beaten_at, told = time.monotonic(), ("starting", 0)
        while not self._end.wait(_LOOK_SECONDS):
            now = time.monotonic()
            news = (context._stage, int(context._progress * 100))
            try:
                if now - beaten_at >= _HEARTBEAT_SECONDS or (news != told and now - beaten_at >= 2 * _LOOK_SECONDS):
                    is_wished = heartbeat_job(attempt, context._progress, context._stage)
                    beaten_at, told = now, news
                else:
                    is_wished = is_cancel_requested(attempt)
            except LeaseLost:
                context._is_lost.set()
                return
            except Unavailable as error:
                log.debug("job %s cannot be told to live now: %s", attempt.id, error)
                continue
            except Exception:
                log.exception("the heart of job %s stumbled", attempt.id)
                continue
            if is_wished:
                context._is_cancelled.set()


def retry_until_written(write: Callable[[], None]) -> bool:
    """Write the end of a job or of what it has made, also when the database is away for a while; False when it is lost.

    Given up, the clock process finds the job without a heartbeat and puts it back.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
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
