"""`/detections`: motion and objects that were seen, their boxes, and what the analysis does now."""

from typing import Any

import marshmallow as ma
import peewee
import redis

from gateway.inventory import find_device
from gateway.plugin_api import DAY_MS, Config, Event, NotFound, TenantScope, connect_redis, database
from gateway.plugin_api.web import (
    Blueprint,
    Choice,
    DeviceIds,
    Id,
    Moment,
    OrderedRange,
    PageArgsSchema,
    ReplySchema,
    Schema,
    Text,
    current_scope,
    offset_of,
    paginated,
)
from plugins.ai_analytics.figures import FiguresStore
from plugins.ai_analytics.kinds import MOTION, OBJECT, PLUGIN
from plugins.ai_analytics.model import boxes_between, boxes_of_event
from plugins.ai_analytics.tracker import Sighting

MOST_BOXES = 20_000
_KINDS = (OBJECT, MOTION)


class DetectionSchema(ReplySchema):
    """Motion, or an object that moved, from its first to its last picture."""

    id = ma.fields.Integer(metadata={"description": "id of the event"})
    device_id = Id()
    kind = Choice(_KINDS)
    label = ma.fields.String(allow_none=True, metadata={"example": "person"})
    zone = ma.fields.String(allow_none=True, metadata={"description": "the first zone that it was in"})
    zones = ma.fields.List(ma.fields.String(), metadata={"description": "all zones that it was in"})
    score = ma.fields.Float(allow_none=True, metadata={"description": "how sure the detector was at best, 0 to 1"})
    start = Moment()
    end = Moment(allow_none=True, metadata={"description": "null while it goes on"})
    detector = ma.fields.String(allow_none=True)
    best_at = Moment(allow_none=True, metadata={"description": "time of the picture that shows it best"})
    box = ma.fields.List(
        ma.fields.Float(),
        allow_none=True,
        metadata={"description": "x, y, width and height in that picture, in parts of the picture"},
    )
    snapshot_id = Id(allow_none=True, metadata={"description": "a snapshot of that picture"})


class DetectionQueryArgsSchema(OrderedRange, PageArgsSchema):
    """Query of detections."""

    device_id = DeviceIds("only of this device; may be repeated for several devices")
    kind = Choice(_KINDS, load_default=None)
    label = Text(load_default=None, high=60)
    zone = Text(load_default=None, high=60, metadata={"description": "only what was first in this zone"})
    min_score = ma.fields.Float(load_default=None, validate=ma.validate.Range(0, 1))
    start = Moment(load_default=None, metadata={"description": "only what ended after this moment, or goes on"})
    end = Moment(load_default=None, metadata={"description": "only what began before this moment"})


class BoxQueryArgsSchema(OrderedRange, Schema):
    """Query of the boxes of a device: at most an hour."""

    max_days = 1 / 24
    start = Moment(required=True)
    end = Moment(required=True)


class ObjectBoxesSchema(ReplySchema):
    """The boxes of one object."""

    event_id = ma.fields.Integer()
    label = ma.fields.String()
    boxes = ma.fields.List(
        ma.fields.List(ma.fields.Float()),
        metadata={
            "description": "capture time in milliseconds since 1970 (UTC), x, y, width, height in parts of the "
            "picture, score"
        },
    )


class BoxesSchema(ReplySchema):
    """Boxes of a device, for drawing over the video of these pictures."""

    tracks = ma.fields.List(ma.fields.Nested(ObjectBoxesSchema))
    is_complete = ma.fields.Boolean(metadata={"description": f"whether there are no more than {MOST_BOXES} boxes"})


class DetectorRateSchema(ReplySchema):
    """How many pictures a second a detector was to look at, and how many it did."""

    name = ma.fields.String()
    wanted_fps = ma.fields.Float(allow_none=True)
    given_fps = ma.fields.Float(allow_none=True)


class AnalysisSchema(ReplySchema):
    """What the analysis of a device does now; null while nothing is analysed."""

    is_running = ma.fields.Boolean()
    source = Choice(("sub_stream", "key_frames"), allow_none=True)
    wanted_fps = ma.fields.Float(allow_none=True, metadata={"description": "pictures a second, as the options say"})
    given_fps = ma.fields.Float(allow_none=True, metadata={"description": "pictures a second that are analysed"})
    ms_per_picture = ma.fields.Float(
        allow_none=True, metadata={"description": "CPU time of a picture, detectors apart"}
    )
    detectors = ma.fields.List(
        ma.fields.Nested(DetectorRateSchema), metadata={"description": "pictures a second of each detector"}
    )
    last_picture_at = Moment(allow_none=True)
    damaged_pictures = ma.fields.Integer(allow_none=True)
    problems = ma.fields.List(ma.fields.String())


def build_blueprint(config: Config) -> Blueprint:
    """Build the resource with its settings."""
    blp = Blueprint("detections", __name__, description="Motion and objects in front of cameras")
    figures = FiguresStore(connect_redis(config.redis_url, timeout_seconds=1.0))

    @blp.route("/detections")
    @blp.arguments(DetectionQueryArgsSchema, location="query")
    @blp.list_response(DetectionSchema)
    @blp.errors(422, 503)
    def list_detections(args: dict[str, Any]) -> Any:
        """List detections

        Motion and objects of all devices, newest first.
        """
        query = select_detections(current_scope(), args)
        with database.session():
            total = query.count()
            newest = query.order_by(Event.start_ms.desc(), Event.id.desc())
            found = list(newest.limit(args["page_size"]).offset(offset_of(args)))
        return paginated([detection_view(event) for event in found], total, args)

    @blp.route("/detections/<int:detection_id>/boxes")
    @blp.response(200, ObjectBoxesSchema)
    @blp.errors(404, 503)
    def get_boxes(detection_id: int) -> Any:
        """Read the boxes of a detection"""
        event = find_detection(current_scope(), detection_id)
        boxes = boxes_of_event(current_scope(), event.id, limit=MOST_BOXES)
        return {"event_id": event.id, "label": event.label or MOTION, "boxes": [box_view(one) for one in boxes]}

    @blp.route("/devices/<uuid:device_id>/detections")
    @blp.arguments(BoxQueryArgsSchema, location="query")
    @blp.response(200, BoxesSchema)
    @blp.errors(404, 422, 503)
    def list_boxes(args: dict[str, Any], device_id: Any) -> Any:
        """List the boxes of a device

        All boxes of objects from one moment to another, for drawing over recorded video. Those of the present come with
        the stream of events, as passing facts of the kind `boxes`.
        """
        device = find_device(current_scope(), str(device_id))
        found, has_more = boxes_between(current_scope(), device.id, args["start"], args["end"], limit=MOST_BOXES)
        return {
            "tracks": [
                {"event_id": one.event_id, "label": one.label, "boxes": [box_view(box) for box in one.boxes]}
                for one in found
            ],
            "is_complete": not has_more,
        }

    @blp.route("/devices/<uuid:device_id>/analysis")
    @blp.response(200, AnalysisSchema)
    @blp.errors(404, 503)
    def get_analysis(device_id: Any) -> Any:
        """Read the state of the analysis"""
        device = find_device(current_scope(), str(device_id))
        try:
            now = figures.read_devices([device.id]).get(device.id)
        except redis.RedisError:
            now = None
        return analysis_view(now)

    return blp


def select_detections(scope: TenantScope, args: dict[str, Any]) -> peewee.ModelSelect:
    """The events of the analysis that a query names."""
    kinds = [args["kind"]] if args["kind"] else list(_KINDS)
    query = scope.select(Event).where(Event.kind.in_(kinds), Event.plugin == PLUGIN)
    if args["device_id"]:
        query = query.where(Event.device_id.in_(list(args["device_id"])))
    for name in ("label", "zone"):
        if args[name] is not None:
            query = query.where(getattr(Event, name) == args[name])
    if args["min_score"] is not None:
        query = query.where(Event.score >= args["min_score"])
    if args["end"] is not None:
        query = query.where(Event.start_ms < args["end"])
    if args["start"] is not None:
        # Nothing goes on for more than a day: the index on the beginning is used.
        query = query.where(
            Event.start_ms > args["start"] - DAY_MS, Event.end_ms.is_null() | (Event.end_ms >= args["start"])
        )
    return query


def find_detection(scope: TenantScope, detection_id: int) -> Event:
    """An event of the analysis. Raises NotFound."""
    with database.session():
        known = Event.id == min(detection_id, 2**63 - 1)
        event = scope.select(Event).where(known, Event.plugin == PLUGIN).first()
    if event is None:
        raise NotFound(f"there is no detection with id '{str(detection_id)[:20]}'")
    return event


def detection_view(event: Event) -> dict[str, Any]:
    """An event of the analysis as the API shows it."""
    data = event.to_fact().data
    return {
        "id": event.id,
        "device_id": event.device_id,
        "kind": event.kind,
        "label": event.label,
        "zone": event.zone,
        "zones": data.get("zones") or [],
        "score": event.score,
        "start": event.start_ms,
        "end": event.end_ms,
        "detector": data.get("detector") or None,
        "best_at": data.get("best_ms"),
        "box": data.get("box"),
        "snapshot_id": event.snapshot_id,
    }


def box_view(box: Sighting) -> list[float]:
    """A box as the API shows it."""
    return [box.at_ms, *(round(one, 4) for one in (box.x, box.y, box.width, box.height, box.score))]


def analysis_view(figures: dict[str, Any] | None) -> dict[str, Any]:
    """The figures of a device as the API shows them."""
    known = figures or {}
    problems, detectors = known.get("problems"), known.get("detectors")
    return {
        "is_running": figures is not None,
        "source": known.get("source") if known.get("source") in ("sub_stream", "key_frames") else None,
        **{name: known.get(name) for name in ("wanted_fps", "given_fps", "ms_per_picture", "damaged_pictures")},
        "detectors": [one for one in detectors if isinstance(one, dict)][:20] if isinstance(detectors, list) else [],
        "last_picture_at": known.get("last_picture_ms"),
        "problems": [str(one)[:300] for one in problems][:20] if isinstance(problems, list) else [],
    }
