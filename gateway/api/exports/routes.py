"""`POST /recordings/devices/{id}/export`: a range of footage as one MP4, made by a job."""

from typing import Any

from flask import url_for
from flask.views import MethodView

from gateway.api.base import Blueprint, Choice, Schema, Text, current_name, current_scope, services
from gateway.api.conditional import IdempotencySchema, location_header
from gateway.api.file_names import movie_name
from gateway.api.jobs.schemas import JobSchema
from gateway.api.jobs.views import job_view
from gateway.api.nearest import NOTHING_IN_RANGE, refuse_empty
from gateway.api.time_fields import Moment
from gateway.clock import utc_now
from gateway.config import Config
from gateway.errors import Conflict, InvalidValue
from gateway.footage.cuts import estimate_footage
from gateway.footage.reading import nearest_footage
from gateway.footage.recordings import find_recording
from gateway.jobs.files import format_bytes
from gateway.jobs.model import FootageRange, Job, bytes_taken, create_job, find_repeated

blp = Blueprint("exports", __name__, url_prefix="/recordings", description="Ranges of footage as files")

CUTS = ("key_frames", "exact")
KIND = "export"


class ExportArgsSchema(Schema):
    """A range of footage to export."""

    start = Moment(
        required=True, metadata={"description": "RFC 3339 with an offset", "example": "2026-11-22T10:00:00Z"}
    )
    end = Moment(required=True, metadata={"description": "not part of the range", "example": "2026-11-22T10:05:00Z"})
    cut = Choice(
        CUTS,
        load_default="key_frames",
        metadata={
            "description": "`key_frames` copies the footage and begins and ends at the key frames around the range; "
            "`exact` "
            "begins and ends at the frame, and encodes anew what it must for that"
        },
    )
    name = Text(
        load_default=None,
        allow_none=True,
        low=1,
        high=200,
        metadata={"description": "name of the file; left out: the device's name and the start in its time zone"},
    )


@blp.route("/devices/<uuid:device_id>/export")
class DeviceExport(MethodView):
    @blp.arguments(ExportArgsSchema)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.response(202, JobSchema, headers=location_header("the job"))
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Export a range

        Makes one MP4 of the footage in a range, as a job: see `/jobs`. Gaps are skipped and told in the result's notes.
        404 with reason `no_footage` where there is none, naming the nearest; 409 with reason `exports_full` when the
        exported files take all the space they may.
        """
        scope, config = current_scope(), services().config
        recording = find_recording(scope, str(device_id))
        asked = {"start_ms": data["start"], "end_ms": data["end"], "cut": data["cut"], "name": data["name"]}
        before = find_repeated(scope, KIND, asked, device_id=recording.device_id, request_key=headers["key"])
        if before is not None:
            return _accepted(before)
        start_ms, end_ms = _check_range(config, data)
        found = estimate_footage(recording, start_ms, end_ms)
        if found is None:
            return refuse_empty(NOTHING_IN_RANGE, *nearest_footage(recording.id, start_ms))
        _check_room(config, found.size)
        job, is_new = create_job(
            scope,
            KIND,
            {
                "asked": asked,
                "start_ms": start_ms,
                "end_ms": end_ms,
                "cut": data["cut"],
                "bytes": found.size,
                "name": movie_name(data["name"], recording, max(start_ms, found.start_ms)),
            },
            device_id=recording.device_id,
            request_key=headers["key"],
            # What the job reads, from the key frame before the range to the one after it, is held until it has ended.
            footage=FootageRange(recording.id, min(start_ms, found.start_ms), max(end_ms, found.end_ms)),
            created_by=current_name(),
        )
        if is_new:
            services().send_job(job.id)
        return _accepted(job)


def _accepted(job: Job) -> tuple[dict[str, Any], int, dict[str, str]]:
    return job_view(job), 202, {"Location": url_for("jobs.JobById", job_id=job.id)}


def _check_range(config: Config, data: dict[str, Any]) -> tuple[int, int]:
    """Start and end in milliseconds; the end is not in the future. Raises InvalidValue."""
    start_ms, end_ms = data["start"], data["end"]
    if end_ms <= start_ms:
        raise InvalidValue("end", "'end' must be after 'start'")
    now_ms = int(utc_now().timestamp() * 1000)
    if start_ms >= now_ms:
        raise InvalidValue("start", "'start' must not be in the future: only what was recorded can be exported")
    if end_ms - start_ms > config.max_export_seconds * 1000:
        hours = config.max_export_seconds / 3600
        raise InvalidValue("end", f"'end' must be at most {hours:g} hours after 'start'", reason="range_too_long")
    return start_ms, min(end_ms, now_ms)


def _check_room(config: Config, size: int) -> None:
    limit = config.exports_max_bytes
    if size > limit:
        raise InvalidValue(
            "end",
            f"the range holds {format_bytes(size)} and exports may take {format_bytes(limit)}: choose a shorter range",
            reason="range_too_large",
        )
    taken = bytes_taken()
    if taken + size > limit:
        raise Conflict(
            f"the exported files take {format_bytes(taken)} of {format_bytes(limit)} and this one needs "
            f"{format_bytes(size)}: "
            "delete some of them first",
            reason="exports_full",
        )
