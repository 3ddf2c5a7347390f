"""Jobs that a person waits for: exports, snapshots, clips, time-lapses. One row each, from request to expiry.

A job is queued, run by one worker at a time (gateway/jobs/attempts.py), and ends as done, failed or cancelled. Files
are in gateway/jobs/files.py; gateway/jobs/cleanup.py deletes jobs with their files. Every function opens its own
transaction and raises `gateway.database.DatabaseUnavailable` when the database is away.
"""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee

from gateway import database
from gateway.clock import to_ms
from gateway.errors import Conflict, NotFound
from gateway.events.model import JOB, change_referenced, record_event
from gateway.footage.recordings import Protection
from gateway.states import Reason, reason_for
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TenantScope, TimeField

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
JOB_STATES = (QUEUED, RUNNING, DONE, FAILED, CANCELLED)
UNFINISHED = (QUEUED, RUNNING)
#: The state in the event of a job whose row was deleted.
DELETED = "deleted"

#: Kinds of jobs whose results are files in EXPORTS_DIR; together they take no more than EXPORTS_MAX_BYTES.
FILE_KINDS = ("export", "time_lapse")
#: The kind of the protections that keep the footage of a job from retention; their reference is the job's id.
JOB_PROTECTION = "export"

#: Why jobs fail, in addition to the reasons in gateway/states.py.
JOB_ERRORS = {
    reason.code: reason
    for reason in (
        Reason("worker_lost", "the worker died at each attempt", "see the log of the jobs worker"),
        Reason("no_footage", "there is no footage in this range", "choose a range with footage"),
        Reason("footage_damaged", "the footage of this range cannot be read", "run 'vas storage check'"),
        Reason(
            "exports_full",
            "the exported files take all the space they may use",
            "delete some, or raise EXPORTS_MAX_BYTES",
        ),
        Reason("exports_unwritable", "the folder of the exported files cannot be written", "check EXPORTS_DIR"),
        Reason("captures_unwritable", "the folder of snapshots and clips cannot be written", "check CAPTURES_DIR"),
        Reason("encoding_failed", "the footage could not be encoded", "see the log of the jobs worker"),
        Reason("disk_full", "the disk of the result is full", "make room, or choose a shorter range"),
        Reason(
            "plugin_missing",
            "no installed plugin runs jobs of this kind",
            "install or switch on the plugin, then try again; or delete the job",
        ),
        Reason("plugin_failed", "the plugin of this job has failed", "see the log of the plugins worker"),
        Reason("job_failed", "the job failed for an unknown reason", "see the log of the jobs worker"),
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
class FootageRange:
    """Footage that a job reads, protected from retention until the job has ended. Milliseconds since 1970, UTC."""

    recording_id: int
    start_ms: int
    end_ms: int


def format_job_error(code: str, message: str | None = None) -> Reason:
    """The reason why a job failed, with the more exact `message` where there is one."""
    known = JOB_ERRORS.get(code)
    return Reason(code, message or known.message, known.remedy) if known else reason_for(code, message)


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
    """Create a queued job; returns the job and whether it is new. A repeated `request_key` returns the first job.

    `footage` is protected until the job has ended. Raises Conflict `key_reused` if the key was used for another
    request.
    """
    now = at or database.now()
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
                record_event(
                    scope.tenant_id,
                    device_id,
                    JOB,
                    label=kind,
                    to_state=QUEUED,
                    reference=job_id,
                    goes_on=True,
                    at=now,
                    by_name=created_by or None,
                )
                if footage is not None:
                    _protect(scope, job_id, kind, footage, by=created_by, now=now)
    except peewee.IntegrityError:
        # Another process inserted the same request at the same time: its job is the result.
        with database.session():
            known = _with_key(scope, request_key)
        if known is None:
            raise
    if known is None:
        return find_job(scope, job_id), True
    _check_same_request(known, kind, device_id, text)
    return known, False


def find_repeated(
    scope: TenantScope, kind: str, asked: dict[str, Any], *, device_id: str | None, request_key: str | None
) -> Job | None:
    """Find the job that an earlier request with this key created; `asked` is compared with its parameters' `asked`.

    Raises Conflict `key_reused`.
    """
    with database.session():
        known = _with_key(scope, request_key)
    if known is not None:
        _check_same_request(known, kind, device_id, json.dumps(asked))
    return known


def find_job(scope: EveryTenantScope, job_id: str) -> Job:
    """Find a job. Raises NotFound."""
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
    """A page of jobs, newest first, and the total count."""
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
    """Request the cancellation of a job: a queued one ends now, a running one within a second. May be repeated.

    Raises NotFound, and Conflict `job_finished` for a job that is done or has failed.
    """
    now = at or database.now()
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
            release_footage(job_id)
            report_job(job_id, CANCELLED, at=now)
        else:
            scope.update(Job, cancel_requested=1).where(Job.id == job_id, Job.state == RUNNING).execute()
    job = find_job(scope, job_id)
    if job.state in (DONE, FAILED):
        raise Conflict(f"the job has already ended: it is {job.state}", reason="job_finished")
    return job


def retry_job(
    scope: EveryTenantScope, job_id: str, *, footage: FootageRange | None = None, at: datetime | None = None
) -> Job:
    """Queue a job again that has failed or was cancelled; `footage` is protected again until it has ended.

    Raises NotFound, and Conflict `job_unfinished` or `job_finished` for a job in another state.
    """
    now = at or database.now()
    again = {
        "state": QUEUED, "stage": "waiting", "progress": 0, "attempts": 0, "cancel_requested": 0,
        "result": None, "error_code": None, "error_message": None, "worker": None,
        "heartbeat_at": None, "started_at": None, "finished_at": None, "expires_at": None,
    }  # fmt: skip
    with database.transaction():
        queued = scope.update(Job, **again).where(Job.id == job_id, Job.state.in_((FAILED, CANCELLED))).execute()
        job = find_job(scope, job_id)
        if queued and footage is not None:
            _protect(TenantScope(job.tenant_id), job_id, job.kind, footage, by="", now=now)
    if not queued:
        reason = "job_unfinished" if job.state in UNFINISHED else "job_finished"
        raise Conflict(f"only a failed or cancelled job can be tried again: it is {job.state}", reason=reason)
    return job


def remove_job(scope: EveryTenantScope, job_id: str) -> None:
    """Delete the row of a job; the worker that runs it stops within a second. Raises NotFound.

    Its files are deleted by gateway/jobs/cleanup.py.
    """
    with database.transaction():
        if not scope.delete(Job).where(Job.id == job_id).execute():
            raise NotFound(f"there is no job with id '{job_id}'")
        release_footage(job_id)
        report_job(job_id, DELETED)


def bytes_taken() -> int:
    """Bytes taken by the files of jobs, of all tenants; unfinished jobs count with their expected size (`bytes`)."""
    with database.session():
        query = EVERY_TENANT.select(Job, Job.state, Job.parameters, Job.result)
        rows = list(query.where(Job.kind.in_(FILE_KINDS), Job.state.in_((*UNFINISHED, DONE))).tuples())
    taken = 0
    for state, parameters, result in rows:
        facts = json.loads(result or "{}") if state == DONE else json.loads(parameters)
        taken += int(facts.get("size" if state == DONE else "bytes") or 0)
    return taken


def queued_jobs() -> list[str]:
    """The ids of all queued jobs but those of plugins (gateway/plugin_work/jobs.py), the oldest first."""
    with database.session():
        query = EVERY_TENANT.select(Job, Job.id).where(Job.state == QUEUED, ~Job.kind.contains("."))
        return [row.id for row in query.order_by(Job.created_at, Job.id)]


def expired_jobs(now: datetime, limit: int = 100) -> list[str]:
    """The ids of jobs that have ended and have been kept for their time."""
    with database.session():
        query = EVERY_TENANT.select(Job, Job.id).where(Job.expires_at < now, Job.state.not_in(UNFINISHED))
        return [row.id for row in query.limit(limit)]


def all_jobs() -> list[str]:
    """The ids of all jobs of all tenants."""
    with database.session():
        return [row.id for row in EVERY_TENANT.select(Job, Job.id)]


def _protect(scope: TenantScope, job_id: str, kind: str, footage: FootageRange, *, by: str, now: datetime) -> None:
    scope.insert(
        Protection,
        recording_id=footage.recording_id,
        start_ms=footage.start_ms,
        end_ms=footage.end_ms,
        kind=JOB_PROTECTION,
        reference=job_id,
        note=f"read by a job ({kind})",
        created_by=by,
        created_at=now,
    ).execute()


def report_job(
    job_id: str, state: str, *, error_code: str | None = None, message: str | None = None, at: datetime | None = None
) -> None:
    """Change the event of a job with its state; within the caller's transaction."""
    values: dict[str, Any] = {"to_state": state, "reason_code": error_code, "reason_message": message}
    if state not in (*UNFINISHED, DELETED):
        values["end_ms"] = to_ms(at or database.now())
    change_referenced(JOB, job_id, **values)


def release_footage(job_id: str) -> None:
    """Remove the protection of the footage that a job reads; within the caller's transaction."""
    protections = (Protection.kind == JOB_PROTECTION) & (Protection.reference == job_id)
    EVERY_TENANT.delete(Protection).where(protections).execute()


def _with_key(scope: EveryTenantScope, request_key: str | None) -> Job | None:
    return None if request_key is None else scope.select(Job).where(Job.request_key == request_key).first()


def _check_same_request(known: Job, kind: str, device_id: str | None, parameters: str) -> None:
    if (known.kind, known.device_id, _asked(known.parameters)) != (kind, device_id, _asked(parameters)):
        raise Conflict("this idempotency key was used for another request: choose a new one", reason="key_reused")


def _asked(parameters: str) -> Any:
    """The caller's request, if the parameters keep it apart from the values derived from it."""
    values = json.loads(parameters)
    return values.get("asked", values)
