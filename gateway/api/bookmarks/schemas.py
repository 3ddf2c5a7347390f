"""What is sent and received about bookmarks."""

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
            "description": "`pending` while it is made (what comes after the moment is waited for), `ready`, or "
            "`failed`"
        },
    )
    progress = ma.fields.Float(metadata={"description": "0 to 1"})
    job_id = Id(allow_none=True, metadata={"description": "the job that makes it now"})
    reason = ma.fields.Nested(
        ReasonSchema,
        allow_none=True,
        metadata={"description": "why there is none; of one that is ready: why no newer one could be made"},
    )
    url = ma.fields.String(allow_none=True, metadata={"description": "where it plays, by ranges too; null without one"})
    start = Moment(allow_none=True, metadata={"description": "when its first picture was taken"})
    end = Moment(allow_none=True, metadata={"description": "when its last picture ended"})
    duration_seconds = ma.fields.Float(allow_none=True, metadata={"description": "how long it plays, without gaps"})
    size = ma.fields.Integer(allow_none=True, metadata={"description": "bytes"})
    codec = ma.fields.String(allow_none=True, metadata={"example": "h264"})
    notes = ma.fields.List(
        ma.fields.String(),
        metadata={"description": "what is worth knowing of it, such as less footage than was wanted"},
    )


class BookmarkSchema(Schema):
    """A moment on a device, with a clip of its own that is kept whatever retention does."""

    id = Id(dump_only=True)
    device_id = Id(dump_only=True)
    device_name = ma.fields.String(
        dump_only=True, metadata={"description": "as it was called then: it outlives its device"}
    )
    at = Moment(load_default=None, allow_none=True, metadata={"description": "the moment; left out or null: as it is"})
    title = Text(required=True, low=1, high=200, metadata={"example": "Delivery"})
    note = Text(load_default="", high=4000, lines=True)
    tags = Tags()
    before_seconds = Seconds(
        low=0,
        high=MAX_SECONDS,
        load_default=None,
        allow_none=True,
        metadata={"description": "how much of before the moment the clip shows; left out or null: as it is"},
    )
    after_seconds = Seconds(
        low=0,
        high=MAX_SECONDS,
        load_default=None,
        allow_none=True,
        metadata={"description": "how much of after the moment the clip shows; left out or null: as it is"},
    )
    clip = ma.fields.Nested(ClipSchema, dump_only=True)
    poster_url = ma.fields.String(
        dump_only=True, allow_none=True, metadata={"description": "a picture of the moment; null without one"}
    )
    version = ma.fields.Integer(dump_only=True)
    created_by = ma.fields.String(dump_only=True)
    created_at = Time(dump_only=True)
    updated_at = Time(dump_only=True)


class NewBookmarkSchema(BookmarkSchema):
    """A bookmark to be made."""

    device_id = Id(required=True)
    at = Moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "the moment; left out or null: now", "example": "2026-11-22T10:00:00Z"},
    )
    before_seconds = Seconds(
        low=0,
        high=MAX_SECONDS,
        load_default=5.0,
        metadata={"description": "how much of before the moment the clip shows"},
    )
    after_seconds = Seconds(
        low=0,
        high=MAX_SECONDS,
        load_default=5.0,
        metadata={"description": "how much of after the moment the clip shows"},
    )


class BookmarkQueryArgsSchema(OrderedRange, PageArgsSchema):
    """Query of the list of bookmarks."""

    device_id = DeviceIds("only of this device; may be repeated for several devices")
    start = Moment(load_default=None, metadata={"description": "only of this moment or later"})
    end = Moment(load_default=None, metadata={"description": "only of before this moment"})
    tag = TagFilter("bookmarks")
    q = Text(
        load_default=None,
        high=200,
        metadata={"description": "only with this text in title, note, tags or the device's name"},
    )
    order = Choice(BOOKMARK_ORDERS, load_default="newest", metadata={"description": "by the moment"})


class ClipArgsSchema(Schema):
    """How the clip is fetched."""

    download = Count(low=0, high=1, load_default=0, metadata={"description": "1: a browser saves it as a file"})


class PosterArgsSchema(Schema):
    """How the picture is fetched."""

    width = Count(
        low=16,
        high=7680,
        load_default=None,
        metadata={"description": "pixels; the picture is made smaller, never larger. Left out: as the camera sent it"},
    )
