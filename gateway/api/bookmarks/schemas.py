"""Request and reply schemas of bookmarks."""

import marshmallow as ma

from gateway.api.base import Choice, Count, DeviceIds, Id, PageArgsSchema, ReasonSchema, ReplySchema, Schema, Text, Time
from gateway.api.tags import TagFilter, Tags
from gateway.api.time_fields import Moment, OrderedRange, Seconds
from gateway.captures.bookmarks import BOOKMARK_ORDERS, CLIP_STATES

MAX_SECONDS = 300

BOOKMARK_EXAMPLE = {
    "device_id": "5f3f5a0e-6d4e-4b53-8b51-3f6a1f0c2f11",
    "at": None,
    "title": "Delivery",
    "note": "left at the gate",
    "tags": ["parcel"],
    "before_seconds": 5,
    "after_seconds": 10,
}


class ClipSchema(ReplySchema):
    """The clip of a bookmark."""

    state = Choice(
        CLIP_STATES,
        metadata={
            "description": "`pending` while the clip is being made or waits for footage after the moment, `ready` or "
            "`failed`"
        },
    )
    progress = ma.fields.Float(metadata={"description": "0 to 1"})
    job_id = Id(allow_none=True, metadata={"description": "the job that is making the clip"})
    reason = ma.fields.Nested(
        ReasonSchema,
        allow_none=True,
        metadata={"description": "why there is no clip; if the clip is `ready`, why it could not be recreated"},
    )
    url = ma.fields.String(
        allow_none=True, metadata={"description": "URL of the clip, which supports ranges; null without a clip"}
    )
    start = Moment(allow_none=True, metadata={"description": "time of the first frame"})
    end = Moment(allow_none=True, metadata={"description": "end of the last frame"})
    duration_seconds = ma.fields.Float(allow_none=True, metadata={"description": "playing time, without gaps"})
    size = ma.fields.Integer(allow_none=True, metadata={"description": "bytes"})
    codec = ma.fields.String(allow_none=True, metadata={"example": "h264"})
    notes = ma.fields.List(
        ma.fields.String(),
        metadata={"description": "remarks, such as less footage than requested"},
    )


class BookmarkSchema(Schema):
    """A moment on a device, with its own clip, which retention does not delete."""

    id = Id(dump_only=True)
    device_id = Id(dump_only=True)
    device_name = ma.fields.String(
        dump_only=True,
        metadata={"description": "name of the device when the bookmark was made; bookmarks outlive their device"},
    )
    at = Moment(load_default=None, allow_none=True, metadata={"description": "the moment; omitted or null: unchanged"})
    title = Text(required=True, low=1, high=200, metadata={"example": "Delivery"})
    note = Text(load_default="", high=4000, lines=True)
    tags = Tags()
    before_seconds = Seconds(
        low=0,
        high=MAX_SECONDS,
        load_default=None,
        allow_none=True,
        metadata={"description": "length of the clip before the moment; omitted or null: unchanged"},
    )
    after_seconds = Seconds(
        low=0,
        high=MAX_SECONDS,
        load_default=None,
        allow_none=True,
        metadata={"description": "length of the clip after the moment; omitted or null: unchanged"},
    )
    clip = ma.fields.Nested(ClipSchema, dump_only=True)
    poster_url = ma.fields.String(
        dump_only=True, allow_none=True, metadata={"description": "URL of a picture of the moment; null without one"}
    )
    version = ma.fields.Integer(dump_only=True)
    created_by = ma.fields.String(dump_only=True)
    created_at = Time(dump_only=True)
    updated_at = Time(dump_only=True)


class NewBookmarkSchema(BookmarkSchema):
    """A bookmark to create."""

    device_id = Id(required=True)
    at = Moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "the moment; omitted or null: now", "example": "2026-11-22T10:00:00Z"},
    )
    before_seconds = Seconds(
        low=0,
        high=MAX_SECONDS,
        load_default=5.0,
        metadata={"description": "length of the clip before the moment"},
    )
    after_seconds = Seconds(
        low=0,
        high=MAX_SECONDS,
        load_default=5.0,
        metadata={"description": "length of the clip after the moment"},
    )


class BookmarkQueryArgsSchema(OrderedRange, PageArgsSchema):
    """Query of the list of bookmarks."""

    device_id = DeviceIds("only of this device; may be repeated for several devices")
    start = Moment(load_default=None, metadata={"description": "only bookmarks at or after this moment"})
    end = Moment(load_default=None, metadata={"description": "only bookmarks before this moment"})
    tag = TagFilter("bookmarks")
    q = Text(
        load_default=None,
        high=200,
        metadata={"description": "only bookmarks with this text in title, note, tags or device name"},
    )
    order = Choice(BOOKMARK_ORDERS, load_default="newest", metadata={"description": "order by the moment"})


class ClipArgsSchema(Schema):
    """Query of a clip."""

    download = Count(
        low=0, high=1, load_default=0, metadata={"description": "1: sent as an attachment, which browsers save"}
    )


class PosterArgsSchema(Schema):
    """Query of a poster."""

    width = Count(
        low=16,
        high=7680,
        load_default=None,
        metadata={"description": "width in pixels; the picture is scaled down, never up. Omitted: the original size"},
    )
