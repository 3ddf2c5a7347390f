"""What is sent and received about the settings and the state of recordings."""

from typing import Any

import marshmallow as ma

from gateway.api.base import Choice, Count, DeviceIds, Id, PageArgsSchema, ReasonSchema, ReplySchema, Schema, Text, Time
from gateway.api.time_fields import Moment, OrderedRange, Seconds, WeeklyPlan, ZoneName
from gateway.footage.recordings import OBSERVED
from gateway.schedules.recording_plan import MODES

CAUSES = ("continuous", "schedule", "event", "manual")
#: The pre-roll comes from the media bus, which holds no more.
MAX_PRE_ROLL_SECONDS = 300
MAX_POST_ROLL_SECONDS = 3600
#: As many bytes as a number of JSON holds exactly.
MAX_BYTES = 1 << 53

PLAN_EXAMPLE = {"monday": [["08:00", "12:00"], ["13:00", "18:00"]], "friday": [["22:00", "06:00"]]}
SETTINGS_EXAMPLE = {
    "mode": "scheduled",
    "time_zone": "Europe/Berlin",
    "plan": PLAN_EXAMPLE,
    "pre_roll_seconds": 5,
    "post_roll_seconds": 10,
    "keep_days": 30,
    "keep_bytes": None,
}
EVENT_EXAMPLE = {"label": "door opened", "note": "badge 4711", "duration_seconds": 20}


class OverrideSchema(ReplySchema):
    """What a person said, which goes before the mode."""

    wish = Choice(("on", "off"))
    by = ma.fields.String(allow_none=True, metadata={"description": "who said it"})
    at = Moment(allow_none=True)
    until = Moment(
        allow_none=True, metadata={"description": "until when it holds; null: until somebody says otherwise"}
    )


class RetentionSchema(ReplySchema):
    """What holds in effect: the device's own limits, otherwise those of the server."""

    keep_days = ma.fields.Integer(allow_none=True, metadata={"description": "null: age is no reason"})
    keep_bytes = ma.fields.Integer(allow_none=True, metadata={"description": "null: no limit for this device"})
    free_bytes_floor = ma.fields.Integer(
        allow_none=True,
        metadata={"description": "the least space that stays free on the footage's disk; null while the disk is away"},
    )


class RecordingSchema(Schema):
    """The recording of a device: its settings, what is wanted now, and what its recorder does."""

    device_id = Id(dump_only=True)
    device_name = ma.fields.String(dump_only=True)
    mode = Choice(
        MODES,
        required=True,
        metadata={
            "description": "`continuous`, by the weekly `plan` (`scheduled`), while something happens (`event`), or "
            "`off`"
        },
    )
    time_zone = ZoneName(
        load_default=None,
        allow_none=True,
        metadata={"description": "IANA name; in it the plan is read. Left out or null: as it is"},
    )
    plan = WeeklyPlan(
        load_default=dict,
        metadata={
            "description": "spans of local time by weekday. An end that is not after its start is on the next day; "
            "24:00 may "
            "end a span. Spans of a day must not overlap",
            "example": PLAN_EXAMPLE,
        },
    )
    pre_roll_seconds = Seconds(
        low=0,
        high=MAX_PRE_ROLL_SECONDS,
        load_default=5.0,
        metadata={"description": "footage kept from before an event, as far back as the media bus holds it"},
    )
    post_roll_seconds = Seconds(
        low=0,
        high=MAX_POST_ROLL_SECONDS,
        load_default=10.0,
        metadata={"description": "how long footage is wanted after an event"},
    )
    keep_days = Count(
        low=0,
        high=36_500,
        load_default=None,
        allow_none=True,
        metadata={"description": "days after which footage is deleted; 0: age is no reason; null: as the server does"},
    )
    keep_bytes = Count(
        low=0,
        high=MAX_BYTES,
        load_default=None,
        allow_none=True,
        metadata={"description": "most bytes of footage; 0 or null: no limit for this device"},
    )
    override = ma.fields.Nested(OverrideSchema, allow_none=True, dump_only=True)
    is_wanted = ma.fields.Boolean(dump_only=True, metadata={"description": "whether footage is wanted now"})
    cause = Choice(CAUSES, allow_none=True, dump_only=True, metadata={"description": "why it is wanted"})
    observed = Choice(OBSERVED, dump_only=True, metadata={"description": "what the recorder does"})
    reason = ma.fields.Nested(
        ReasonSchema,
        allow_none=True,
        dump_only=True,
        metadata={"description": "why there is no footage now; null while it is recorded"},
    )
    since = Time(allow_none=True, dump_only=True, metadata={"description": "when it came into this state"})
    oldest = Moment(allow_none=True, dump_only=True)
    newest = Moment(allow_none=True, dump_only=True)
    bytes = ma.fields.Integer(dump_only=True)
    seconds = ma.fields.Float(dump_only=True)
    retention = ma.fields.Nested(RetentionSchema, dump_only=True)

    @ma.validates_schema
    def check_plan(self, data: dict[str, Any], **_options: Any) -> None:
        if data.get("mode") == "scheduled" and not data.get("plan"):
            raise ma.ValidationError({"plan": ["'plan' must have a span: the mode is 'scheduled'"]})


class RecordingQueryArgsSchema(PageArgsSchema):
    """Query of the list of recordings."""

    q = Text(load_default=None, high=200, metadata={"description": "only of devices with this text"})
    device = DeviceIds("only of this device; may be repeated for several devices")


class UntilSchema(Schema):
    """How long a person's word holds."""

    until = Moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "until when; null: until somebody says otherwise", "example": "2026-11-22T18:00:00Z"},
    )


class RecordingEventSchema(Schema):
    """Something that happened before the camera."""

    id = ma.fields.Integer(dump_only=True)
    label = Text(required=True, low=1, high=100, metadata={"example": "door opened"})
    note = Text(load_default="", high=2000, lines=True)
    duration_seconds = Seconds(
        load_only=True,
        low=0,
        high=86_400,
        load_default=0.0,
        metadata={
            "description": "how long it lasts; in the mode `event` footage is wanted until then and the post-roll "
            "after it"
        },
    )
    at = Moment(load_default=None, allow_none=True, metadata={"description": "when it happened; left out or null: now"})
    end = Moment(dump_only=True, allow_none=True)
    source = ma.fields.String(dump_only=True, metadata={"description": "who told of it: `api` or a plugin's name"})


class EventQueryArgsSchema(OrderedRange, PageArgsSchema):
    """Query of the events of a recording."""

    start = Moment(load_default=None, metadata={"description": "only those that end after this moment"})
    end = Moment(load_default=None, metadata={"description": "only those that begin before this moment"})


class StorageSchema(ReplySchema):
    """The store of the footage."""

    state = ma.fields.String(metadata={"description": "`ok`, `full`, `suspicious` or `unavailable`", "example": "ok"})
    reason = ma.fields.Nested(ReasonSchema, allow_none=True)
    total_bytes = ma.fields.Integer(allow_none=True)
    free_bytes = ma.fields.Integer(allow_none=True)
    used_by_recordings_bytes = ma.fields.Integer(allow_none=True)
    floor_bytes = ma.fields.Integer(
        allow_none=True, metadata={"description": "what stays free: below it the oldest goes"}
    )
    bytes_per_day = ma.fields.Integer(allow_none=True, metadata={"description": "written in the last 24 hours"})
    days_left = ma.fields.Float(
        allow_none=True,
        metadata={
            "description": "until footage goes for want of space, as fast as it is written now; null where nothing "
            "is written, "
            "or where the limits of age and size make it go before"
        },
    )
