"""What is sent and received about schedules of snapshots."""

from typing import Any

import marshmallow as ma

from gateway.api.base import Choice, Count, Flag, Id, PageArgsSchema, ReasonSchema, Schema, Text, Time
from gateway.api.tags import Tags
from gateway.api.time_fields import Moment, ZoneName
from gateway.schedules.recording_plan import WEEKDAYS, parse_minute
from gateway.schedules.snapshot_plan import MAX_SECONDS, MAX_TIMES, SHORTEST_SECONDS

_CLOCK_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9]$"

SCHEDULE_EXAMPLE = {
    "device_id": "11111111-2222-4333-8444-555555555555",
    "name": "Open and close",
    "times": ["08:00", "18:00"],
    "weekdays": ["monday", "friday"],
    "time_zone": "Europe/Berlin",
    "keep_days": 30,
}


class ClockTime(ma.fields.String):
    """A time of day, HH:MM."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metadata |= {"pattern": _CLOCK_PATTERN}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        try:
            minute = parse_minute(text[:20])
        except ValueError as error:
            raise ma.ValidationError(f"'times': {error}") from None
        if minute >= 24 * 60:
            raise ma.ValidationError("'times' must not have 24:00: take 00:00")
        return text


class SnapshotScheduleSchema(Schema):
    """When a device's snapshots are taken by themselves, and how long they are kept."""

    id = ma.fields.Integer(dump_only=True)
    device_id = Id(required=True, metadata={"description": "whose pictures; a schedule stays with its device"})
    device_name = ma.fields.String(dump_only=True)
    name = Text(load_default="", high=100, metadata={"description": "what people call it", "example": "Open and close"})
    enabled = Flag(
        load_default=True, metadata={"description": "a disabled one takes no pictures, and still removes old ones"}
    )
    every_seconds = Count(
        low=SHORTEST_SECONDS,
        high=MAX_SECONDS,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "seconds from one picture to the next, counted from midnight of UTC; either this or `times`"
        },
    )
    times = ma.fields.List(
        ClockTime(),
        load_default=list,
        validate=ma.validate.Length(max=MAX_TIMES, error=f"must have at most {MAX_TIMES} entries"),
        metadata={
            "description": "times of day by the clock on the wall in `time_zone`; either these or `every_seconds`",
            "example": ["08:00", "18:00"],
        },
    )
    weekdays = ma.fields.List(
        Choice(WEEKDAYS),
        load_default=list,
        validate=ma.validate.Length(max=50),
        metadata={"description": "only on these days of the week; none: on all"},
    )
    time_zone = ZoneName(
        load_default=None,
        allow_none=True,
        metadata={"description": "IANA name. Left out or null: as it is, at first that of the device's recording"},
    )
    tags = Tags()
    keep_days = Count(
        low=1,
        high=36_500,
        load_default=None,
        allow_none=True,
        metadata={"description": "days after which its pictures are removed; null: age is no reason"},
    )
    keep_count = Count(
        low=1,
        high=10_000_000,
        load_default=None,
        allow_none=True,
        metadata={"description": "how many of its pictures are kept, the newest; null: all"},
    )
    next_at = Moment(dump_only=True, allow_none=True, metadata={"description": "null while it is disabled"})
    last_at = Moment(dump_only=True, allow_none=True, metadata={"description": "when it was last due"})
    last_taken_at = Moment(
        dump_only=True, allow_none=True, metadata={"description": "when it was last due and a picture was taken"}
    )
    reason = ma.fields.Nested(
        ReasonSchema, dump_only=True, allow_none=True, metadata={"description": "why there is no picture of `last_at`"}
    )
    created_by = ma.fields.String(dump_only=True)
    created_at = Time(dump_only=True)

    @ma.validates_schema
    def check_plan(self, data: dict[str, Any], **_options: Any) -> None:
        """Exactly one of both ways to say when."""
        if data.get("every_seconds") is None and not data.get("times"):
            raise ma.ValidationError({"every_seconds": ["'every_seconds' or 'times' must say when pictures are taken"]})
        if data.get("every_seconds") is not None and data.get("times"):
            raise ma.ValidationError({"times": ["'times' must be empty where 'every_seconds' is given"]})

    @ma.post_load
    def put_in_order(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        data["times"] = tuple(sorted(set(data["times"])))
        days = set(data["weekdays"])
        # All of them is the same as none.
        data["weekdays"] = () if len(days) == len(WEEKDAYS) else tuple(day for day in WEEKDAYS if day in days)
        return data


class ScheduleQueryArgsSchema(PageArgsSchema):
    """Query of the list of schedules."""

    device_id = Id(load_default=None, metadata={"description": "only of this device"})
