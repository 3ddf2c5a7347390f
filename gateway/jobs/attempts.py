"""Attempts: a job is run by one worker at a time, which claims it, sends heartbeats and writes how it ended.

Each attempt holds a token. Whatever an attempt writes after it has lost the job raises LeaseLost. Times are those of
the database, because the clock process that misses a heartbeat may run on another machine. Every function opens its own
transaction and raises `gateway.database.DatabaseUnavailable` when the database is away.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import peewee

from gateway import database
from gateway.errors import LeaseLost
from gateway.events.bell import show_passing
from gateway.events.model import JOB
from gateway.jobs.model import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Job, release_footage, report_job
from gateway.tenancy.scopes import EVERY_TENANT, TimeField

#: A running job without a heartbeat for this long has lost its worker.
LOST_SECONDS = 15.0
#: How often a job is started at most.
MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class JobAttempt:
    """A job that this process runs now; `token` is the right to write its row."""

    id: str
    tenant_id: str
    device_id: str | None
    kind: str
    parameters: dict[str, Any]
    attempt: int
    token: str


def claim_job(job_id: str, worker: str, at: datetime | None = None) -> JobAttempt | None:
    """Start a queued job; None if it is not queued (any more). One caller wins."""
    now = at or database.now()
    token = f"{worker}:{secrets.token_hex(4)}"
    started = EVERY_TENANT.update(
        Job,
        state=RUNNING,
        worker=token,
        heartbeat_at=now,
        attempts=Job.attempts + 1,
        progress=0,
        stage="starting",
        started_at=peewee.fn.COALESCE(Job.started_at, TimeField().db_value(now)),
    )
    with database.transaction():
        if not started.where(Job.id == job_id, Job.state == QUEUED).execute():
            return None
        job = EVERY_TENANT.select(Job).where(Job.id == job_id).first()
        report_job(job_id, RUNNING)
    return JobAttempt(job.id, job.tenant_id, job.device_id, job.kind, json.loads(job.parameters), job.attempts, token)


def next_queued(kinds: Iterable[str]) -> str | None:
    """The id of the job that has been queued longest; None if no job is queued."""
    with database.session():
        query = EVERY_TENANT.select(Job, Job.id).where(Job.state == QUEUED, Job.kind.in_(list(kinds)))
        row = query.order_by(Job.created_at, Job.id).tuples().first()
    return None if row is None else str(row[0])


def heartbeat_job(attempt: JobAttempt, progress: float, stage: str, at: datetime | None = None) -> bool:
    """Write the heartbeat and progress of an attempt; returns whether it is to be cancelled. Raises LeaseLost."""
    with database.transaction():
        progress = min(max(progress, 0.0), 1.0)
        _write(attempt, progress=progress, stage=stage, heartbeat_at=at or database.now())
        fact = {"job_id": attempt.id, "kind": attempt.kind, "progress": round(progress, 3), "stage": stage}
        database.after_commit(partial(show_passing, attempt.tenant_id, attempt.device_id, JOB, fact))
        return is_cancel_requested(attempt)


def is_cancel_requested(attempt: JobAttempt) -> bool:
    """Whether the attempt is to be cancelled. Raises LeaseLost when it no longer owns the job."""
    with database.session():
        row = _owned_by_attempt(EVERY_TENANT.select(Job, Job.cancel_requested), attempt).tuples().first()
    if row is None:
        raise LeaseLost(f"job '{attempt.id}' is no longer run by this attempt")
    return bool(row[0])


def finish_job(attempt: JobAttempt, result: dict[str, Any], *, keep_hours: float, at: datetime | None = None) -> None:
    """Record that the job is done, with its result. Raises LeaseLost."""
    now = at or database.now()
    with database.transaction():
        _write(
            attempt,
            state=DONE,
            progress=1.0,
            stage="",
            result=json.dumps(result),
            worker=None,
            finished_at=now,
            expires_at=now + timedelta(hours=keep_hours),
        )
        release_footage(attempt.id)
        report_job(attempt.id, DONE, at=now)


def fail_job(
    attempt: JobAttempt, code: str, message: str | None = None, *, keep_hours: float, at: datetime | None = None
) -> None:
    """Record that the job has failed. Raises LeaseLost."""
    _end(attempt, FAILED, keep_hours, at, error_code=code, error_message=message)


def end_cancelled(attempt: JobAttempt, *, keep_hours: float, at: datetime | None = None) -> None:
    """Record that the job has ended because its cancellation was requested. Raises LeaseLost."""
    _end(attempt, CANCELLED, keep_hours, at)


def hand_back(attempt: JobAttempt) -> None:
    """Requeue a job because its worker stops; this does not count as an attempt. Raises LeaseLost."""
    with database.transaction():
        _write(attempt, state=QUEUED, worker=None, progress=0, stage="waiting", attempts=Job.attempts - 1)
        report_job(attempt.id, QUEUED)


def recover_lost_jobs(now: datetime, *, keep_hours: float) -> list[str]:
    """Requeue the jobs whose worker died, or end them; returns the ids of those that have failed.

    A job that was to be cancelled is cancelled; one that has been started MAX_ATTEMPTS times fails with `worker_lost`.
    """
    lost = (Job.state == RUNNING) & (Job.heartbeat_at < now - timedelta(seconds=LOST_SECONDS))
    with database.session():
        if not EVERY_TENANT.select(Job).where(lost).exists():
            return []
    ended = {"stage": "", "worker": None, "finished_at": now, "expires_at": now + timedelta(hours=keep_hours)}
    with database.transaction():
        _end_each(lost & (Job.cancel_requested == 1), state=CANCELLED, **ended)
        failed = _end_each(lost & (Job.attempts >= MAX_ATTEMPTS), state=FAILED, error_code="worker_lost", **ended)
        for job_id in [row.id for row in EVERY_TENANT.select(Job, Job.id).where(lost)]:
            again = EVERY_TENANT.update(Job, state=QUEUED, worker=None, progress=0, stage="waiting")
            if again.where(lost, Job.id == job_id).execute():
                report_job(job_id, QUEUED)
    return failed


def _end(attempt: JobAttempt, state: str, keep_hours: float, at: datetime | None, **values: Any) -> None:
    now = at or database.now()
    with database.transaction():
        _write(
            attempt,
            state=state,
            stage="",
            worker=None,
            finished_at=now,
            expires_at=now + timedelta(hours=keep_hours),
            **values,
        )
        release_footage(attempt.id)
        report_job(attempt.id, state, error_code=values.get("error_code"), message=values.get("error_message"), at=now)


def _end_each(condition: Any, **values: Any) -> list[str]:
    """End the jobs that (still) match a condition; returns their ids. Within the caller's transaction."""
    ended = []
    for job_id in [row.id for row in EVERY_TENANT.select(Job, Job.id).where(condition)]:
        if EVERY_TENANT.update(Job, **values).where(condition, Job.id == job_id).execute():
            release_footage(job_id)
            report_job(job_id, values["state"], error_code=values.get("error_code"), at=values["finished_at"])
            ended.append(job_id)
    return ended


def _write(attempt: JobAttempt, **values: Any) -> None:
    if not _owned_by_attempt(EVERY_TENANT.update(Job, **values), attempt).execute():
        raise LeaseLost(f"job '{attempt.id}' is no longer run by this attempt")


def _owned_by_attempt(query: Any, attempt: JobAttempt) -> Any:
    return query.where(Job.id == attempt.id, Job.state == RUNNING, Job.worker == attempt.token)
