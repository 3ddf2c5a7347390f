"""`POST /recordings/devices/{id}/export`: a range of footage as one MP4, made by a job."""

import logging
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import marshmallow as ma
from flask import Response, url_for
from flask.views import MethodView

from gateway.api.base import Blueprint, Choice, Schema, Text, current_name, current_scope, services
from gateway.api.errors import error_response
from gateway.api.jobs.schemas import JobSchema
from gateway.api.jobs.views import job_view
from gateway.api.recordings.fields import Moment, spell_moment
from gateway.clock import utc_now
from gateway.config import Config
from gateway.errors import Conflict, InvalidValue, Unavailable
from gateway.export_files import spell_bytes
from gateway.models.cuts import estimate_footage
from gateway.models.footage import nearest_footage
from gateway.models.jobs import FootageRange, Job, bytes_taken, create_job, find_repeated
from gateway.models.recordings import Recording, find_recording

logger = logging.getLogger(__name__)

blp = Blueprint("exports", __name__, url_prefix="/recordings", description="Ranges of footage as files")

CUTS = ("key_frames", "exact")
KIND = "export"
#: What a file system, a header or a shell may take amiss in a name.
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
_LONGEST_NAME = 120


class ExportArgsSchema(Schema):
    """A range of footage to export."""

    start = Moment(required=True, metadata={"description": "RFC 3339 with an offset", "example": "2026-11-22T10:00:00Z"})
    end = Moment(required=True, metadata={"description": "not part of the range", "example": "2026-11-22T10:05:00Z"})
    cut = Choice(CUTS, load_default="key_frames", metadata={
        "description": "`key_frames` copies the footage and begins and ends at the key frames around the range; `exact` "
                       "begins and ends at the frame, and encodes anew what it must for that"})
    name = Text(load_default=None, allow_none=True, low=1, high=200, metadata={
        "description": "name of the file; left out: the device's name and the start in its time zone"})


class IdempotencySchema(ma.Schema):
    """The key under which a request may be repeated."""

    class Meta:
        unknown = ma.EXCLUDE

    key = ma.fields.String(
        data_key="Idempotency-Key", load_default=None, validate=ma.validate.Length(min=1, max=200), metadata={
            "description": "the same request again with the same key gives the job of before instead of a new one"})


@blp.route("/devices/<uuid:device_id>/export")
class DeviceExport(MethodView):
    @blp.arguments(ExportArgsSchema)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.response(202, JobSchema, headers={"Location": {"description": "the job", "schema": {"type": "string"}}})
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
            return no_footage(*nearest_footage(recording.id, start_ms))
        _check_room(config, found.size)
        job, is_new = create_job(
            scope,
            KIND,
            {
                "asked": asked, "start_ms": start_ms, "end_ms": end_ms, "cut": data["cut"], "bytes": found.size,
                "name": film_name(data["name"], recording, max(start_ms, found.start_ms)),
            },
            device_id=recording.device_id,
            request_key=headers["key"],
            # What the job reads, from the key frame before the range to the one after it, is held until it has ended.
            footage=FootageRange(recording.id, min(start_ms, found.start_ms), max(end_ms, found.end_ms)),
            created_by=current_name(),
        )
        if is_new:
            _send(job.id)
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
            "end", f"the range holds {spell_bytes(size)} and exports may take {spell_bytes(limit)}: choose a shorter range",
            reason="range_too_large",
        )
    taken = bytes_taken()
    if taken + size > limit:
        raise Conflict(
            f"the exported files take {spell_bytes(taken)} of {spell_bytes(limit)} and this one needs {spell_bytes(size)}: "
            "delete some of them first", reason="exports_full",
        )


def no_footage(
    before_ms: int | None, after_ms: int | None, *, what: str = "footage", reason: str = "no_footage"
) -> Response:
    """404 that names the nearest there is, before and after the range."""
    nearest = {
        "nearest_before": spell_moment(before_ms) if before_ms is not None else None,
        "nearest_after": spell_moment(after_ms) if after_ms is not None else None,
    }
    words = [
        f"the nearest {where} it is at {nearest[f'nearest_{where}']}"
        for where in ("before", "after")
        if nearest[f"nearest_{where}"] is not None
    ]
    nothing = "nothing was recorded of this device yet" if what == "footage" else f"there are no {what} of this device yet"
    verb = "is" if what == "footage" else "are"
    message = f"there {verb} no {what} in this range: " + (", ".join(words) or nothing)
    return error_response(404, message, reason=reason, errors=nearest)


def film_name(wished: str | None, recording: Recording, start_ms: int) -> str:
    """A name that any system takes, ending in .mp4; without a wish the device's, with the start in its time zone."""
    if wished is None:
        local = datetime.fromtimestamp(start_ms / 1000, ZoneInfo(recording.time_zone))
        wished = f"{recording.device.name} {local:%Y-%m-%d %H.%M.%S}"
    stem = _UNSAFE.sub("_", re.sub(r"\.mp4$", "", wished, flags=re.IGNORECASE))
    # Neither a hidden file nor one that Windows cannot open.
    stem = stem[:_LONGEST_NAME].strip(" .")
    return f"{stem or 'export'}.mp4"


def _send(job_id: str) -> None:
    """Ask a worker. The row is there already: without Redis the clock process asks again later."""
    wired = services()
    if wired.redis_outage.lasts:
        return
    try:
        wired.messages.run_job(job_id)
    except Unavailable as error:
        wired.redis_outage.begins()
        logger.warning("job %s waits for the clock process: %s", job_id, error)
