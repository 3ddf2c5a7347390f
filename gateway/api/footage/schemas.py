"""Request and reply schemas of footage: dates, segments, timeline, coverage, deletion, protection."""

from typing import Any

import marshmallow as ma

from gateway.api.base import Choice, Id, ReasonSchema, ReplySchema, Schema, Text, Time
from gateway.api.time_fields import DateText, Moment, OrderedRange, ZoneName
from gateway.footage.places import Where

#: The longest ranges of a request, in days.
MAX_DELETION_DAYS = 31
MAX_COVERAGE_DAYS = 366
MAX_DATES = 3 * 366
MAX_TIMELINE_DAYS = 3660

PLACES = tuple(where.value for where in Where)
PLACES_TEXT = (
    "`local`: on the local disk; `waiting`: there, until the archive has a copy; `both`: there and in the archive; "
    "`archive`: in the archive only, from where it is played"
)

PROTECTION_EXAMPLE = {
    "start": "2026-11-22T10:00:00Z",
    "end": "2026-11-22T10:15:00Z",
    "note": "police report 12/26",
}

_START = {"description": "start of the range, RFC 3339 with an offset", "example": "2026-11-22T10:00:00Z"}
_END = {"description": "end of the range, exclusive", "example": "2026-11-22T11:00:00+01:00"}


class RangeArgsSchema(OrderedRange, Schema):
    """A range of time."""

    start = Moment(required=True, metadata=_START)
    end = Moment(required=True, metadata=_END)


class DateSchema(ReplySchema):
    """The footage of a date."""

    date = DateText()
    seconds = ma.fields.Float(metadata={"description": "recorded seconds"})
    wanted_seconds = ma.fields.Float(
        allow_none=True, metadata={"description": "seconds for which footage was wanted so far; null if none was"}
    )
    coverage = ma.fields.Float(
        allow_none=True,
        metadata={"description": "recorded share of the wanted footage, 0 to 1; null if none was wanted"},
    )
    bytes = ma.fields.Integer()
    segments = ma.fields.Integer()
    archived_bytes = ma.fields.Integer(metadata={"description": "bytes that have a copy in an archive"})
    away_bytes = ma.fields.Integer(metadata={"description": "bytes that are in an archive only"})
    gaps = ma.fields.Integer(metadata={"description": "number of gaps in wanted footage"})


class DatesArgsSchema(Schema):
    """Query of dates."""

    time_zone = ZoneName(
        load_default=None, metadata={"description": "time zone of the dates; omitted: that of the recording"}
    )
    first = DateText(
        data_key="from", load_default=None, metadata={"description": "first date; omitted: that of the oldest footage"}
    )
    last = DateText(data_key="to", load_default=None, metadata={"description": "last date, inclusive; omitted: today"})

    @ma.validates_schema
    def check_range(self, data: dict[str, Any], **_options: Any) -> None:
        if data["first"] and data["last"] and data["last"] < data["first"]:
            raise ma.ValidationError({"to": ["'to' must not be before 'from'"]})


class ZoneArgsSchema(Schema):
    """Query of one date."""

    time_zone = ZoneName(
        load_default=None, metadata={"description": "time zone of the date; omitted: that of the recording"}
    )


class SegmentSchema(ReplySchema):
    """A segment: one file of footage."""

    id = ma.fields.Integer()
    start = Moment()
    end = Moment()
    duration_seconds = ma.fields.Float()
    size = ma.fields.Integer(metadata={"description": "bytes; for an open segment, the bytes that can be read"})
    frames = ma.fields.Integer(metadata={"description": "number of frames"})
    run = ma.fields.Integer(metadata={"description": "number of the stream's run"})
    sequence = ma.fields.Integer(metadata={"description": "number of its first part within the run"})
    is_open = ma.fields.Boolean(metadata={"description": "whether the segment is being written"})
    place = Choice(PLACES, metadata={"description": PLACES_TEXT})
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
            "description": "shorter gaps and spans are merged; in ranges over three days, rounded up to a multiple of "
            "15 minutes"
        },
    )


class PlaceSchema(ReplySchema):
    """A range whose footage lies at one place."""

    start = Moment()
    end = Moment()
    place = Choice(PLACES, metadata={"description": PLACES_TEXT})


class SpanSchema(ReplySchema):
    """A contiguous range with footage."""

    start = Moment()
    end = Moment()
    coverage = ma.fields.Float(
        metadata={
            "description": "recorded share, 0 to 1; below 1 if the span includes gaps shorter than the resolution"
        }
    )


class GapSchema(ReplySchema):
    """A contiguous range without footage."""

    start = Moment()
    end = Moment(allow_none=True, metadata={"description": "null while the gap lasts"})
    reason = ma.fields.Nested(ReasonSchema)
    by = ma.fields.String(
        allow_none=True,
        metadata={"description": "name of the person or address that stopped the recording or deleted the footage"},
    )
    is_wanted = ma.fields.Boolean(metadata={"description": "false if no footage was wanted"})


class TimelineEventSchema(ReplySchema):
    """An event in front of the camera (`recording`) or of its stream (`stream`)."""

    kind = Choice(("recording", "stream"))
    at = Moment()
    end = Moment(allow_none=True)
    label = ma.fields.String()
    note = ma.fields.String(allow_none=True)


class ProtectionSchema(OrderedRange, Schema):
    """A range of footage that retention and deletion keep."""

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
    """Spans, gaps, events and protections of a range."""

    start = Moment()
    end = Moment()
    resolution_seconds = ma.fields.Float()
    spans = ma.fields.List(ma.fields.Nested(SpanSchema))
    gaps = ma.fields.List(ma.fields.Nested(GapSchema))
    events = ma.fields.List(ma.fields.Nested(TimelineEventSchema))
    protections = ma.fields.List(ma.fields.Nested(TimelineProtectionSchema))
    places = ma.fields.List(
        ma.fields.Nested(PlaceSchema),
        metadata={
            "description": "where the footage lies, to a quarter of an hour; empty if no archive has or takes any of it"
        },
    )
    oldest = Moment(allow_none=True)
    newest = Moment(allow_none=True)


class CoverageArgsSchema(DatesArgsSchema):
    """Query of coverage."""

    format = Choice(
        ("json", "csv"),
        load_default=None,
        metadata={"description": "omitted: by the `Accept` header; `csv` is a table for spreadsheets"},
    )


class CoverageGapSchema(GapSchema):
    """A gap, cut to the day."""

    seconds = ma.fields.Float()


class DayCoverageSchema(ReplySchema):
    """The coverage of a device on a day."""

    device_id = Id()
    device_name = ma.fields.String()
    date = DateText()
    recorded_seconds = ma.fields.Float()
    wanted_seconds = ma.fields.Float(
        metadata={"description": "elapsed seconds of the day for which footage was wanted"}
    )
    coverage = ma.fields.Float(
        allow_none=True, metadata={"description": "recorded share, 0 to 1; null if no footage was wanted"}
    )
    gaps = ma.fields.List(ma.fields.Nested(CoverageGapSchema))


class DeletionArgsSchema(RangeArgsSchema):
    """Query of a deletion."""

    max_days = MAX_DELETION_DAYS

    dry_run = ma.fields.Boolean(
        truthy={"true"},
        falsy={"false"},
        load_default=False,
        metadata={"description": "only count what would be deleted"},
    )


class DeletionSchema(ReplySchema):
    """The deleted segments, or those that would be deleted."""

    segments = ma.fields.Integer()
    bytes = ma.fields.Integer()
    seconds = ma.fields.Float()
    kept_protected = ma.fields.Integer(metadata={"description": "number of protected segments, which are kept"})
