"""`/devices/{id}/events/…`: the events of a device for its timeline: lanes, and those before and after a moment."""

from typing import Any

from flask.views import MethodView

from gateway.api.base import Blueprint, current_scope
from gateway.api.events.schemas import (
    LanesQueryArgsSchema,
    LanesSchema,
    NeighboursQueryArgsSchema,
    NeighboursSchema,
)
from gateway.api.events.views import event_view
from gateway.api.time_fields import now_ms
from gateway.events.lanes import read_lanes
from gateway.events.neighbours import find_neighbours
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


@blp.route("/<uuid:device_id>/events/neighbours")
class DeviceEventNeighbours(MethodView):
    @blp.arguments(NeighboursQueryArgsSchema, location="query")
    @blp.response(200, NeighboursSchema)
    @blp.errors(404, 422, 503)
    def get(self, args: dict[str, Any], device_id: Any) -> Any:
        """Find the events before and after a moment

        Of the events that plugins recorded, by their start, however far away they are.
        """
        device = find_device(current_scope(), str(device_id))
        previous, following = find_neighbours(
            current_scope(), device.id, args["at"], kinds=args["kind"], labels=args["label"]
        )
        return {"previous": previous and event_view(previous), "next": following and event_view(following)}
