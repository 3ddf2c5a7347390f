"""Jobs that a person waits for: exports, clips, time-lapses. One row each, from the request until it expires.

A job is queued, run by one worker at a time, and ends as done, failed or cancelled. Each attempt holds a token: what an
attempt that was given up still wants to write raises LeaseLost. Every function opens its own transaction and raises
`gateway.database.DatabaseUnavailable` when the database is away.
"""

import json
import logging
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.config import Config
from gateway.errors import Conflict, LeaseLost, NotFound
from gateway.footage.recordings import Protection
from gateway.jobs.files import remove_orphans, remove_results
from gateway.states import Reason, reason_for
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TenantScope, TimeField

log = logging.getLogger(__name__)

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
JOB_STATES = (QUEUED, RUNNING, DONE, FAILED, CANCELLED)
UNFINISHED = (QUEUED, RUNNING)

#: A running job without a heartbeat for so long has lost its worker.
LOST_SECONDS = 15.0
#: How often a job is begun at most.
MAX_ATTEMPTS = 3
#: Kinds of jobs whose results are files among the exports; together they take no more than EXPORTS_MAX_BYTES.
FILE_KINDS = ("export", "time_lapse")
#: The kind of the protections that keep retention from what a job reads; their reference is the job's id.
JOB_PROTECTION = "export"

#: Why jobs fail, beside the reasons of footage in gateway/states.py.
JOB_ERRORS = {
    reason.code: reason
    for reason in (
        Reason("worker_lost", "the worker died each time it was tried", "see the log of the jobs worker"),
        Reason("no_footage", "there is no footage in this range", "choose a range with footage"),
        Reason("footage_damaged", "the footage of this range cannot be read", "run 'vas storage check'"),
        Reason(
            "exports_full", "the exported files take all the space they may", "delete some, or raise EXPORTS_MAX_BYTES"
        ),
        Reason("exports_unwritable", "the folder of the exported files cannot be written", "check EXPORTS_DIR"),
        Reason("captures_unwritable", "the folder of snapshots and clips cannot be written", "check CAPTURES_DIR"),
        Reason("encoding_failed", "the footage could not be encoded", "see the log of the jobs worker"),
        Reason("disk_full", "the disk of the files that are made is full", "make room, or choose a shorter range"),
        Reason("job_failed", "the job failed for a reason that is not known", "see the log of the jobs worker"),
    )
}


class Job(TenantRow):
    """A job. `parameters` and `result` are JSON; `worker` names the attempt that runs it."""

    id = IdField(primary_key=True)
    device_id = IdField(null=True)
    kind = peewee.TextField()
    parameters = peewee.TextField()
    request_key = peewee.TextField(null=True)
    state = peewee.TextField()
    progress = peewee.DoubleField()
    stage = peewee.TextField()
    result = peewee.TextField(null=True)
    error_code = peewee.TextField(null=True)
    error_message = peewee.TextField(null=True)
    attempts = peewee.IntegerField()
    cancel_requested = peewee.SmallIntegerField()
    worker = peewee.TextField(null=True)
    heartbeat_at = TimeField(null=True)
    created_at = TimeField()
    started_at = TimeField(null=True)
    finished_at = TimeField(null=True)
    expires_at = TimeField(null=True)

    class Meta:
        table_name = "jobs"


@dataclass(frozen=True, slots=True)
class JobAttempt:
    """A job that this process runs now; `token` is its right to write."""

    id: str
    tenant_id: str
    device_id: str | None
    kind: str
    parameters: dict[str, Any]
    attempt: int
    token: str


@dataclass(frozen=True, slots=True)
class FootageRange:
    """Footage that a job reads, and that retention must leave alone until it has ended. Milliseconds since 1970,
    UTC."""

    recording_id: int
    start_ms: int
    end_ms: int


def format_job_error(code: str, message: str | None = None) -> Reason:
    """The whole reason of a failed job, with the more exact `message` where there is one."""
    known = JOB_ERRORS.get(code)
    return Reason(code, message or known.message, known.remedy) if known else reason_for(code, message)


# ---- what people ask ------------------------------------------------------------------------------------------


def create_job(
    scope: TenantScope,
    kind: str,
    parameters: dict[str, Any],
    *,
    device_id: str | None = None,
    request_key: str | None = None,
    footage: FootageRange | None = None,
    created_by: str = "",
    at: datetime | None = None,
) -> tuple[Job, bool]:
    """A queued job, and whether it is new: the same `request_key` again gives the job of before.

    `footage` is protected until the job has ended. Raises Conflict `key_reused` where the key was used for something
    else.
    """
    now = at or utc_now()
    job_id = str(uuid.uuid4())
    text = json.dumps(parameters, sort_keys=True)
    try:
        with database.transaction():
            known = _with_key(scope, request_key)
            if known is None:
                scope.insert(
                    Job,
                    id=job_id,
                    device_id=device_id,
                    kind=kind,
                    parameters=text,
                    request_key=request_key,
                    state=QUEUED,
                    progress=0,
                    stage="waiting",
                    attempts=0,
                    cancel_requested=0,
                    created_at=now,
                ).execute()
                if footage is not None:
                    scope.insert(
                        Protection,
                        recording_id=footage.recording_id,
                        start_ms=footage.start_ms,
                        end_ms=footage.end_ms,
                        kind=JOB_PROTECTION,
                        reference=job_id,
                        note=f"read by a job ({kind})",
                        created_by=created_by,
                        created_at=now,
                    ).execute()
    except peewee.IntegrityError:
        # The same request at the same time in another process: its job is the one.
        with database.session():
            known = _with_key(scope, request_key)
        if known is None:
            raise
    if known is None:
        return find_job(scope, job_id), True
    _refuse_other(known, kind, device_id, text)
    return known, False


def find_repeated(
    scope: TenantScope, kind: str, asked: dict[str, Any], *, device_id: str | None, request_key: str | None
) -> Job | None:
    """The job that the same request with the same key made before; `asked` is the parameters' own `asked`.

    Raises Conflict `key_reused`.
    """
    with database.session():
        known = _with_key(scope, request_key)
    if known is not None:
        _refuse_other(known, kind, device_id, json.dumps(asked))
    return known


def find_job(scope: EveryTenantScope, job_id: str) -> Job:
    """Raises NotFound."""
    with database.session():
        job = scope.select(Job).where(Job.id == job_id).first()
    if job is None:
        raise NotFound(f"there is no job with id '{job_id}'")
    return job


def list_jobs(
    scope: EveryTenantScope,
    *,
    states: Iterable[str] = (),
    kind: str | None = None,
    device_id: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Job], int]:
    """A page of jobs, newest first, and how many there are."""
    query = scope.select(Job)
    if states:
        query = query.where(Job.state.in_(list(states)))
    if kind:
        query = query.where(Job.kind == kind)
    if device_id:
        query = query.where(Job.device_id == device_id)
    with database.session():
        total = query.count()
        return list(query.order_by(Job.created_at.desc(), Job.id).limit(limit).offset(offset)), total


def request_cancel(scope: EveryTenantScope, job_id: str, *, keep_hours: float, at: datetime | None = None) -> Job:
    """Ask a job to end: a queued one ends now, a running one within a second. May be repeated.

    Raises NotFound, and Conflict `job_finished` for one that is done or has failed.
    """
    now = at or utc_now()
    with database.transaction():
        ended = scope.update(
            Job,
            state=CANCELLED,
            stage="",
            cancel_requested=1,
            finished_at=now,
            expires_at=now + timedelta(hours=keep_hours),
        )
        if ended.where(Job.id == job_id, Job.state == QUEUED).execute():
            _release(job_id)
        else:
            scope.update(Job, cancel_requested=1).where(Job.id == job_id, Job.state == RUNNING).execute()
    job = find_job(scope, job_id)
    if job.state in (DONE, FAILED):
        raise Conflict(f"the job has ended: it is {job.state}", reason="job_finished")
    return job


def delete_job(scope: EveryTenantScope, config: Config, job_id: str) -> None:
    """Remove a job and its result; the worker that runs it gives up within a second. Raises NotFound."""
    with database.transaction():
        if not scope.delete(Job).where(Job.id == job_id).execute():
            raise NotFound(f"there is no job with id '{job_id}'")
        _release(job_id)
    remove_results(config, job_id)


def bytes_taken() -> int:
    """What the files of jobs take, of all tenants, with what those of unfinished jobs are expected to (`bytes`)."""
    with database.session():
        query = EVERY_TENANT.select(Job, Job.state, Job.parameters, Job.result)
        rows = list(query.where(Job.kind.in_(FILE_KINDS), Job.state.in_((*UNFINISHED, DONE))).tuples())
    taken = 0
    for state, parameters, result in rows:
        facts = json.loads(result or "{}") if state == DONE else json.loads(parameters)
        taken += int(facts.get("size" if state == DONE else "bytes") or 0)
    return taken


# ---- the worker's side ----------------------------------------------------------------------------------------


def claim_job(job_id: str, worker: str, at: datetime | None = None) -> JobAttempt | None:
    """Begin a queued job; None when it is not queued (any more). One caller wins."""
    now = at or utc_now()
    token = f"{worker}:{secrets.token_hex(4)}"
    begun = EVERY_TENANT.update(
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
        if not begun.where(Job.id == job_id, Job.state == QUEUED).execute():
            return None
        job = EVERY_TENANT.select(Job).where(Job.id == job_id).first()
    return JobAttempt(job.id, job.tenant_id, job.device_id, job.kind, json.loads(job.parameters), job.attempts, token)


def next_queued(kinds: Iterable[str]) -> str | None:
    """The job that has waited longest, None when none waits."""
    with database.session():
        query = EVERY_TENANT.select(Job, Job.id).where(Job.state == QUEUED, Job.kind.in_(list(kinds)))
        row = query.order_by(Job.created_at, Job.id).tuples().first()
    return None if row is None else str(row[0])


def heartbeat_job(attempt: JobAttempt, progress: float, stage: str, at: datetime | None = None) -> bool:
    """Say that an attempt lives and how far it is; gives whether it is to be cancelled. Raises LeaseLost."""
    with database.transaction():
        _write(attempt, progress=min(max(progress, 0.0), 1.0), stage=stage, heartbeat_at=at or utc_now())
        return is_cancel_requested(attempt)


def is_cancel_requested(attempt: JobAttempt) -> bool:
    """Whether the attempt is to be cancelled. Raises LeaseLost when it is not the job's any more."""
    with database.session():
        row = _mine(EVERY_TENANT.select(Job, Job.cancel_requested), attempt).tuples().first()
    if row is None:
        raise LeaseLost(f"job '{attempt.id}' is not run by this attempt any more")
    return bool(row[0])


def finish_job(attempt: JobAttempt, result: dict[str, Any], *, keep_hours: float, at: datetime | None = None) -> None:
    """The job is done; its result is there. Raises LeaseLost."""
    now = at or utc_now()
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
        _release(attempt.id)


def fail_job(
    attempt: JobAttempt, code: str, message: str | None = None, *, keep_hours: float, at: datetime | None = None
) -> None:
    """The job has failed. Raises LeaseLost."""
    _end(attempt, FAILED, keep_hours, at, error_code=code, error_message=message)


def end_cancelled(attempt: JobAttempt, *, keep_hours: float, at: datetime | None = None) -> None:
    """The job has ended because somebody wished it. Raises LeaseLost."""
    _end(attempt, CANCELLED, keep_hours, at)


def hand_back(attempt: JobAttempt) -> None:
    """Put a job back because its worker stops: that is no attempt. Raises LeaseLost."""
    with database.transaction():
        _write(attempt, state=QUEUED, worker=None, progress=0, stage="waiting", attempts=Job.attempts - 1)


# ---- the clock process ----------------------------------------------------------------------------------------


def sweep_jobs(config: Config, now: datetime | None = None, *, with_orphans: bool = False) -> list[str]:
    """Put back the jobs whose worker died, fail those that have been tried often enough, remove what has expired.

    Gives the ids of all queued jobs, the oldest first: a message to run each of them can be sent again, in case it was
    lost. Repeats no harm. `with_orphans` looks for files that belong to no job, too.
    """
    now = now or utc_now()
    silent_since = now - timedelta(seconds=LOST_SECONDS)
    lost = (Job.state == RUNNING) & (Job.heartbeat_at < silent_since)
    ended = {
        "stage": "",
        "worker": None,
        "finished_at": now,
        "expires_at": now + timedelta(hours=config.export_keep_hours),
    }
    with database.transaction():
        # Nobody waits any more for one that was to be cancelled.
        _end_each(lost & (Job.cancel_requested == 1), state=CANCELLED, **ended)
        failed = _end_each(lost & (Job.attempts >= MAX_ATTEMPTS), state=FAILED, error_code="worker_lost", **ended)
        EVERY_TENANT.update(Job, state=QUEUED, worker=None, progress=0, stage="waiting").where(lost).execute()
        old = EVERY_TENANT.select(Job, Job.id).where(Job.expires_at < now, Job.state.not_in(UNFINISHED))
        expired = [row.id for row in old.limit(100)]
        waiting = EVERY_TENANT.select(Job, Job.id).where(Job.state == QUEUED)
        queued = [row.id for row in waiting.order_by(Job.created_at, Job.id)]
    try:
        for job_id in failed:
            remove_results(config, job_id)
        for job_id in expired:
            # The file first: a row that is left finds its file gone, a file that is left would be found by nobody.
            remove_results(config, job_id)
            with database.transaction():
                EVERY_TENANT.delete(Job).where(Job.id == job_id).execute()
        if with_orphans:
            with database.session():
                known = [row.id for row in EVERY_TENANT.select(Job, Job.id)]
            remove_orphans(config, known)
    except OSError as error:
        log.warning("results of jobs cannot be removed now: %s", error)
    return queued


def _with_key(scope: EveryTenantScope, request_key: str | None) -> Job | None:
    return None if request_key is None else scope.select(Job).where(Job.request_key == request_key).first()


def _refuse_other(known: Job, kind: str, device_id: str | None, parameters: str) -> None:
    if (known.kind, known.device_id, _asked(known.parameters)) != (kind, device_id, _asked(parameters)):
        raise Conflict("this idempotency key was used for another request: choose a new one", reason="key_reused")


def _asked(parameters: str) -> Any:
    """What the caller asked, where the parameters keep it apart from what was made of it."""
    values = json.loads(parameters)
    return values.get("asked", values)


def _release(job_id: str) -> None:
    """Footage that the job has read may go again; within the caller's transaction."""
    held = (Protection.kind == JOB_PROTECTION) & (Protection.reference == job_id)
    EVERY_TENANT.delete(Protection).where(held).execute()


def _end(attempt: JobAttempt, state: str, keep_hours: float, at: datetime | None, **values: Any) -> None:
    now = at or utc_now()
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
        _release(attempt.id)


def _end_each(which: Any, **values: Any) -> list[str]:
    """End those that are (still) so; gives their ids. Within the caller's transaction."""
    found = [row.id for row in EVERY_TENANT.select(Job, Job.id).where(which)]
    ended = [job_id for job_id in found if EVERY_TENANT.update(Job, **values).where(which, Job.id == job_id).execute()]
    for job_id in ended:
        _release(job_id)
    return ended


def _write(attempt: JobAttempt, **values: Any) -> None:
    if not _mine(EVERY_TENANT.update(Job, **values), attempt).execute():
        raise LeaseLost(f"job '{attempt.id}' is not run by this attempt any more")


def _mine(query: Any, attempt: JobAttempt) -> Any:
    return query.where(Job.id == attempt.id, Job.state == RUNNING, Job.worker == attempt.token)
