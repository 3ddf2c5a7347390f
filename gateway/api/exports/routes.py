"""`POST /recordings/devices/{id}/export`: a job that writes a range of footage to one MP4."""

from typing import Any

from flask.views import MethodView

from gateway.api.base import Blueprint, Choice, Schema, Text, current_name, current_scope, services
from gateway.api.conditional import IdempotencySchema, location_header
from gateway.api.file_names import movie_name
from gateway.api.jobs.requests import accepted, check_export_space, check_past_range
from gateway.api.jobs.schemas import JobSchema
from gateway.api.nearest import NOTHING_IN_RANGE, refuse_empty
from gateway.api.time_fields import Moment
from gateway.errors import InvalidValue
from gateway.footage.cuts import estimate_footage
from gateway.footage.reading import nearest_footage
from gateway.footage.recordings import find_recording
from gateway.jobs.files import format_bytes
from gateway.jobs.model import FootageRange, create_job, find_repeated

blp = Blueprint("exports", __name__, url_prefix="/recordings", description="Export of footage as MP4 files")

CUTS = ("key_frames", "exact")
KIND = "export"


class ExportArgsSchema(Schema):
    """A range of footage to export."""

    start = Moment(
        required=True,
        metadata={"description": "start of the range, RFC 3339 with an offset", "example": "2026-11-22T10:00:00Z"},
    )
    end = Moment(
        required=True, metadata={"description": "end of the range, exclusive", "example": "2026-11-22T10:05:00Z"}
    )
    cut = Choice(
        CUTS,
        load_default="key_frames",
        metadata={
            "description": "`key_frames` copies the footage, from the key frame before the range to the one after it; "
            "`exact` cuts at the exact frames and re-encodes what is necessary for that"
        },
    )
    name = Text(
        load_default=None,
        allow_none=True,
        low=1,
        high=200,
        metadata={"description": "name of the file; omitted: device name, and start in its time zone"},
    )


@blp.route("/devices/<uuid:device_id>/export")
class DeviceExport(MethodView):
    @blp.arguments(ExportArgsSchema)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.doc(operationId="export_footage")
    @blp.response(202, JobSchema, headers=location_header("the job"))
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Export a range

        Starts a job (see `/jobs`) that writes the footage of a range to one MP4. Gaps are skipped and listed in the
        notes of the result. 404 with reason `no_footage` if there is no footage; `errors` names the nearest. 409 with
        reason `exports_full` if exported files would take more space than EXPORTS_MAX_BYTES.
        """
        scope = current_scope()
        recording = find_recording(scope, str(device_id))
        asked = {"start_ms": data["start"], "end_ms": data["end"], "cut": data["cut"], "name": data["name"]}
        before = find_repeated(scope, KIND, asked, device_id=recording.device_id, request_key=headers["key"])
        if before is not None:
            return accepted(before)
        start_ms, end_ms = check_past_range(data, 1000 * services().config.max_export_seconds)
        found = estimate_footage(recording, start_ms, end_ms)
        if found is None:
            return refuse_empty(NOTHING_IN_RANGE, *nearest_footage(recording.id, start_ms))
        _check_size(found.size)
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
            # Held until the job ends: all that it reads, from the key frame before the range to the one after it.
            footage=FootageRange(recording.id, min(start_ms, found.start_ms), max(end_ms, found.end_ms)),
            created_by=current_name(),
        )
        if is_new:
            services().send_job(job.id)
        return accepted(job)


def _check_size(size: int) -> None:
    """Raise InvalidValue `range_too_large`, or Conflict `exports_full`."""
    limit = services().config.exports_max_bytes
    if size > limit:
        raise InvalidValue(
            "end",
            f"the range takes {format_bytes(size)}, but exports may take {format_bytes(limit)}: choose a shorter range",
            reason="range_too_large",
        )
    check_export_space(size)
