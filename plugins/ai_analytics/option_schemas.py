"""The options that people set: for the installation, and for each device."""

import math
from typing import Any

import marshmallow as ma

from gateway.plugin_api import Choice, Count, Flag, Secret, Text
from plugins.ai_analytics.options import ACTIONS, LABELS
from plugins.ai_analytics.zones import find_crossing

MOST_ZONES, MOST_POINTS, MOST_LABELS, MOST_RULES, MOST_DETECTORS = 32, 64, 64, 32, 8
_EVERYTHING = [{"labels": [], "zones": [], "min_score": 0.0, "actions": ["record", "snapshot"]}]


class Polygon(ma.fields.Field):
    """The corners of a polygon: a list of [x, y], in parts of the picture from its upper left corner."""

    def __init__(self, **options: Any) -> None:
        number = {"type": "number", "minimum": 0, "maximum": 1}
        point = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
        schema = {"type": "array", "items": point, "minItems": 3, "maxItems": MOST_POINTS}
        super().__init__(metadata=schema | options.pop("metadata", {}), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> list[list[float]]:
        if not isinstance(value, list) or not 3 <= len(value) <= MOST_POINTS:
            raise ma.ValidationError(f"'{attr}' must be a list of 3 to {MOST_POINTS} corners")
        for point in value:
            if not isinstance(point, list) or len(point) != 2 or not all(_is_part(one) for one in point):
                raise ma.ValidationError(f"'{attr}' must have corners such as [0.25, 0.5], with numbers from 0 to 1")
        area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(value, [*value[1:], value[0]], strict=True))
        if abs(area) < 1e-6:
            raise ma.ValidationError(f"'{attr}' must enclose an area")
        crossing = find_crossing(value)
        if crossing is not None:
            first, second = crossing
            raise ma.ValidationError(
                f"'{attr}' must not cross itself: the edges after the corners {first + 1} and {second + 1} meet"
            )
        return [[round(float(x), 5), round(float(y), 5)] for x, y in value]


class Labels(ma.fields.List):
    """Labels of objects."""

    def __init__(self, **options: Any) -> None:
        limit = ma.validate.Length(max=MOST_LABELS, error=f"must have at most {MOST_LABELS} labels")
        super().__init__(Text(low=1, high=60), validate=limit, **options)


class ZoneSchema(ma.Schema):
    """A part of the picture in which objects are wanted."""

    name = Text(required=True, low=1, high=60)
    points = Polygon(required=True)
    labels = Labels(load_default=list)
    color = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Regexp(r"#[0-9a-f]{6}\Z", error="must be a colour such as '#ffb000'"),
        metadata={"description": "in which it is drawn"},
    )


class MaskSchema(ma.Schema):
    """A part of the picture in which nothing counts as motion."""

    points = Polygon(required=True)


class RuleSchema(ma.Schema):
    """What an event starts. Empty labels and zones mean all."""

    labels = Labels(load_default=list)
    zones = ma.fields.List(Text(low=1, high=60), load_default=list, validate=ma.validate.Length(max=MOST_ZONES))
    min_score = ma.fields.Float(load_default=float, validate=ma.validate.Range(0, 1))
    actions = ma.fields.List(Choice(ACTIONS), required=True, validate=ma.validate.Length(min=1, max=len(ACTIONS)))


class InstallationOptions(ma.Schema):
    """Options of the detectors."""

    model_file = Text(
        load_default=None,
        allow_none=True,
        high=500,
        metadata={
            "title": "Model file",
            "description": "of the detector `objects`, on the machine that analyses: TensorFlow Lite, or ONNX if "
            "onnxruntime is installed; empty: the model that is installed",
        },
    )
    label_file = Text(
        load_default=None,
        allow_none=True,
        high=500,
        metadata={"title": "Label file", "description": "the labels of the model file, one in a line"},
    )
    http_url = Text(
        load_default=None,
        allow_none=True,
        high=1000,
        metadata={"title": "Address of the detector `http`", "description": "a service that gets pictures as JPEG"},
    )
    http_token = Secret(
        load_default=None,
        allow_none=True,
        metadata={"title": "Token of the detector `http`", "description": "sent as bearer token"},
    )
    http_timeout_seconds = Count(
        low=1, high=14, load_default=5, metadata={"title": "Time limit of the detector `http`", "unit": "s"}
    )
    detector_memory_mb = Count(
        low=64,
        high=65_536,
        load_default=1024,
        metadata={
            "title": "Memory of a detector",
            "unit": "MB",
            "description": "a detector that takes more is started again",
        },
    )


class DeviceOptionsSchema(ma.Schema):
    """What is analysed."""

    is_on = Flag(
        load_default=False,
        metadata={"title": "Analysis", "description": "look for motion and objects", "role": "detection"},
    )
    detectors = ma.fields.List(
        Text(low=1, high=60),
        load_default=lambda: ["objects"],
        validate=ma.validate.Length(max=MOST_DETECTORS),
        metadata={
            "title": "Detectors",
            "description": "while something moves: `objects`, `http`, or those of other plugins; none: motion alone",
        },
    )
    fps = ma.fields.Float(
        load_default=5.0,
        validate=ma.validate.Range(0.2, 25),
        metadata={"title": "Pictures", "unit": "per second", "description": "that are analysed"},
    )
    detector_fps = ma.fields.Float(
        load_default=3.0,
        validate=ma.validate.Range(0.2, 25),
        metadata={
            "title": "Pictures for detectors",
            "unit": "per second",
            "description": "at most, while something moves; each takes about 17 ms of CPU",
        },
    )
    uses_sub_stream = Flag(
        load_default=True,
        metadata={
            "title": "Use the sub-stream",
            "description": "one more connection with the camera; otherwise key frames of the main stream are used",
        },
    )
    sensitivity = Count(low=1, high=100, load_default=50, metadata={"title": "Sensitivity to motion"})
    motion_events = Flag(
        load_default=True, metadata={"title": "Events of motion", "description": "also of what is no known object"}
    )
    labels = Labels(
        load_default=lambda: list(LABELS),
        metadata={"title": "Labels", "description": "objects that become events; none: all that detectors know"},
    )
    min_score = ma.fields.Float(
        load_default=0.4,
        validate=ma.validate.Range(0.05, 1),
        metadata={"title": "Least score", "description": "how sure a detector must be, from 0 to 1"},
    )
    min_size_percent = ma.fields.Float(
        load_default=0.0,
        validate=ma.validate.Range(0, 100),
        metadata={"title": "Least size", "unit": "%", "description": "height or width, of the picture's"},
    )
    min_seconds = ma.fields.Float(
        load_default=0.5,
        validate=ma.validate.Range(0, 60),
        metadata={"title": "Least duration", "unit": "s", "description": "before it becomes an event"},
    )
    zones = ma.fields.List(
        ma.fields.Nested(ZoneSchema),
        load_default=list,
        validate=ma.validate.Length(max=MOST_ZONES),
        metadata={
            "kind": "zones",
            "title": "Zones",
            "description": "with zones, only what stands in one of them becomes an event",
        },
    )
    masks = ma.fields.List(
        ma.fields.Nested(MaskSchema),
        load_default=list,
        validate=ma.validate.Length(max=MOST_ZONES),
        metadata={"kind": "masks", "title": "Masks", "description": "parts of the picture whose motion is ignored"},
    )
    rules = ma.fields.List(
        ma.fields.Nested(RuleSchema),
        load_default=lambda: [dict(rule) for rule in _EVERYTHING],
        validate=ma.validate.Length(max=MOST_RULES),
        metadata={
            "kind": "rules",
            "title": "Rules",
            "description": "what an event starts: `record` (in the recording mode `event`), `snapshot`, `bookmark`",
        },
    )

    @ma.validates_schema
    def check_zone_names(self, data: dict[str, Any], **_options: Any) -> None:
        names = [zone["name"] for zone in data.get("zones") or ()]
        if len(set(names)) < len(names):
            raise ma.ValidationError({"zones": ["'zones' must have different names"]})


def _is_part(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and 0 <= value <= 1
