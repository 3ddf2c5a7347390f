"""The clip of a bookmark: where it stands, and what the worker that makes it writes. Milliseconds since 1970, UTC.

A clip is made by the job that its bookmark names: what another attempt or an older job still wants to write raises
LeaseLost.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway import database
from gateway.captures.bookmarks import FAILED, PENDING, READY, Bookmark
from gateway.errors import LeaseLost
from gateway.jobs import model as jobs
from gateway.jobs.model import CANCELLED, Job, JobAttempt, format_job_error, heartbeat_job
from gateway.states import Reason
from gateway.tenancy.scopes import EVERY_TENANT

#: Why there is no clip although nothing went wrong.
CLIP_CANCELLED = "clip_cancelled"


@dataclass(frozen=True, slots=True)
class ClipStatus:
    """Where a clip stands; `progress` is 0 to 1. A clip that is ready may have a reason: why no newer one could be
    made.
    """

    state: str
    progress: float
    job_id: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class ClipResult:
    """A clip that was written; `file` is its key among the capture files, `seconds` how long it plays."""

    file: str
    size: int
    start_ms: int
    end_ms: int
    seconds: float
    codec: str
    notes: tuple[str, ...] = ()
    poster_file: str | None = None


def clip_status(bookmark: Bookmark) -> ClipStatus:
    """The state of the clip of a bookmark as `find_bookmark` gives it: also when its job ended without a word."""
    if bookmark.clip_state != PENDING:
        reason = bookmark.clip_reason_code
        spelt = format_clip_reason(reason, bookmark.clip_reason_message) if reason else None
        return ClipStatus(bookmark.clip_state, float(bookmark.clip_state == READY), reason=spelt)
    job = bookmark.job
    if job is not None and job.state not in (jobs.FAILED, CANCELLED):
        return ClipStatus(PENDING, job.progress, job.id)
    # Its job was cancelled, deleted, or given up as its workers died.
    ended = READY if bookmark.clip_file else FAILED
    return ClipStatus(ended, float(ended == READY), reason=_reason_of(job))


def format_clip_reason(code: str, message: str | None = None) -> Reason:
    """The whole reason why there is no clip."""
    if code == CLIP_CANCELLED:
        return Reason(code, message or "the making of the clip was cancelled", "have it made again")
    return format_job_error(code, message)


# ---- the worker's side ----------------------------------------------------------------------------------------


def read_clip_work(attempt: JobAttempt) -> Bookmark:
    """The bookmark whose clip an attempt is to make; raises LeaseLost when it is gone, or another job makes its clip
    now.
    """
    with database.session():
        bookmark = EVERY_TENANT.select(Bookmark).where(_mine(attempt)).first()
    if bookmark is None:
        raise LeaseLost(f"the clip of bookmark '{attempt.parameters['bookmark_id']}' is not made by this job any more")
    return bookmark


def save_poster(attempt: JobAttempt, poster_file: str, *, progress: float, stage: str) -> None:
    """The poster is there before the clip is; `progress` and `stage` are where its job is now. Raises LeaseLost."""
    with database.transaction():
        # The fence: an attempt that was given up writes nothing.
        heartbeat_job(attempt, progress, stage)
        _update(attempt, poster_file=poster_file)


def save_clip(attempt: JobAttempt, clip: ClipResult) -> None:
    """The clip is durable: from now on it is the bookmark's. Raises LeaseLost."""
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
    )


def fail_clip(attempt: JobAttempt, code: str, message: str | None = None) -> None:
    """There is no (newer) clip; one of before stays. Raises LeaseLost."""
    with database.transaction():
        state = READY if read_clip_work(attempt).clip_file else FAILED
        _write(attempt, clip_state=state, clip_reason_code=code, clip_reason_message=message)


def finalize_clips() -> list[Bookmark]:
    """Write down the end of clips whose job ended without a word, and give their bookmarks; for the clock process."""
    with database.session():
        pending = list(EVERY_TENANT.select(Bookmark).where(Bookmark.clip_state == PENDING))
        known = _jobs_of(pending)
    return [bookmark for bookmark in pending if _finalize(bookmark, known.get(bookmark.clip_job_id))]


def _finalize(bookmark: Bookmark, job: Job | None) -> bool:
    """Whether its job has ended, and nobody else wrote that down or asked for a new clip meanwhile."""
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
        return bool(ended.where(same, Bookmark.clip_state == PENDING).execute())


def _jobs_of(bookmarks: Sequence[Bookmark]) -> dict[str, Job]:
    ids = [bookmark.clip_job_id for bookmark in bookmarks if bookmark.clip_job_id]
    return {job.id: job for job in EVERY_TENANT.select(Job).where(Job.id.in_(ids))} if ids else {}


def _reason_of(job: Job | None) -> Reason:
    if job is None or job.state == CANCELLED:
        return format_clip_reason(CLIP_CANCELLED)
    return format_job_error(job.error_code or "job_failed", job.error_message)


def _write(attempt: JobAttempt, **values: Any) -> None:
    with database.transaction():
        heartbeat_job(attempt, 0.99, "finishing")
        _update(attempt, **values)


def _update(attempt: JobAttempt, **values: Any) -> None:
    if not EVERY_TENANT.update(Bookmark, **values).where(_mine(attempt)).execute():
        raise LeaseLost(f"the clip of bookmark '{attempt.parameters['bookmark_id']}' is not made by this job any more")


def _mine(attempt: JobAttempt) -> Any:
    return (Bookmark.id == attempt.parameters["bookmark_id"]) & (Bookmark.clip_job_id == attempt.id)
