"""Request and reply schemas of snapshots."""

import marshmallow as ma

from gateway.api.base import Choice, Choices, Count, DeviceIds, Id, PageArgsSchema, Schema, Text, Time
from gateway.api.services import MAX_CAPTURE_SECONDS
from gateway.api.tags import TagFilter, Tags
from gateway.api.time_fields import Moment, OrderedRange, Seconds
from gateway.captures.pictures import PICTURE_FORMATS
from gateway.captures.queue import ACCURACIES, EXACT, KEY_FRAME, SNAPSHOT_KINDS
from gateway.captures.snapshot_lists import NEWEST, SNAPSHOT_ORDERS

SNAPSHOT_EXAMPLE = {"tags": ["evidence", "gate"], "note": "white van, no plate"}


class SnapshotSchema(Schema):
    """A stored picture. It outlives its device."""

    id = Id(dump_only=True)
    device_id = Id(dump_only=True)
    device_name = ma.fields.String(
        dump_only=True, metadata={"description": "name of the device when the picture was taken"}
    )
    at = Moment(dump_only=True, metadata={"description": "when the picture was taken"})
    kind = Choice(
        SNAPSHOT_KINDS,
        dump_only=True,
        metadata={
            "description": "`live`: the newest picture at that time; `historical`: taken from recorded footage; "
            "`scheduled`: taken by a schedule"
        },
    )
    schedule_id = ma.fields.Integer(
        dump_only=True,
        allow_none=True,
        metadata={"description": "id of the schedule that took it; null for other kinds"},
    )
    width = ma.fields.Integer(dump_only=True, metadata={"description": "pixels"})
    height = ma.fields.Integer(dump_only=True, metadata={"description": "pixels"})
    size = ma.fields.Integer(dump_only=True, metadata={"description": "bytes of the JPEG"})
    tags = Tags()
    note = Text(load_default="", high=2000, lines=True)
    created_by = ma.fields.String(dump_only=True, metadata={"description": "name of the requester"})
    created_at = Time(dump_only=True)
    image_url = ma.fields.String(
        dump_only=True, metadata={"description": "URL of the JPEG; query parameters give other formats and widths"}
    )
    thumbnail_url = ma.fields.String(dump_only=True, metadata={"description": "URL of a small version"})


class SnapshotQueryArgsSchema(OrderedRange, PageArgsSchema):
    """Query of the list of snapshots."""

    device_id = DeviceIds("only of this device; may be repeated for several devices")
    start = Moment(load_default=None, metadata={"description": "only snapshots taken at or after this moment"})
    end = Moment(load_default=None, metadata={"description": "only snapshots taken before this moment"})
    kind = Choices(SNAPSHOT_KINDS, "only of this kind; may be repeated for several kinds")
    tag = TagFilter("snapshots")
    q = Text(
        load_default=None,
        high=200,
        metadata={"description": "only snapshots with this text in note, tags or device name"},
    )
    order = Choice(SNAPSHOT_ORDERS, load_default=NEWEST, metadata={"description": "order by the time of the picture"})


class LiveCaptureArgsSchema(Schema):
    """Options for taking the newest picture."""

    accuracy = Choice(
        ACCURACIES,
        load_default=KEY_FRAME,
        metadata={"description": "`key_frame` uses the newest key frame, `exact` the newest frame, which takes longer"},
    )
    tags = Tags()
    note = Text(load_default="", high=2000, lines=True)
    wait_seconds = Seconds(
        low=0,
        high=MAX_CAPTURE_SECONDS,
        load_default=2.0,
        metadata={"description": "longest wait for the picture; after that the reply is a job"},
    )


class HistoricalCaptureArgsSchema(LiveCaptureArgsSchema):
    """The recorded moment to take a picture of, and its options."""

    at = Moment(
        required=True,
        metadata={"description": "the moment, RFC 3339 with an offset", "example": "2026-11-22T10:00:00Z"},
    )
    accuracy = Choice(
        ACCURACIES,
        load_default=EXACT,
        metadata={"description": "`exact` uses the frame of that moment, `key_frame` the last key frame before it"},
    )


class ImageArgsSchema(Schema):
    """Query of a picture."""

    width = Count(
        low=16,
        high=7680,
        load_default=None,
        metadata={"description": "width in pixels; the picture is scaled down, never up. Omitted: the original size"},
    )
    format = Choice(
        PICTURE_FORMATS,
        load_default=PICTURE_FORMATS[0],
        metadata={"description": "format of the picture; `jpeg` without `width` is the stored file"},
    )
    download = Count(
        low=0, high=1, load_default=0, metadata={"description": "1: sent as an attachment, which browsers save"}
    )
