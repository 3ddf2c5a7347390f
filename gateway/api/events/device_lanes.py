"""`/devices/{id}/events/lanes`: the events of a device for its timeline."""

from typing import Any

from flask.views import MethodView

from gateway.api.base import Blueprint, current_scope
from gateway.api.events.schemas import LanesQueryArgsSchema, LanesSchema
from gateway.api.time_fields import now_ms
from gateway.events.lanes import read_lanes
from gateway.inventory import find_device

blp = Blueprint("device_lanes", __name__, url_prefix="/devices", description="Configured cameras")

_RUNS_OF_RANGE = 1000


@blp.route("/<uuid:device_id>/events/lanes")
class DeviceEventLanes(MethodView):
    @blp.arguments(LanesQueryArgsSchema, location="query")
    @blp.response(200, LanesSchema)
    @blp.errors(404, 422, 503)
    def get(self, args: dict[str, Any], device_id: Any) -> Any:
        """Read the lanes of a timeline

        Events by kind and label as runs: events that are less than the resolution apart are merged. A lane has at most
        1,000 runs, whatever the resolution, and there are at most 20 lanes.
        """
        device = find_device(current_scope(), str(device_id))
        start, end = args["start"], args["end"]
        asked = args["resolution_seconds"]
        resolution_ms = max(1, round(asked * 1000) if asked else (end - start) // _RUNS_OF_RANGE)
        lanes, is_complete = read_lanes(
            current_scope(),
            device.id,
            start,
            end,
            resolution_ms=resolution_ms,
            now_ms=now_ms(),
            kinds=args["kind"],
        )
        return {
            "start": start,
            "end": end,
            "resolution_seconds": resolution_ms / 1000,
            "lanes": lanes,
            "is_complete": is_complete,
        }
