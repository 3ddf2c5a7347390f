"""Request and reply schemas of snapshot schedules."""

from typing import Any

import marshmallow as ma

from gateway.api.base import Choice, Count, Flag, Id, PageArgsSchema, ReasonSchema, Schema, ShortList, Text, Time
from gateway.api.tags import Tags
from gateway.api.time_fields import Moment, ZoneName
from gateway.schedules.recording_plan import WEEKDAYS, parse_minute
from gateway.schedules.snapshot_plan import MAX_SECONDS, MAX_TIMES, MIN_SECONDS

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
        self.metadata |= {"pattern": _CLOCK_PATTERN, "minLength": 5, "maxLength": 5}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        try:
            minute = parse_minute(text[:20])
        except ValueError as error:
            raise ma.ValidationError(f"'times': {error}") from None
        if minute >= 24 * 60:
            raise ma.ValidationError("'times' must not contain 24:00: use 00:00")
        return text


class SnapshotScheduleSchema(Schema):
    """When snapshots of a device are taken, and how long they are kept."""

    id = ma.fields.Integer(dump_only=True)
    device_id = Id(required=True, metadata={"description": "id of the device; cannot be changed"})
    device_name = ma.fields.String(dump_only=True)
    name = Text(load_default="", high=100, metadata={"description": "name for people", "example": "Open and close"})
    enabled = Flag(
        load_default=True,
        metadata={"description": "a disabled schedule takes no snapshots, but still deletes old ones"},
    )
    every_seconds = Count(
        low=MIN_SECONDS,
        high=MAX_SECONDS,
        load_default=None,
        allow_none=True,
        metadata={"description": "interval in seconds, counted from midnight UTC; either this or `times`"},
    )
    times = ShortList(
        ClockTime(),
        load_default=list,
        validate=ma.validate.Length(max=MAX_TIMES, error=f"must have at most {MAX_TIMES} entries"),
        metadata={
            "description": "times of day in `time_zone`; either these or `every_seconds`",
            "example": ["08:00", "18:00"],
        },
    )
    weekdays = ShortList(
        Choice(WEEKDAYS),
        load_default=list,
        validate=ma.validate.Length(max=50),
        metadata={"description": "only on these weekdays; empty: every day"},
    )
    time_zone = ZoneName(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "IANA name. Omitted or null: unchanged; for a new schedule that of the device's recording"
        },
    )
    tags = Tags()
    keep_days = Count(
        low=1,
        high=36_500,
        load_default=None,
        allow_none=True,
        metadata={"description": "days after which its snapshots are deleted; null: no limit of age"},
    )
    keep_count = Count(
        low=1,
        high=10_000_000,
        load_default=None,
        allow_none=True,
        metadata={"description": "number of its newest snapshots to keep; null: all"},
    )
    next_at = Moment(
        dump_only=True,
        allow_none=True,
        metadata={"description": "time of the next snapshot; null while the schedule is disabled"},
    )
    last_at = Moment(dump_only=True, allow_none=True, metadata={"description": "when a snapshot was last due"})
    last_taken_at = Moment(dump_only=True, allow_none=True, metadata={"description": "when a snapshot was last taken"})
    reason = ma.fields.Nested(
        ReasonSchema, dump_only=True, allow_none=True, metadata={"description": "why there is no snapshot of `last_at`"}
    )
    created_by = ma.fields.String(dump_only=True)
    created_at = Time(dump_only=True)

    @ma.validates_schema
    def check_plan(self, data: dict[str, Any], **_options: Any) -> None:
        """Require exactly one of `every_seconds` and `times`."""
        if data.get("every_seconds") is None and not data.get("times"):
            raise ma.ValidationError({"every_seconds": ["'every_seconds' or 'times' is required"]})
        if data.get("every_seconds") is not None and data.get("times"):
            raise ma.ValidationError({"times": ["'times' must be empty if 'every_seconds' is given"]})

    @ma.post_load
    def put_in_order(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        data["times"] = tuple(sorted(set(data["times"])))
        days = set(data["weekdays"])
        # All weekdays mean the same as none.
        data["weekdays"] = () if len(days) == len(WEEKDAYS) else tuple(day for day in WEEKDAYS if day in days)
        return data


class ScheduleQueryArgsSchema(PageArgsSchema):
    """Query of the list of schedules."""

    device_id = Id(load_default=None, metadata={"description": "only schedules of this device"})
