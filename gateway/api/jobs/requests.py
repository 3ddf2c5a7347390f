"""Requests that start a job: the range of time, the space that exported files may take, and the reply."""

import json
from typing import Any

from flask import Response, jsonify, make_response, url_for

from gateway.api.base import current_scope, services
from gateway.api.jobs.schemas import JobSchema
from gateway.api.jobs.views import job_view
from gateway.api.time_fields import format_days, now_ms
from gateway.clock import DAY_MS
from gateway.errors import Conflict, InvalidValue
from gateway.footage.recordings import find_recording
from gateway.jobs.files import format_bytes
from gateway.jobs.model import FILE_KINDS, FootageRange, Job, bytes_taken, retry_job

#: An export reads from the key frame before its range to the one after it.
_AROUND_MS = 60_000


def accepted(job: Job) -> Response:
    """202 with the job and its Location. A whole reply, because the schema of the route may be another."""
    response = make_response(jsonify(JobSchema().dump(job_view(job))), 202)
    response.headers["Location"] = url_for("jobs.JobById", job_id=job.id)
    return response


def try_again(job: Job) -> Job:
    """Queue a failed or cancelled job again. Raises Conflict."""
    footage = None
    if job.kind in FILE_KINDS:
        facts = json.loads(job.parameters)
        check_export_space(int(facts.get("bytes") or 0))
        # A time-lapse of snapshots reads no footage.
        if job.device_id is not None and facts.get("source") != "snapshots":
            recording = find_recording(current_scope(), job.device_id)
            footage = FootageRange(recording.id, facts["start_ms"] - _AROUND_MS, facts["end_ms"] + _AROUND_MS)
    elif "." not in job.kind:
        raise Conflict(f"a job of kind '{job.kind}' cannot be tried again: request it anew", reason="not_retried")
    queued = retry_job(current_scope(), job.id, footage=footage)
    if "." not in job.kind:
        services().send_job(job.id)
    return queued


def check_past_range(data: dict[str, Any], max_ms: int) -> tuple[int, int]:
    """`start` and `end` in milliseconds, the end cut off at the present. Raises InvalidValue."""
    start_ms, end_ms = data["start"], data["end"]
    if end_ms <= start_ms:
        raise InvalidValue("end", "'end' must be after 'start'")
    now = now_ms()
    if start_ms >= now:
        raise InvalidValue("start", "'start' must not be in the future")
    if end_ms - start_ms > max_ms:
        raise InvalidValue(
            "end", f"'end' must be at most {format_days(max_ms / DAY_MS)} after 'start'", reason="range_too_long"
        )
    return start_ms, min(end_ms, now)


def check_export_space(size: int) -> None:
    """Raise Conflict `exports_full` unless EXPORTS_MAX_BYTES leaves space for another file of `size` bytes."""
    limit, taken = services().config.exports_max_bytes, bytes_taken()
    if taken + size > limit:
        raise Conflict(
            f"exports and time-lapses take {format_bytes(taken)} of {format_bytes(limit)}, and this one needs about "
            f"{format_bytes(size)}: delete some of them first",
            reason="exports_full",
        )
