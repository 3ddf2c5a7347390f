"""`/recordings/…`: dates, segments, timeline and coverage; deletion and protection of footage."""

import time
from datetime import date, timedelta
from typing import Any

import marshmallow as ma
from flask import Response, jsonify, request, url_for
from flask.views import MethodView

from gateway import database
from gateway.api.base import Blueprint, current_name, current_scope, no_content
from gateway.api.conditional import IdempotencySchema
from gateway.api.footage.schemas import (
    MAX_COVERAGE_DAYS,
    MAX_DATES,
    PROTECTION_EXAMPLE,
    CoverageArgsSchema,
    DatesArgsSchema,
    DateSchema,
    DayCoverageSchema,
    DeletionArgsSchema,
    DeletionSchema,
    ProtectionSchema,
    SegmentSchema,
    TimelineArgsSchema,
    TimelineSchema,
    ZoneArgsSchema,
)
from gateway.api.footage.timelines import timeline_json
from gateway.api.footage.views import coverage_json, date_json, protection_view, recorded_sums
from gateway.api.idempotency import create_once
from gateway.api.time_fields import now_ms, parse_date
from gateway.clock import format_time
from gateway.errors import InvalidValue
from gateway.footage.coverage import DeviceCoverage, write_csv
from gateway.footage.coverage_reading import read_coverages
from gateway.footage.lists import read_edges, select_recordings
from gateway.footage.places import place_of
from gateway.footage.protections import protect, protections_between, release_footage
from gateway.footage.reading import segments_between
from gateway.footage.recordings import Recording, find_recording
from gateway.footage.timelines import read_dates
from gateway.schedules.local_days import LocalDay, local_date, local_days
from gateway.schedules.recording_plan import find_zone
from gateway.storage.range_deletion import delete_range

blp = Blueprint("footage", __name__, url_prefix="/recordings", description="Recorded footage and its gaps")

#: Limit of device-days in one report on coverage.
_MAX_DEVICE_DAYS = 10_000
_MAX_DEVICES = 5000
#: Limit of ids in the database.
_NUMBER = "int(max=9223372036854775807)"
_CSV = "text/csv"
_MAX_ACCEPT = 1000
_JSON_OR_CSV = {
    "200": {
        "description": "coverage per day",
        "content": {
            "application/json": {"schema": DayCoverageSchema(many=True)},
            _CSV: {"schema": {"type": "string"}},
        },
    }
}


@blp.route("/devices/<uuid:device_id>/dates")
class RecordingDates(MethodView):
    @blp.arguments(DatesArgsSchema, location="query")
    @blp.response(200, DateSchema(many=True))
    @blp.errors(404, 422, 503)
    def get(self, args: dict[str, Any], device_id: Any) -> Any:
        """List dates

        The dates in a time zone on which footage exists or was wanted, as for a calendar. A segment counts for the date
        of its start.
        """
        recording = find_recording(current_scope(), str(device_id))
        days, zone, now = _days_of(recording, args, MAX_DATES)
        found = read_dates(current_scope(), recording, days, zone, now_ms=now)
        return jsonify([date_json(day) for day in found if day.segments or day.wanted_ms])


@blp.route("/devices/<uuid:device_id>/dates/<string:day>/segments")
class RecordingSegments(MethodView):
    @blp.arguments(ZoneArgsSchema, location="query")
    @blp.response(200, SegmentSchema(many=True))
    @blp.errors(404, 422, 503)
    def get(self, args: dict[str, Any], device_id: Any, day: str) -> Any:
        """List the segments of a date

        Segments with footage of the date, oldest first.
        """
        recording = find_recording(current_scope(), str(device_id))
        try:
            wanted = parse_date(day, "date")
        except ma.ValidationError as error:
            raise InvalidValue("date", error.messages[0]) from None
        local = local_days(find_zone(args["time_zone"] or recording.time_zone), wanted, wanted)[0]
        return jsonify(
            [
                {
                    "id": segment.id,
                    "start": format_time(segment.start_ms),
                    "end": format_time(segment.end_ms),
                    "duration_seconds": segment.duration_ms / 1000,
                    "size": segment.size,
                    "frames": segment.frames,
                    "run": segment.run,
                    "sequence": segment.sequence,
                    "is_open": segment.is_open,
                    "place": place_of(segment, recording),
                    "url": url_for("playback.get_segment", device_id=device_id, segment_id=segment.id),
                }
                for segment in segments_between(recording.id, local.start_ms, local.end_ms)
            ]
        )


@blp.route("/devices/<uuid:device_id>/timeline")
class RecordingTimeline(MethodView):
    @blp.arguments(TimelineArgsSchema, location="query")
    @blp.response(200, TimelineSchema)
    @blp.errors(404, 422, 503)
    def get(self, args: dict[str, Any], device_id: Any) -> Any:
        """Read a timeline

        Spans of footage in a range, gaps with their reasons, events and protected ranges. Exact up to three days. In
        longer ranges, gaps shorter than `resolution_seconds` are not listed but lower the coverage of their span.
        """
        with database.session():
            recording = find_recording(current_scope(), str(device_id))
            return jsonify(timeline_json(recording, args["start"], args["end"], args["resolution_seconds"]))


@blp.route("/devices/<uuid:device_id>/coverage")
class RecordingCoverage(MethodView):
    @blp.arguments(CoverageArgsSchema, location="query")
    @blp.doc(responses=_JSON_OR_CSV)
    @blp.errors(404, 422, 503)
    def get(self, args: dict[str, Any], device_id: Any) -> Any:
        """Read the coverage of a device

        For each day, the share of the wanted footage that was recorded, and each gap with its reason. JSON, or a table
        with `format=csv` or `Accept: text/csv`.
        """
        recording = find_recording(current_scope(), str(device_id))
        days, zone, now = _days_of(recording, args, MAX_COVERAGE_DAYS)
        return _coverage([recording], days, zone, now, args["format"])


@blp.route("/coverage")
class Coverage(MethodView):
    @blp.arguments(CoverageArgsSchema, location="query")
    @blp.doc(responses=_JSON_OR_CSV)
    @blp.errors(404, 422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """Read the coverage of all devices

        The same as for one device, ordered by device name. If omitted, `time_zone` is UTC, `to` is today, and `from` is
        the same as `to`.
        """
        recordings, _ = select_recordings(current_scope(), text=None, device_ids=(), limit=_MAX_DEVICES, offset=0)
        zone, now = args["time_zone"] or "UTC", now_ms()
        today = local_date(find_zone(zone), now)
        days = _checked_days(args["first"] or args["last"] or today, args["last"] or today, zone, MAX_COVERAGE_DAYS)
        if len(days) * len(recordings) > _MAX_DEVICE_DAYS:
            max_days = max(1, _MAX_DEVICE_DAYS // max(1, len(recordings)))
            raise InvalidValue(
                "to",
                f"'to' must be at most {max_days} days after 'from' for {len(recordings)} devices: request one device",
            )
        return _coverage(recordings, days, zone, now, args["format"])


@blp.route("/devices/<uuid:device_id>/footage")
class Footage(MethodView):
    @blp.arguments(DeletionArgsSchema, location="query")
    @blp.response(202, DeletionSchema)
    @blp.errors(403, 404, 422, 503)
    def delete(self, args: dict[str, Any], device_id: Any) -> Any:
        """Delete footage

        Deletes the segments that lie completely in the range, except protected ones and the one that is being written.
        They cannot be played from then on, and their files are deleted within seconds. With `dry_run`, only counts
        them.
        """
        recording = find_recording(current_scope(), str(device_id))
        try:
            return delete_range(
                current_scope(),
                recording.device_id,
                args["start"],
                args["end"],
                current_name(),
                dry_run=args["dry_run"],
                pause=time.sleep,
            )
        finally:
            recorded_sums().forget(recording.id)


@blp.route("/devices/<uuid:device_id>/protections")
class Protections(MethodView):
    @blp.response(200, ProtectionSchema(many=True))
    @blp.errors(404, 503)
    def get(self, device_id: Any) -> Any:
        """List protected ranges

        Oldest first; manual protections and those of exports and bookmarks.
        """
        recording = find_recording(current_scope(), str(device_id))
        return [protection_view(item) for item in protections_between(current_scope(), recording)]

    @blp.arguments(ProtectionSchema, example=PROTECTION_EXAMPLE)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.response(201, ProtectionSchema)
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Protect a range

        Neither retention nor deletion removes segments that overlap the range.
        """

        def create() -> Any:
            recording = find_recording(current_scope(), str(device_id))
            made = protect(current_scope(), recording, data["start"], data["end"], note=data["note"], by=current_name())
            return protection_view(made), 201, {}

        return create_once(headers["key"], ProtectionSchema, create)


@blp.route(f"/devices/<uuid:device_id>/protections/<{_NUMBER}:protection_id>")
class ProtectionById(MethodView):
    @blp.response(204)
    @blp.errors(403, 404, 409, 503)
    def delete(self, device_id: Any, protection_id: int) -> Response:
        """Remove a protection

        409 with reason `protection_in_use` for one that belongs to an export or a bookmark.
        """
        release_footage(current_scope(), find_recording(current_scope(), str(device_id)), protection_id)
        return no_content()


def _days_of(recording: Recording, args: dict[str, Any], max_days: int) -> tuple[list[LocalDay], str, int]:
    """The requested days, the name of their time zone, and the current time in milliseconds."""
    zone_name, now = args["time_zone"] or recording.time_zone, now_ms()
    zone = find_zone(zone_name)
    last = args["last"] or local_date(zone, now)
    first = args["first"]
    if first is None:
        oldest, _ = read_edges(current_scope(), [recording.id])[recording.id]
        first = last if oldest is None else local_date(zone, oldest)
        first = min(last, max(first, last - timedelta(days=max_days - 1)))
    return _checked_days(first, last, zone_name, max_days), zone_name, now


def _checked_days(first: date, last: date, zone: str, max_days: int) -> list[LocalDay]:
    if last < first:
        raise InvalidValue("from", f"'from' must not be after {last}")
    if (last - first).days >= max_days:
        raise InvalidValue("to", f"'to' must be at most {max_days - 1} days after 'from'")
    return local_days(find_zone(zone), first, last)


def _coverage(
    recordings: list[Recording], days: list[LocalDay], zone: str, now: int, wanted_format: str | None
) -> Response:
    found = list(zip(recordings, read_coverages(current_scope(), recordings, days, now_ms=now), strict=True))
    if not _wants_csv(wanted_format):
        return jsonify([coverage_json(recording, day, now) for recording, shown in found for day in shown])
    devices = [DeviceCoverage(recording.device_id, recording.device.name, shown) for recording, shown in found]
    table = "".join(write_csv(devices, find_zone(zone), now))
    response = Response(table, content_type=f"{_CSV}; charset=utf-8; header=present")
    name = f"coverage-{days[0].date.isoformat()}-{days[-1].date.isoformat()}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _wants_csv(wanted_format: str | None) -> bool:
    if wanted_format is not None:
        return wanted_format == "csv"
    # A longer Accept is ignored (RFC 9110, 12.5.1): werkzeug needs quadratic time for spaces in it.
    is_short = len(request.headers.get("Accept", "")) <= _MAX_ACCEPT
    return is_short and request.accept_mimetypes.best_match(["application/json", _CSV]) == _CSV
