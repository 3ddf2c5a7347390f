"""What is sent and received about snapshots."""

import marshmallow as ma

from gateway.api.base import Choice, Count, DeviceIds, Id, PageArgsSchema, Schema, Text, Time
from gateway.api.services import MAX_CAPTURE_SECONDS
from gateway.api.tags import TagFilter, Tags
from gateway.api.time_fields import Moment, OrderedRange, Seconds
from gateway.captures.pictures import PICTURE_FORMATS
from gateway.captures.queue import ACCURACIES, EXACT, KEY_FRAME, SNAPSHOT_KINDS
from gateway.captures.snapshot_lists import NEWEST, SNAPSHOT_ORDERS

SNAPSHOT_EXAMPLE = {"tags": ["evidence", "gate"], "note": "white van, no plate"}


class SnapshotSchema(Schema):
    """A picture that was kept. It outlives its device."""

    id = Id(dump_only=True)
    device_id = Id(dump_only=True)
    device_name = ma.fields.String(dump_only=True, metadata={"description": "as it was called then"})
    at = Moment(dump_only=True, metadata={"description": "when the picture was taken"})
    kind = Choice(
        SNAPSHOT_KINDS,
        dump_only=True,
        metadata={
            "description": "`live`: the newest picture; `historical`: of a moment in the past; `scheduled`: by a "
            "schedule"
        },
    )
    schedule_id = ma.fields.Integer(dump_only=True, allow_none=True, metadata={"description": "whose schedule took it"})
    width = ma.fields.Integer(dump_only=True, metadata={"description": "pixels"})
    height = ma.fields.Integer(dump_only=True, metadata={"description": "pixels"})
    size = ma.fields.Integer(dump_only=True, metadata={"description": "bytes of the JPEG"})
    tags = Tags()
    note = Text(load_default="", high=2000, lines=True)
    created_by = ma.fields.String(dump_only=True, metadata={"description": "who asked for it"})
    created_at = Time(dump_only=True)
    image_url = ma.fields.String(
        dump_only=True, metadata={"description": "the JPEG; other formats and widths on request"}
    )
    thumbnail_url = ma.fields.String(dump_only=True, metadata={"description": "the same, small"})


class SnapshotQueryArgsSchema(OrderedRange, PageArgsSchema):
    """Query of the list of snapshots."""

    device_id = DeviceIds("only of this device; may be repeated for several devices")
    start = Moment(load_default=None, metadata={"description": "only those taken then or later"})
    end = Moment(load_default=None, metadata={"description": "only those taken before"})
    kind = ma.fields.List(
        Choice(SNAPSHOT_KINDS),
        load_default=list,
        metadata={"description": "only of this kind; given more than once, of any of them"},
    )
    tag = TagFilter("snapshots")
    q = Text(
        load_default=None, high=200, metadata={"description": "only with this text in note, tags or device's name"}
    )
    order = Choice(SNAPSHOT_ORDERS, load_default=NEWEST, metadata={"description": "which come first"})


class LiveCaptureArgsSchema(Schema):
    """How the newest picture is taken."""

    accuracy = Choice(
        ACCURACIES,
        load_default=KEY_FRAME,
        metadata={
            "description": "`key_frame` takes the newest key frame, `exact` the newest frame, which takes longer"
        },
    )
    tags = Tags()
    note = Text(load_default="", high=2000, lines=True)
    wait_seconds = Seconds(
        low=0,
        high=MAX_CAPTURE_SECONDS,
        load_default=2.0,
        metadata={"description": "how long the request may wait; then it is answered with a job"},
    )


class HistoricalCaptureArgsSchema(LiveCaptureArgsSchema):
    """Which moment of the past a picture is taken of."""

    at = Moment(required=True, metadata={"description": "RFC 3339 with an offset", "example": "2026-11-22T10:00:00Z"})
    accuracy = Choice(
        ACCURACIES,
        load_default=EXACT,
        metadata={"description": "`exact` takes the frame that was shown then, `key_frame` the last key frame before"},
    )


class ImageArgsSchema(Schema):
    """How a picture is sent."""

    width = Count(
        low=16,
        high=7680,
        load_default=None,
        metadata={"description": "pixels; the height follows. It is never enlarged. Left out: as it was taken"},
    )
    format = Choice(
        PICTURE_FORMATS,
        load_default=PICTURE_FORMATS[0],
        metadata={"description": "in which the picture is sent; `jpeg` without `width` is the file itself"},
    )
    download = Count(
        low=0, high=1, load_default=0, metadata={"description": "1: to be saved under its name, not shown"}
    )
