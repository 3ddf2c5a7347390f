"""What is sent and received about footage: dates, segments, timeline, coverage, deletion, protection, playlists."""

from typing import Any

import marshmallow as ma

from gateway.api.base import Choice, Id, ReasonSchema, ReplySchema, Schema, Text, Time
from gateway.api.time_fields import DateText, Moment, OrderedRange, ZoneName

#: The longest ranges that are answered, in days.
MAX_DELETION_DAYS = 31
MAX_COVERAGE_DAYS = 366
MAX_DATES = 3 * 366
MAX_TIMELINE_DAYS = 3660

PROTECTION_EXAMPLE = {
    "start": "2026-11-22T10:00:00Z",
    "end": "2026-11-22T10:15:00Z",
    "note": "police report 12/26",
}

_START = {"description": "RFC 3339 with an offset", "example": "2026-11-22T10:00:00Z"}
_END = {"description": "not part of the range", "example": "2026-11-22T11:00:00+01:00"}


class RangeArgsSchema(OrderedRange, Schema):
    """A range of time."""

    start = Moment(required=True, metadata=_START)
    end = Moment(required=True, metadata=_END)


class DateSchema(ReplySchema):
    """What there is of a date."""

    date = DateText()
    seconds = ma.fields.Float(metadata={"description": "recorded"})
    wanted_seconds = ma.fields.Float(allow_none=True, metadata={"description": "wanted so far; null when nothing was"})
    coverage = ma.fields.Float(
        allow_none=True, metadata={"description": "0 to 1 of what was wanted; null when nothing was"}
    )
    bytes = ma.fields.Integer()
    segments = ma.fields.Integer()
    gaps = ma.fields.Integer(metadata={"description": "noted gaps in footage that was wanted"})


class DatesArgsSchema(Schema):
    """Query of dates."""

    time_zone = ZoneName(
        load_default=None, metadata={"description": "in which dates begin; left out: the recording's own"}
    )
    first = DateText(
        data_key="from", load_default=None, metadata={"description": "left out: that of the oldest footage"}
    )
    last = DateText(data_key="to", load_default=None, metadata={"description": "included; left out: today"})

    @ma.validates_schema
    def check_range(self, data: dict[str, Any], **_options: Any) -> None:
        if data["first"] and data["last"] and data["last"] < data["first"]:
            raise ma.ValidationError({"to": ["'to' must not be before 'from'"]})


class ZoneArgsSchema(Schema):
    """Query of one date."""

    time_zone = ZoneName(load_default=None, metadata={"description": "left out: the recording's own"})


class SegmentSchema(ReplySchema):
    """A file of footage."""

    id = ma.fields.Integer()
    start = Moment()
    end = Moment()
    duration_seconds = ma.fields.Float()
    size = ma.fields.Integer(metadata={"description": "bytes; of an open one, those that can be read"})
    frames = ma.fields.Integer(metadata={"description": "pictures"})
    run = ma.fields.Integer(metadata={"description": "run of the stream it comes from"})
    sequence = ma.fields.Integer(metadata={"description": "number of its first part in the run"})
    is_open = ma.fields.Boolean(metadata={"description": "whether it is being written"})
    url = ma.fields.String()


class TimelineArgsSchema(RangeArgsSchema):
    """Query of a timeline."""

    max_days = MAX_TIMELINE_DAYS

    resolution_seconds = ma.fields.Float(
        load_default=None,
        validate=ma.validate.Range(
            min=0.001, max=10_000_000, error="must be a number of seconds from 0.001 to 10000000"
        ),
        metadata={
            "description": "what is finer is merged; of ranges over three days a multiple of 15 minutes that is not "
            "finer"
        },
    )


class SpanSchema(ReplySchema):
    """A stretch with footage."""

    start = Moment()
    end = Moment()
    coverage = ma.fields.Float(metadata={"description": "0 to 1: below 1 where pieces finer than the resolution miss"})


class GapSchema(ReplySchema):
    """A stretch without footage."""

    start = Moment()
    end = Moment(allow_none=True, metadata={"description": "null while it lasts"})
    reason = ma.fields.Nested(ReasonSchema)
    by = ma.fields.String(allow_none=True, metadata={"description": "who stopped or deleted it"})
    is_wanted = ma.fields.Boolean(metadata={"description": "false where nobody wanted footage"})


class TimelineEventSchema(ReplySchema):
    """Something that happened: before the camera (`recording`) or to its stream (`stream`)."""

    kind = Choice(("recording", "stream"))
    at = Moment()
    end = Moment(allow_none=True)
    label = ma.fields.String()
    note = ma.fields.String(allow_none=True)


class ProtectionSchema(OrderedRange, Schema):
    """A range of footage that retention and deletion leave alone."""

    id = ma.fields.Integer(dump_only=True)
    start = Moment(required=True, metadata=_START)
    end = Moment(required=True, metadata=_END)
    kind = Choice(("hold", "export", "bookmark"), dump_only=True)
    note = Text(load_default="", high=500, metadata={"example": "police report 12/26"})
    created_by = ma.fields.String(dump_only=True)
    created_at = Time(dump_only=True)


class TimelineProtectionSchema(ReplySchema):
    """A protected range."""

    id = ma.fields.Integer()
    start = Moment()
    end = Moment()
    kind = Choice(("hold", "export", "bookmark"))
    note = ma.fields.String()


class TimelineSchema(ReplySchema):
    """What is covered of a range, why the rest is not, and what happened."""

    start = Moment()
    end = Moment()
    resolution_seconds = ma.fields.Float()
    spans = ma.fields.List(ma.fields.Nested(SpanSchema))
    gaps = ma.fields.List(ma.fields.Nested(GapSchema))
    events = ma.fields.List(ma.fields.Nested(TimelineEventSchema))
    protections = ma.fields.List(ma.fields.Nested(TimelineProtectionSchema))
    oldest = Moment(allow_none=True)
    newest = Moment(allow_none=True)


class CoverageArgsSchema(DatesArgsSchema):
    """Query of coverage."""

    format = Choice(
        ("json", "csv"),
        load_default=None,
        metadata={"description": "left out: as `Accept` says; `csv` is a table for spreadsheets"},
    )


class CoverageGapSchema(GapSchema):
    """A gap of a day, cut at the day's ends."""

    seconds = ma.fields.Float()


class DayCoverageSchema(ReplySchema):
    """How much of a day was recorded."""

    device_id = Id()
    device_name = ma.fields.String()
    date = DateText()
    recorded_seconds = ma.fields.Float()
    wanted_seconds = ma.fields.Float(metadata={"description": "what has passed of the day without what nobody wanted"})
    coverage = ma.fields.Float(allow_none=True, metadata={"description": "0 to 1; null when nothing was wanted"})
    gaps = ma.fields.List(ma.fields.Nested(CoverageGapSchema))


class DeletionArgsSchema(RangeArgsSchema):
    """Query of a deletion."""

    max_days = MAX_DELETION_DAYS

    dry_run = ma.fields.Boolean(
        truthy={"true"}, falsy={"false"}, load_default=False, metadata={"description": "only count what would go"}
    )


class DeletionSchema(ReplySchema):
    """What goes, or would go."""

    segments = ma.fields.Integer()
    bytes = ma.fields.Integer()
    seconds = ma.fields.Float()
    kept_protected = ma.fields.Integer(metadata={"description": "segments that are protected and stay"})
