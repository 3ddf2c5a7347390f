"""`POST /snapshots/devices/{id}/time-lapse`: a job that makes a time-lapse movie of recordings or snapshots."""

from math import ceil
from typing import Any

import marshmallow as ma
from flask import Response
from flask.views import MethodView

from gateway.api.base import Blueprint, Choice, Count, Schema, Text, current_name, current_scope, services
from gateway.api.conditional import IdempotencySchema, location_header
from gateway.api.file_names import movie_name
from gateway.api.jobs.requests import accepted, check_export_space, check_past_range
from gateway.api.jobs.schemas import JobSchema
from gateway.api.nearest import NOTHING_IN_RANGE, refuse_empty
from gateway.api.time_fields import Moment, Seconds
from gateway.captures.time_lapses import Steps, count_snapshots, nearest_snapshots
from gateway.clock import DAY_MS
from gateway.errors import InvalidValue
from gateway.footage.reading import nearest_footage, segments_between
from gateway.footage.recordings import Recording, find_recording
from gateway.jobs.model import FootageRange, create_job, find_repeated

blp = Blueprint("time_lapses", __name__, url_prefix="/snapshots", description="Time-lapse movies")

KIND = "time_lapse"
RECORDINGS, SNAPSHOTS = SOURCES = ("recordings", "snapshots")
MAX_PICTURES = 36_000
MAX_DAYS = 366
#: Length of a movie of recordings if the request sets none.
_DEFAULT_SECONDS = 30.0
#: Estimated bytes in the movie of a picture 1920 pixels wide.
_PICTURE_BYTES = 150_000

TIME_LAPSE_EXAMPLE = {
    "start": "2026-11-22T06:00:00Z",
    "end": "2026-11-22T18:00:00Z",
    "source": "recordings",
    "length_seconds": 30,
}


class Factor(ma.fields.Float):
    """A speed-up factor: a number from 1 to ten million."""

    LOW, HIGH = 1, 10_000_000

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=ma.validate.Range(min=self.LOW, max=self.HIGH), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not self.LOW <= value <= self.HIGH:
            raise ma.ValidationError(f"'{attr}' must be a number from {self.LOW} to {self.HIGH}")
        return float(value)


class TimeLapseArgsSchema(Schema):
    """The range, source and speed of a time-lapse."""

    start = Moment(
        required=True,
        metadata={"description": "start of the range, RFC 3339 with an offset", "example": "2026-11-22T06:00:00Z"},
    )
    end = Moment(
        required=True, metadata={"description": "end of the range, exclusive", "example": "2026-11-22T18:00:00Z"}
    )
    source = Choice(
        SOURCES,
        load_default=RECORDINGS,
        metadata={
            "description": "`recordings`: key frames of the footage, each shown at its time; `snapshots`: snapshots of "
            "the device, each shown equally long"
        },
    )
    every_seconds = Seconds(
        low=0.1,
        high=31 * 86_400,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "seconds of the range between two pictures; omitted or null: as many pictures as the movie "
            "has frames"
        },
    )
    speed = Factor(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "speed as a multiple of real time; either this or `length_seconds`",
            "example": 1440,
        },
    )
    length_seconds = Seconds(
        low=0.1,
        high=3600,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "length of the movie, without gaps. Without this and `speed`, each picture is shown for one "
            "frame; without `every_seconds` as well, a movie of recordings lasts 30 seconds"
        },
    )
    fps = Count(low=1, high=60, load_default=25, metadata={"description": "maximum frames per second of the movie"})
    width = Count(
        low=16,
        high=7680,
        load_default=None,
        allow_none=True,
        metadata={"description": "width in pixels; pictures are scaled down, never up. Omitted: the original size"},
    )
    schedule_id = Count(
        low=1,
        high=1 << 53,
        load_default=None,
        allow_none=True,
        metadata={"description": "only snapshots taken by this schedule"},
    )
    name = Text(
        load_default=None,
        allow_none=True,
        low=1,
        high=200,
        metadata={"description": "name of the file; omitted: device name, and start in its time zone"},
    )

    @ma.validates_schema
    def check_speed(self, data: dict[str, Any], **_options: Any) -> None:
        """Allow only one of `speed` and `length_seconds`."""
        if data.get("speed") is not None and data.get("length_seconds") is not None:
            raise ma.ValidationError({"speed": ["'speed' must be omitted if 'length_seconds' is given"]})


@blp.route("/devices/<uuid:device_id>/time-lapse")
class DeviceTimeLapse(MethodView):
    @blp.arguments(TimeLapseArgsSchema, example=TIME_LAPSE_EXAMPLE)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.doc(operationId="create_time_lapse")
    @blp.response(202, JobSchema, headers=location_header("the job"))
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Make a time-lapse

        Starts a job (see `/jobs`) that makes one MP4 (H.264) of a range. Gaps are skipped and listed in the notes of
        the result. 404 with reason `no_footage` or `no_snapshots` if the range is empty; `errors` names the nearest.
        409 with reason `exports_full` if exports and time-lapses would take more space than EXPORTS_MAX_BYTES.
        """
        scope = current_scope()
        recording = find_recording(scope, str(device_id))
        asked = {name: data[name] for name in sorted(data)}
        before = find_repeated(scope, KIND, asked, device_id=recording.device_id, request_key=headers["key"])
        if before is not None:
            return accepted(before)
        start_ms, end_ms = check_past_range(data, MAX_DAYS * DAY_MS)
        timing = _find_timing(data, start_ms, end_ms)
        if data["source"] == RECORDINGS:
            if not segments_between(recording.id, start_ms, end_ms, limit=1):
                before_ms, after_ms = (
                    nearest_footage(recording.id, start_ms)[0],
                    nearest_footage(recording.id, end_ms)[1],
                )
                return refuse_empty(NOTHING_IN_RANGE, before_ms, after_ms)
            pictures = Steps(start_ms, end_ms, timing["step_ms"]).count
        else:
            pictures = count_snapshots(scope, recording.device_id, start_ms, end_ms, schedule_id=data["schedule_id"])
            if not pictures:
                return _no_snapshots(recording, start_ms, end_ms)
            if timing["step_ms"] is not None:
                pictures = min(pictures, Steps(start_ms, end_ms, timing["step_ms"]).count)
        size = _estimate_size(pictures, data["width"])
        check_export_space(size)
        job, is_new = create_job(
            scope,
            KIND,
            {
                "asked": asked,
                "start_ms": start_ms,
                "end_ms": end_ms,
                "source": data["source"],
                **timing,
                "fps": data["fps"],
                "width": data["width"],
                "schedule_id": data["schedule_id"],
                "bytes": size,
                "name": movie_name(data["name"], recording, start_ms),
            },
            device_id=recording.device_id,
            request_key=headers["key"],
            footage=FootageRange(recording.id, start_ms, end_ms) if data["source"] == RECORDINGS else None,
            created_by=current_name(),
        )
        if is_new:
            services().send_job(job.id)
        return accepted(job)


def _find_timing(data: dict[str, Any], start_ms: int, end_ms: int) -> dict[str, float | None]:
    """`step_ms`: interval between pictures; `speed`; `seconds`: length of the movie, if requested.

    For snapshots each of them may be None. Raises InvalidValue.
    """
    range_seconds, every, fps = (end_ms - start_ms) / 1000, data["every_seconds"], data["fps"]
    seconds = data["length_seconds"] if data["speed"] is None else range_seconds / data["speed"]
    if seconds is None and every is None and data["source"] == RECORDINGS:
        seconds = min(_DEFAULT_SECONDS, range_seconds)
    if seconds is not None and seconds > range_seconds:
        raise InvalidValue(
            "length_seconds", f"'length_seconds' must be at most {range_seconds:g}, the length of the range"
        )
    speed = None
    if seconds is not None:
        speed = range_seconds / seconds
    elif every is not None:
        speed = every * fps
    step = None if speed is None else max(every or 0.0, speed / fps)
    count = 0 if step is None else ceil(range_seconds / step)
    if count > MAX_PICTURES:
        raise InvalidValue(
            "every_seconds",
            f"the movie would have {count} pictures, but at most {MAX_PICTURES} are allowed: choose a shorter range, a "
            "greater 'speed' or a greater 'every_seconds'",
            reason="range_too_large",
        )
    return {"step_ms": None if step is None else step * 1000, "speed": speed, "seconds": seconds}


def _estimate_size(pictures: int, width: int | None) -> int:
    """Estimated bytes of the movie. Raises InvalidValue `range_too_large`."""
    if pictures > MAX_PICTURES:
        raise InvalidValue(
            "every_seconds",
            f"the range contains {pictures} snapshots, but at most {MAX_PICTURES} are allowed: set 'every_seconds'",
            reason="range_too_large",
        )
    return int(pictures * _PICTURE_BYTES * min(1.0, (width or 1920) / 1920) ** 2)


def _no_snapshots(recording: Recording, start_ms: int, end_ms: int) -> Response:
    scope, device_id = current_scope(), recording.device_id
    before, after = nearest_snapshots(scope, device_id, start_ms)[0], nearest_snapshots(scope, device_id, end_ms)[1]
    return refuse_empty(
        "there are no snapshots in this range",
        before,
        after,
        nothing="there are no snapshots of this device yet",
        reason="no_snapshots",
    )
