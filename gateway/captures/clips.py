"""The clip of a bookmark: its state, and the writes of the worker that makes it. Milliseconds since 1970, UTC.

A clip is made by the job that its bookmark names: writes of another attempt or of an older job raise LeaseLost.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway import database
from gateway.captures.bookmarks import FAILED, PENDING, READY, Bookmark
from gateway.errors import LeaseLost
from gateway.events.model import CLIP, record_event
from gateway.jobs import model as jobs
from gateway.jobs.attempts import JobAttempt, heartbeat_job
from gateway.jobs.model import CANCELLED, Job, format_job_error
from gateway.states import Reason
from gateway.tenancy.scopes import EVERY_TENANT

#: The reason of a missing clip whose job was cancelled or deleted, without an error.
CLIP_CANCELLED = Reason("clip_cancelled", "the clip was cancelled", "make the clip again")


@dataclass(frozen=True, slots=True)
class ClipStatus:
    """The state of a clip; `progress` is 0 to 1. A ready clip may have a reason: why no newer one could be made."""

    state: str
    progress: float
    job_id: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class ClipResult:
    """A clip that was written; `file` is its key among the capture files, `seconds` its duration."""

    file: str
    size: int
    start_ms: int
    end_ms: int
    seconds: float
    codec: str
    notes: tuple[str, ...] = ()
    poster_file: str | None = None


def clip_status(bookmark: Bookmark) -> ClipStatus:
    """The state of the clip of a bookmark from `find_bookmark`, also if its job ended without reporting it."""
    if bookmark.clip_state != PENDING:
        reason = bookmark.clip_reason_code
        full_reason = format_clip_reason(reason, bookmark.clip_reason_message) if reason else None
        return ClipStatus(bookmark.clip_state, float(bookmark.clip_state == READY), reason=full_reason)
    job = bookmark.job
    if job is not None and job.state not in (jobs.FAILED, CANCELLED):
        return ClipStatus(PENDING, job.progress, job.id)
    # Its job was cancelled, deleted, or failed because its workers died.
    state = READY if bookmark.clip_file else FAILED
    return ClipStatus(state, float(state == READY), reason=_reason_of(job))


def format_clip_reason(code: str, message: str | None = None) -> Reason:
    """The reason of a missing clip, with message and remedy."""
    if code == CLIP_CANCELLED.code:
        return replace(CLIP_CANCELLED, message=message or CLIP_CANCELLED.message)
    return format_job_error(code, message)


# ---- the worker's side ----------------------------------------------------------------------------------------


def read_clip_work(attempt: JobAttempt) -> Bookmark:
    """The bookmark whose clip an attempt makes. Raises LeaseLost if it was deleted or another job makes its clip."""
    with database.session():
        bookmark = EVERY_TENANT.select(Bookmark).where(_owned_by_attempt(attempt)).first()
    if bookmark is None:
        raise LeaseLost(f"the clip of bookmark '{attempt.parameters['bookmark_id']}' is no longer made by this job")
    return bookmark


def save_poster(attempt: JobAttempt, poster_file: str, *, progress: float, stage: str) -> None:
    """Store the poster, before the clip is ready; `progress` and `stage` are those of the job. Raises LeaseLost."""
    with database.transaction():
        # Fencing: an attempt that has lost its job writes nothing.
        heartbeat_job(attempt, progress, stage)
        _update(attempt, poster_file=poster_file)


def save_clip(attempt: JobAttempt, clip: ClipResult) -> None:
    """Store a clip whose file is durable. Raises LeaseLost."""
    poster = {"poster_file": clip.poster_file} if clip.poster_file else {}
    _write(
        attempt,
        clip_state=READY,
        clip_file=clip.file,
        clip_size=clip.size,
        clip_start_ms=clip.start_ms,
        clip_end_ms=clip.end_ms,
        clip_seconds=clip.seconds,
        clip_codec=clip.codec,
        clip_notes=json.dumps(clip.notes),
        clip_reason_code=None,
        clip_reason_message=None,
        **poster,
        report=f"Clip of {clip.seconds:.1f} s",
    )


def fail_clip(attempt: JobAttempt, code: str, message: str | None = None) -> None:
    """Record why there is no (newer) clip; an older clip stays. Raises LeaseLost."""
    with database.transaction():
        state = READY if read_clip_work(attempt).clip_file else FAILED
        text = f"No clip: {format_clip_reason(code, message).message}"
        _write(attempt, clip_state=state, clip_reason_code=code, clip_reason_message=message, report=text)


def finalize_clips() -> list[Bookmark]:
    """Finalize clips whose job ended without reporting it; returns their bookmarks. For the clock process."""
    with database.session():
        pending = list(EVERY_TENANT.select(Bookmark).where(Bookmark.clip_state == PENDING))
        known = _jobs_of(pending)
    return [bookmark for bookmark in pending if _finalize(bookmark, known.get(bookmark.clip_job_id))]


def _finalize(bookmark: Bookmark, job: Job | None) -> bool:
    """Finalize one clip; False if its job goes on, or another process finalized or renewed the clip meanwhile."""
    bookmark.job = job
    status = clip_status(bookmark)
    if status.state == PENDING:
        return False
    bookmark.clip_state, bookmark.clip_reason_code = status.state, status.reason.code
    ended = EVERY_TENANT.update(
        Bookmark,
        clip_state=status.state,
        clip_reason_code=status.reason.code,
        clip_reason_message=status.reason.message,
    )
    same = (Bookmark.id == bookmark.id) & (Bookmark.clip_job_id == bookmark.clip_job_id)
    with database.transaction():
        is_final = bool(ended.where(same, Bookmark.clip_state == PENDING).execute())
        if is_final:
            _report(bookmark, f"No clip: {status.reason.message}", status.reason.code)
        return is_final


def _jobs_of(bookmarks: Sequence[Bookmark]) -> dict[str, Job]:
    ids = [bookmark.clip_job_id for bookmark in bookmarks if bookmark.clip_job_id]
    return {job.id: job for job in EVERY_TENANT.select(Job).where(Job.id.in_(ids))} if ids else {}


def _reason_of(job: Job | None) -> Reason:
    if job is None or job.state == CANCELLED:
        return CLIP_CANCELLED
    return format_job_error(job.error_code or "job_failed", job.error_message)


def _write(attempt: JobAttempt, *, report: str, **values: Any) -> None:
    with database.transaction():
        heartbeat_job(attempt, 0.99, "finishing")
        _update(attempt, **values)
        _report(read_clip_work(attempt), report, values["clip_reason_code"])


def _report(bookmark: Bookmark, text: str, reason_code: str | None) -> None:
    record_event(
        bookmark.tenant_id,
        bookmark.device_id,
        CLIP,
        text,
        label="failed" if reason_code else "created",
        reason_code=reason_code,
        reference=bookmark.id,
        by_name=bookmark.created_by or None,
    )


def _update(attempt: JobAttempt, **values: Any) -> None:
    if not EVERY_TENANT.update(Bookmark, **values).where(_owned_by_attempt(attempt)).execute():
        raise LeaseLost(f"the clip of bookmark '{attempt.parameters['bookmark_id']}' is no longer made by this job")


def _owned_by_attempt(attempt: JobAttempt) -> Any:
    return (Bookmark.id == attempt.parameters["bookmark_id"]) & (Bookmark.clip_job_id == attempt.id)
