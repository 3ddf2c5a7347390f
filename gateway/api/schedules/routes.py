"""`/snapshots/schedules`: snapshots that are taken regularly."""

import json
from typing import Any

from flask import Response, url_for
from flask.views import MethodView

from gateway.api.base import Blueprint, current_name, current_scope, no_content, offset_of, paginated
from gateway.api.conditional import (
    IdempotencySchema,
    IfMatchSchema,
    etag_header,
    location_header,
    seen_version,
    with_etag,
)
from gateway.api.idempotency import create_once
from gateway.api.merge_patch import merge, repeat_unless_conditional
from gateway.api.schedules.schemas import SCHEDULE_EXAMPLE, ScheduleQueryArgsSchema, SnapshotScheduleSchema
from gateway.api.time_fields import now_ms
from gateway.captures.schedules import (
    ScheduleValues,
    SnapshotSchedule,
    create_schedule,
    delete_schedule,
    find_schedule,
    format_schedule_reason,
    list_schedules,
    replace_schedule,
)
from gateway.errors import InvalidValue
from gateway.footage.recordings import find_recording
from gateway.inventory import find_device
from gateway.schedules.snapshot_plan import SnapshotPlan, next_moment

blp = Blueprint(
    "snapshot_schedules",
    __name__,
    url_prefix="/snapshots/schedules",
    description="Snapshots that are taken regularly",
)

#: Limit of ids in the database.
_NUMBER = "int(max=9223372036854775807)"
_ETAG = etag_header("the schedule")


@blp.route("")
class SnapshotSchedules(MethodView):
    @blp.arguments(ScheduleQueryArgsSchema, location="query")
    @blp.list_response(SnapshotScheduleSchema)
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """List schedules

        Oldest first.
        """
        found, total = list_schedules(
            current_scope(), device_id=args["device_id"], limit=args["page_size"], offset=offset_of(args)
        )
        return paginated([_view(schedule) for schedule in found], total, args)

    @blp.arguments(SnapshotScheduleSchema, example=SCHEDULE_EXAMPLE)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.response(201, SnapshotScheduleSchema, headers=_ETAG | location_header("the schedule"))
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any]) -> Any:
        """Add a schedule

        The first snapshot is taken at `next_at`. If the device sends no video at that time, the snapshot is skipped,
        and `reason` gives the cause. 409 with reason `too_many_schedules` if the device has as many as allowed.
        """
        scope = current_scope()

        def create() -> Any:
            device = find_device(scope, data["device_id"])
            values = _values(data, data["time_zone"] or find_recording(scope, device.id).time_zone)
            schedule = create_schedule(scope, device.id, values, created_by=current_name())
            location = url_for("snapshot_schedules.SnapshotScheduleById", schedule_id=schedule.id)
            return _shown(schedule, 201, location=location)

        return create_once(headers["key"], SnapshotScheduleSchema, create)


@blp.route(f"/<{_NUMBER}:schedule_id>")
class SnapshotScheduleById(MethodView):
    @blp.response(200, SnapshotScheduleSchema, headers=_ETAG)
    @blp.errors(404, 503)
    def get(self, schedule_id: int) -> Any:
        """Read a schedule"""
        return _shown(find_schedule(current_scope(), schedule_id))

    @blp.arguments(SnapshotScheduleSchema, example=SCHEDULE_EXAMPLE)
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, SnapshotScheduleSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 412, 413, 415, 422, 503)
    def put(self, data: dict[str, Any], headers: dict[str, Any], schedule_id: int) -> Any:
        """Change a schedule

        Sets every field; omitted fields get their default, except the time zone. With If-Match, 412 if the schedule has
        changed since it was read.
        """
        before = find_schedule(current_scope(), schedule_id)
        return _replace(data, before, seen_version(headers, before, "schedule"))

    @blp.patch_arguments()
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, SnapshotScheduleSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 412, 413, 415, 422, 503)
    def patch(self, patch: dict[str, Any], headers: dict[str, Any], schedule_id: int) -> Any:
        """Change fields of a schedule

        A JSON merge patch (RFC 7396): fields that are sent replace those of the schedule, null restores a default. The
        rest as with PUT.
        """

        def change() -> Any:
            before = find_schedule(current_scope(), schedule_id)
            data = merge(SnapshotScheduleSchema, _view(before), patch)
            return _replace(data, before, seen_version(headers, before, "schedule") or before.version)

        return repeat_unless_conditional(change, headers)

    @blp.response(204)
    @blp.errors(403, 404, 503)
    def delete(self, schedule_id: int) -> Response:
        """Delete a schedule

        Its snapshots are kept until somebody deletes them.
        """
        delete_schedule(current_scope(), schedule_id)
        return no_content()


def _replace(data: dict[str, Any], before: SnapshotSchedule, if_version: int | None) -> Any:
    if data["device_id"] != before.device_id:
        raise InvalidValue("device_id", f"'device_id' must stay '{before.device_id}': add a new schedule instead")
    values = _values(data, data["time_zone"] or before.time_zone)
    return _shown(replace_schedule(current_scope(), before.id, values, if_version=if_version))


def _values(data: dict[str, Any], time_zone: str) -> ScheduleValues:
    """The values of a schedule. Raises InvalidValue for a plan without any moment."""
    plan = SnapshotPlan(data["every_seconds"], data["times"], data["weekdays"], time_zone)
    if next_moment(plan, now_ms()) is None:
        raise InvalidValue(
            "every_seconds",
            f"'every_seconds' of {data['every_seconds']} never falls on {', '.join(data['weekdays'])}: "
            "choose another step, or 'times'",
        )
    return ScheduleValues(
        name=data["name"],
        plan=plan,
        enabled=data["enabled"],
        tags=data["tags"],
        keep_days=data["keep_days"],
        keep_count=data["keep_count"],
    )


def _view(schedule: SnapshotSchedule) -> dict[str, Any]:
    plan, code = schedule.plan, schedule.reason_code
    return {
        "id": schedule.id,
        "device_id": schedule.device_id,
        "device_name": schedule.device_name,
        "name": schedule.name,
        "enabled": bool(schedule.enabled),
        "every_seconds": plan.every_seconds,
        "times": list(plan.times),
        "weekdays": list(plan.weekdays),
        "time_zone": plan.time_zone,
        "tags": json.loads(schedule.tags),
        "keep_days": schedule.keep_days,
        "keep_count": schedule.keep_count,
        "next_at": schedule.next_at_ms,
        "last_at": schedule.last_at_ms,
        "last_taken_at": schedule.last_taken_at_ms,
        "reason": None if code is None else format_schedule_reason(code, schedule.reason_message),
        "created_by": schedule.created_by,
        "created_at": schedule.created_at,
    }


def _shown(
    schedule: SnapshotSchedule, status: int = 200, *, location: str | None = None
) -> tuple[Any, int, dict[str, str]]:
    return with_etag(_view(schedule), schedule, status, location=location)
