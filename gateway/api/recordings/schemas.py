"""Request and reply schemas of the settings, state and events of recordings, and of the storage."""

from typing import Any

import marshmallow as ma

from gateway.api.base import Choice, Count, DeviceIds, Id, PageArgsSchema, ReasonSchema, ReplySchema, Schema, Text, Time
from gateway.api.time_fields import Moment, OrderedRange, Seconds, WeeklyPlan, ZoneName
from gateway.archives import WORK_STATES
from gateway.footage.recordings import OBSERVED
from gateway.schedules.recording_plan import MODES
from gateway.storage.forecast import KEPT_LIMITS

CAUSES = ("continuous", "schedule", "event", "manual")
#: The pre-roll comes from the media bus, which does not hold more.
MAX_PRE_ROLL_SECONDS = 300
MAX_POST_ROLL_SECONDS = 3600
#: The largest integer that a JSON number represents exactly.
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
    "archive_keep_days": None,
    "waits_for_copy": True,
}
EVENT_EXAMPLE = {"label": "door opened", "note": "badge 4711", "duration_seconds": 20}


class OverrideSchema(ReplySchema):
    """A manual override of the mode."""

    wish = Choice(("on", "off"))
    by = ma.fields.String(allow_none=True, metadata={"description": "name of the person or address that set it"})
    at = Moment(allow_none=True)
    until = Moment(allow_none=True, metadata={"description": "end of the override; null: until it is changed"})


class RetentionSchema(ReplySchema):
    """The limits in effect: those of the device, otherwise those of the server."""

    keep_days = ma.fields.Integer(
        allow_none=True, metadata={"description": "days after which footage is deleted; null: no limit of age"}
    )
    keep_bytes = ma.fields.Integer(
        allow_none=True, metadata={"description": "maximum bytes of footage; null: no limit for this device"}
    )
    archive_keep_days = ma.fields.Integer(
        allow_none=True,
        metadata={"description": "days after which footage that is in an archive only is deleted; null: no limit"},
    )
    free_bytes_floor = ma.fields.Integer(
        allow_none=True,
        metadata={"description": "free bytes to keep on the disk of the footage; null while it is unavailable"},
    )
    expected_seconds = ma.fields.Integer(
        allow_none=True,
        metadata={
            "description": "age at which footage will be deleted at the current growth; null without growth or limit"
        },
    )
    limit = Choice(
        KEPT_LIMITS,
        allow_none=True,
        metadata={
            "description": "the limit that takes effect first: `age` or `size` of the device, bytes of its `tenant` or "
            "of the `store` of all devices, or the `disk`"
        },
    )
    bin_hours = ma.fields.Float(
        metadata={"description": "hours for which the device can be restored with its footage after it was deleted"}
    )


class RecordingSchema(Schema):
    """The recording of a device: settings, whether footage is wanted now, and the state of the recorder."""

    device_id = Id(dump_only=True)
    device_name = ma.fields.String(dump_only=True)
    mode = Choice(
        MODES,
        required=True,
        metadata={
            "description": "`continuous`: always; `scheduled`: by the weekly `plan`; `event`: around events; "
            "`off`: never"
        },
    )
    time_zone = ZoneName(
        load_default=None,
        allow_none=True,
        metadata={"description": "IANA name of the time zone of the plan. Omitted or null: unchanged"},
    )
    plan = WeeklyPlan(
        load_default=dict,
        metadata={
            "description": "spans of local time by weekday. An end at or before its start is on the next day; a span "
            "may end at 24:00. The spans of a day must not overlap",
            "example": PLAN_EXAMPLE,
        },
    )
    pre_roll_seconds = Seconds(
        low=0,
        high=MAX_PRE_ROLL_SECONDS,
        load_default=5.0,
        metadata={"description": "seconds of footage before an event, limited by what the media bus holds"},
    )
    post_roll_seconds = Seconds(
        low=0,
        high=MAX_POST_ROLL_SECONDS,
        load_default=10.0,
        metadata={"description": "seconds of footage after an event"},
    )
    keep_days = Count(
        low=0,
        high=36_500,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "days after which footage is deleted from the local disk; 0: no limit of age; null: the "
            "limit of the server"
        },
    )
    keep_bytes = Count(
        low=0,
        high=MAX_BYTES,
        load_default=None,
        allow_none=True,
        metadata={"description": "maximum bytes of footage on the local disk; 0 or null: no limit for this device"},
    )
    archive_keep_days = Count(
        low=0,
        high=36_500,
        load_default=None,
        allow_none=True,
        metadata={
            "description": "days after which footage is deleted that is in an archive only; 0: no limit of age; null: "
            "the limit of the server"
        },
    )
    waits_for_copy = ma.fields.Boolean(
        truthy={True},
        falsy={False},
        load_default=True,
        metadata={
            "description": "whether the limits of the local disk wait until an archive has a verified copy, if one "
            "takes the device's footage; on a full disk it is deleted without"
        },
    )
    archived_by = ma.fields.String(
        allow_none=True, dump_only=True, metadata={"description": "the archive that takes the footage; null: none"}
    )
    override = ma.fields.Nested(OverrideSchema, allow_none=True, dump_only=True)
    is_wanted = ma.fields.Boolean(dump_only=True, metadata={"description": "whether footage is wanted now"})
    cause = Choice(CAUSES, allow_none=True, dump_only=True, metadata={"description": "why footage is wanted"})
    observed = Choice(
        OBSERVED,
        dump_only=True,
        metadata={
            "description": "state of the recorder, checked against the stream and the written footage; "
            "`recording` only while footage is being written: never for longer than 10 s without"
        },
    )
    reason = ma.fields.Nested(
        ReasonSchema,
        allow_none=True,
        dump_only=True,
        metadata={"description": "why nothing is recorded now; null while footage is recorded"},
    )
    since = Time(allow_none=True, dump_only=True, metadata={"description": "start of the observed state"})
    oldest = Moment(allow_none=True, dump_only=True)
    newest = Moment(allow_none=True, dump_only=True)
    bytes = ma.fields.Integer(dump_only=True)
    local_bytes = ma.fields.Integer(dump_only=True, metadata={"description": "of them, on the local disk"})
    archived_bytes = ma.fields.Integer(dump_only=True, metadata={"description": "of them, with a copy in an archive"})
    seconds = ma.fields.Float(dump_only=True)
    retention = ma.fields.Nested(RetentionSchema, dump_only=True)

    @ma.validates_schema
    def check_plan(self, data: dict[str, Any], **_options: Any) -> None:
        if data.get("mode") == "scheduled" and not data.get("plan"):
            raise ma.ValidationError({"plan": ["'plan' must have a span if the mode is 'scheduled'"]})


class RetentionArgsSchema(Schema):
    """Limits of retention to try."""

    keep_days = Count(
        low=0,
        high=36_500,
        load_default=None,
        metadata={"description": "days; 0: no limit of age; omitted: the limit of the server"},
    )
    keep_bytes = Count(
        low=0,
        high=MAX_BYTES,
        load_default=None,
        metadata={"description": "maximum bytes; 0 or omitted: no limit for this device"},
    )
    archive_keep_days = Count(
        low=0,
        high=36_500,
        load_default=None,
        metadata={"description": "days in an archive only; 0: no limit of age; omitted: the limit of the server"},
    )
    waits_for_copy = ma.fields.Boolean(
        truthy={"true"},
        falsy={"false"},
        load_default=True,
        metadata={"description": "whether footage waits for its copy in the archive that takes it"},
    )


class ExpiringSchema(ReplySchema):
    """The unprotected footage that retention would delete for good, to a quarter of an hour; and the bytes of local
    files that it would remove or keep because of the archive.
    """

    bytes = ma.fields.Integer()
    seconds = ma.fields.Float()
    days = ma.fields.Integer(metadata={"description": "number of UTC days with such footage"})
    oldest = Moment(attribute="oldest_ms", allow_none=True)
    newest = Moment(attribute="newest_ms", allow_none=True, metadata={"description": "end of the newest of it"})
    archived_bytes = ma.fields.Integer(
        metadata={"description": "local files that would be removed, of footage that stays in the archive"}
    )
    waiting_bytes = ma.fields.Integer(
        metadata={"description": "local files beyond the limits that would wait for their copy in the archive"}
    )


class RecordingQueryArgsSchema(PageArgsSchema):
    """Query of the list of recordings."""

    q = Text(load_default=None, high=200, metadata={"description": "only recordings of devices with this text"})
    device = DeviceIds("only of this device; may be repeated for several devices")


class UntilSchema(Schema):
    """The end of an override."""

    until = Moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "end of the override; null: until it is changed", "example": "2026-11-22T18:00:00Z"},
    )


class RecordingEventSchema(Schema):
    """An event in front of the camera."""

    id = ma.fields.Integer(dump_only=True)
    label = Text(required=True, low=1, high=100, metadata={"example": "door opened"})
    note = Text(load_default="", high=2000, lines=True)
    duration_seconds = Seconds(
        load_only=True,
        low=0,
        high=86_400,
        load_default=0.0,
        metadata={
            "description": "duration of the event; in the mode `event`, footage is recorded until its end and for the "
            "post-roll"
        },
    )
    at = Moment(load_default=None, allow_none=True, metadata={"description": "time of the event; omitted or null: now"})
    end = Moment(dump_only=True, allow_none=True)
    source = ma.fields.String(
        dump_only=True, metadata={"description": "origin of the event: `api` or the name of a plugin"}
    )


class EventQueryArgsSchema(OrderedRange, PageArgsSchema):
    """Query of the events of a recording."""

    start = Moment(load_default=None, metadata={"description": "only events that end after this moment"})
    end = Moment(load_default=None, metadata={"description": "only events that begin before this moment"})


class ArchiveFailureSchema(ReplySchema):
    """Why nothing is copied."""

    code = ma.fields.String(required=True, metadata={"description": "of the plugin"})
    message = ma.fields.String(required=True)
    remedy = ma.fields.String(required=True, metadata={"description": "what to do about it"})


class ArchiveStateSchema(ReplySchema):
    """An archive, and what its plugin does with footage that waits for a copy."""

    name = ma.fields.String(required=True)
    state = Choice(
        WORK_STATES,
        metadata={
            "description": "`copying`: something is copied now; `closed`: outside of the allowed hours; `failing`: it "
            "waits because of `reason`; `unknown`: no process reports"
        },
    )
    reason = ma.fields.Nested(ArchiveFailureSchema, allow_none=True)
    failing_since = Time(allow_none=True)
    next_try_at = Time(allow_none=True)
    bytes_per_second = ma.fields.Float(metadata={"description": "over the last minute"})
    ends_at = Time(
        allow_none=True,
        metadata={"description": "when nothing waits any more at this rate; null while it does not sink"},
    )
    is_testable = ma.fields.Boolean(metadata={"description": "whether `test` and `retry` are possible"})


class ArchiveBacklogSchema(ReplySchema):
    """Footage of a device that waits for its copy."""

    device_id = Id()
    device_name = ma.fields.String()
    waiting_bytes = ma.fields.Integer()
    oldest = Moment(allow_none=True, metadata={"description": "the oldest footage that waits"})


class ArchiveTestSchema(ReplySchema):
    """A test of an archive's connection that was started."""

    job_id = Id(metadata={"description": "the job with the result"})


class TiersSchema(ReplySchema):
    """Footage and archives."""

    archived_bytes = ma.fields.Integer(metadata={"description": "bytes that have a copy in an archive"})
    away_bytes = ma.fields.Integer(metadata={"description": "of them, without a local file"})
    waiting_bytes = ma.fields.Integer(metadata={"description": "bytes on the local disk that wait for a copy"})
    devices = ma.fields.Integer(metadata={"description": "number of devices whose footage an archive takes"})
    archives = ma.fields.List(ma.fields.Nested(ArchiveStateSchema))
    backlogs = ma.fields.List(
        ma.fields.Nested(ArchiveBacklogSchema),
        metadata={"description": "the ten devices of which most waits, most first"},
    )


class StorageSchema(ReplySchema):
    """The storage of the footage."""

    state = ma.fields.String(metadata={"description": "`ok`, `full`, `suspicious` or `unavailable`", "example": "ok"})
    reason = ma.fields.Nested(ReasonSchema, allow_none=True)
    total_bytes = ma.fields.Integer(allow_none=True)
    free_bytes = ma.fields.Integer(allow_none=True)
    used_by_recordings_bytes = ma.fields.Integer(
        allow_none=True, metadata={"description": "bytes of footage on the local disk"}
    )
    archive = ma.fields.Nested(
        TiersSchema, allow_none=True, metadata={"description": "null if no archive has or takes any footage"}
    )
    floor_bytes = ma.fields.Integer(
        allow_none=True, metadata={"description": "free space to keep; below it the oldest footage is deleted"}
    )
    bytes_per_day = ma.fields.Integer(allow_none=True, metadata={"description": "bytes written in the last 24 hours"})
    days_left = ma.fields.Float(
        allow_none=True,
        metadata={
            "description": "days until footage is deleted for lack of space, at the current growth; null if nothing is "
            "written, or if the limits of age and size take effect before"
        },
    )
    keep_bytes = ma.fields.Integer(
        allow_none=True, metadata={"description": "KEEP_BYTES: maximum bytes of all footage; null: no limit"}
    )
    tenant_keep_bytes = ma.fields.Integer(
        allow_none=True, metadata={"description": "TENANT_KEEP_BYTES: maximum bytes of the tenant; null: no limit"}
    )
