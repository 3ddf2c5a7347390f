"""Schemas of `/events`."""

from typing import Any

import marshmallow as ma

from gateway.api.base import Choice, Count, DeviceIds, Id, ReasonSchema, ReplySchema, Schema, ShortList, Text, Time
from gateway.api.time_fields import Moment
from gateway.events.model import CHANGES, EVENT_KINDS

MAX_WAIT_SECONDS = 30
MAX_CURSOR = 2**53
_MAX_WORDS = 20


class EventSchema(ReplySchema):
    """An event. One that goes on has no `end`; it is sent again, with a greater `cursor`, when it changes or ends."""

    id = ma.fields.Integer()
    cursor = ma.fields.Integer(metadata={"description": "place in the feed; greater after each change"})
    change = Choice(
        CHANGES,
        metadata={"description": "`recorded` without duration; otherwise it `began`, `changed` or `ended`"},
    )
    kind = ma.fields.String(
        metadata={"description": f"{', '.join(EVENT_KINDS)}, or a kind of a plugin", "example": "state"}
    )
    device_id = Id(allow_none=True, metadata={"description": "null for what concerns no device"})
    at = Time(metadata={"description": "when it was written"})
    start = Moment(attribute="start_ms")
    end = Moment(attribute="end_ms", allow_none=True, metadata={"description": "null while it goes on"})
    plugin = ma.fields.String(allow_none=True, metadata={"description": "the plugin that recorded it"})
    label = ma.fields.String(allow_none=True, metadata={"example": "person"})
    zone = ma.fields.String(allow_none=True)
    score = ma.fields.Float(allow_none=True)
    from_state = ma.fields.String(data_key="from", allow_none=True, metadata={"example": "starting"})
    to_state = ma.fields.String(
        data_key="to",
        allow_none=True,
        metadata={"description": "state of the stream, recorder, job or component", "example": "running"},
    )
    reason = ma.fields.Nested(ReasonSchema, allow_none=True)
    run = ma.fields.Integer(
        allow_none=True, metadata={"description": "number of the stream's run; null before the first"}
    )
    text = ma.fields.String(allow_none=True, metadata={"description": "description of the event"})
    reference = ma.fields.String(allow_none=True, metadata={"description": "id of the snapshot, bookmark, job or gap"})
    snapshot_id = Id(allow_none=True, metadata={"description": "its best picture"})
    by_name = ma.fields.String(allow_none=True, metadata={"description": "name of the requester"})
    data = ma.fields.Dict(metadata={"description": "details of its kind"})


class Words(ShortList):
    """Query parameter of a list: words, of which one must match; any without."""

    def __init__(self, description: str, high: int = 100) -> None:
        super().__init__(
            Text(low=1, high=high),
            load_default=list,
            validate=ma.validate.Length(max=_MAX_WORDS, error=f"must be at most {_MAX_WORDS}"),
            metadata={"description": description},
        )


class Flag(Count):
    """Query parameter of a list: 1 if set."""

    def __init__(self, description: str) -> None:
        super().__init__(load_default=0, low=0, high=1, metadata={"description": description})


class EventFilterArgsSchema(Schema):
    """Filter of events; criteria are joined by `and`, values of one criterion by `or`."""

    device_id = DeviceIds("only events of these devices; may be repeated")
    kind = Words("only of these kinds; may be repeated", 64)
    label = Words("only with these labels; may be repeated")
    zone = Words("only in these zones; may be repeated")
    plugin = Words("only of these plugins; may be repeated")
    min_score = ma.fields.Float(
        load_default=None,
        validate=ma.validate.Range(min=-1_000_000, max=1_000_000),
        metadata={"description": "only with at least this score"},
    )
    of_plugins = Flag("1: only those that plugins recorded, such as motion and objects")
    with_picture = Flag("1: only those with a picture")


class EventQueryArgsSchema(EventFilterArgsSchema):
    """Query of events."""

    start = Moment(data_key="from", load_default=None, metadata={"description": "only those that end after this"})
    end = Moment(data_key="to", load_default=None, metadata={"description": "only those that begin before this"})
    before = Count(
        load_default=None,
        low=1,
        high=MAX_CURSOR,
        metadata={"description": "id of an event: those after it in the list, newest first, are sent"},
    )
    after = Count(
        load_default=None,
        low=0,
        high=MAX_CURSOR,
        metadata={"description": "cursor: what was recorded or changed since, oldest first; 0 for everything"},
    )
    wait = Count(
        load_default=0,
        low=0,
        high=MAX_WAIT_SECONDS,
        metadata={"description": "with `after`: seconds to wait for an event when there is none yet"},
    )
    page_size = Count(load_default=50, low=1, high=200, metadata={"description": "items per page"})

    @ma.validates_schema
    def check_order(self, data: dict[str, Any], **_options: Any) -> None:
        if data.get("before") is not None and data.get("after") is not None:
            raise ma.ValidationError({"before": ["'before' and 'after' exclude each other"]})
        if data.get("wait") and data.get("after") is None:
            raise ma.ValidationError({"wait": ["'wait' needs 'after'"]})
        start, end = data.get("start"), data.get("end")
        if start is not None and end is not None and end <= start:
            raise ma.ValidationError({"to": ["'to' must be after 'from'"]})


class EventValuesArgsSchema(Schema):
    """Query of the values that events have."""

    device_id = DeviceIds("only events of these devices; may be repeated")
    start = Moment(data_key="from", load_default=None, metadata={"description": "only those that begin after this"})


class EventValueSchema(ReplySchema):
    """A value, and how many of the events that were looked at have it."""

    value = ma.fields.String()
    events = ma.fields.Integer()


class EventValuesSchema(ReplySchema):
    """Values to filter the events of plugins by, the most frequent first."""

    kinds = ma.fields.List(ma.fields.Nested(EventValueSchema))
    labels = ma.fields.List(ma.fields.Nested(EventValueSchema))
    zones = ma.fields.List(ma.fields.Nested(EventValueSchema))
    is_complete = ma.fields.Boolean(metadata={"description": "false if there were more events than are looked at"})


class EventStreamArgsSchema(EventFilterArgsSchema):
    """Query of the stream of events."""

    last_event_id = Count(
        load_default=None,
        low=0,
        high=MAX_CURSOR,
        metadata={"description": "where to go on, for clients that cannot send the header `Last-Event-ID`"},
    )
    passing = Flag("1: also passing facts, such as the progress of jobs, which have no id")
    passing_kind = Words("with `passing`: of passing facts only these kinds; may be repeated", 64)


class LastEventIdSchema(Schema):
    """The header with which a browser goes on; it counts more than the query."""

    class Meta:
        unknown = ma.EXCLUDE

    last_event_id = ma.fields.String(
        data_key="Last-Event-ID",
        load_default=None,
        validate=ma.validate.Length(max=16),
        metadata={"description": "id of the last event that was received"},
    )

    @ma.validates("last_event_id")
    def check_id(self, value: str | None, **_options: Any) -> None:
        if value and not (value.isascii() and value.isdigit() and len(value) <= 16):
            raise ma.ValidationError("'Last-Event-ID' must be an id that the stream has sent")


class LanesQueryArgsSchema(Schema):
    """Query of the lanes of a timeline."""

    start = Moment(data_key="from", required=True, metadata={"description": "start of the timeline"})
    end = Moment(data_key="to", required=True, metadata={"description": "end of the timeline, at most 366 days later"})
    resolution_seconds = ma.fields.Float(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Range(min=0.1, max=86_400),
        metadata={"description": "runs that are less apart are merged; by default a thousandth of the range"},
    )
    kind = Words("only of these kinds; by default those of plugins", 64)

    @ma.validates_schema
    def check_order(self, data: dict[str, Any], **_options: Any) -> None:
        start, end = data.get("start"), data.get("end")
        if start is None or end is None:
            return
        if end <= start:
            raise ma.ValidationError({"to": ["'to' must be after 'from'"]})
        if end - start > 366 * 86_400_000:
            raise ma.ValidationError({"to": ["'to' must be at most 366 days after 'from'"]})


class LaneSchema(ReplySchema):
    """One lane: the runs of events of a kind and label."""

    kind = ma.fields.String()
    label = ma.fields.String(allow_none=True)
    events = ma.fields.Integer(metadata={"description": "number of events"})
    runs = ma.fields.List(
        ma.fields.List(ma.fields.Integer()),
        metadata={
            "description": "[start, end, events] of each run in order: milliseconds from the start of the range, and "
            "the number of events that were merged"
        },
    )


class LanesSchema(ReplySchema):
    """Events of a device as lanes of a timeline."""

    start = Moment()
    end = Moment()
    resolution_seconds = ma.fields.Float()
    lanes = ma.fields.List(ma.fields.Nested(LaneSchema))
    is_complete = ma.fields.Boolean(metadata={"description": "false if there were more events than are read at once"})


class NeighboursQueryArgsSchema(Schema):
    """Query of the events around a moment."""

    at = Moment(required=True, metadata={"description": "the moment"})
    kind = Words("only of these kinds; may be repeated", 64)
    label = Words("only with these labels; may be repeated")


class NeighboursSchema(ReplySchema):
    """The events of a device around a moment."""

    previous = ma.fields.Nested(EventSchema, allow_none=True, metadata={"description": "the last that began before"})
    next = ma.fields.Nested(EventSchema, allow_none=True, metadata={"description": "the first that begins after"})
