"""Decides whether a device is to be recorded at a moment, and why: from mode, weekly plan, override and events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MODES = ("off", "continuous", "scheduled", "event")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_MINUTES = 24 * 60

#: By weekday, pairs of `HH:MM` in local time. An end that is not after its start is on the next day.
Plan = Mapping[str, list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class DesiredRecording:
    """The settings that decide about a recording. Times in milliseconds since 1970, UTC."""

    mode: str
    time_zone: str = "UTC"
    plan: Plan = field(default_factory=dict)
    override: str | None = None
    override_by: str | None = None
    override_until_ms: int | None = None
    event_until_ms: int | None = None
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to record: `cause` is the reason for recording, `reason_code` and `by_name` that for not recording."""

    is_wanted: bool
    cause: str | None = None
    reason_code: str | None = None
    by_name: str | None = None


def decide(desired: DesiredRecording, now_ms: int) -> Decision:
    """Decide whether to record at `now_ms`. An override precedes the mode; a disabled device is never recorded."""
    if not desired.is_enabled:
        return Decision(False, reason_code="device_disabled")
    override = desired.override
    if override is not None and desired.override_until_ms is not None and now_ms >= desired.override_until_ms:
        override = None
    if override == "on":
        return Decision(True, cause="manual")
    if override == "off":
        return Decision(False, reason_code="stopped_by_person", by_name=desired.override_by)
    if desired.mode == "continuous":
        return Decision(True, cause="continuous")
    if desired.mode == "scheduled":
        if is_planned(desired.plan, desired.time_zone, now_ms):
            return Decision(True, cause="schedule")
        return Decision(False, reason_code="not_planned")
    if desired.mode == "event":
        if desired.event_until_ms is not None and now_ms < desired.event_until_ms:
            return Decision(True, cause="event")
        return Decision(False, reason_code="no_event")
    return Decision(False, reason_code="recording_off")


def is_planned(plan: Plan, time_zone: str, now_ms: int) -> bool:
    """Whether the weekly plan includes a moment, by the local time in `time_zone`.

    At a change of daylight-saving time, an hour that occurs twice is planned twice, a skipped hour not at all.
    """
    local = (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=now_ms)).astimezone(find_zone(time_zone))
    minute = local.hour * 60 + local.minute
    today, yesterday = WEEKDAYS[local.weekday()], WEEKDAYS[local.weekday() - 1]
    for start, end in _spans(plan, today):
        if start <= minute < (end if end > start else _DAY_MINUTES):
            return True
    return any(end <= start and minute < end for start, end in _spans(plan, yesterday))


def find_zone(name: str) -> ZoneInfo:
    """The zone with an IANA name; UTC for a name that this machine does not know (any more)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def parse_minute(text: str) -> int:
    """Parse `HH:MM` to minutes since midnight, `24:00` included. Raises ValueError."""
    hour, separator, minute = text.partition(":")
    if (
        not separator
        or len(hour) != 2
        or len(minute) != 2
        or not (hour + minute).isascii()
        or not (hour + minute).isdigit()
    ):
        raise ValueError(f"{text!r} must be a time such as 08:30")
    value = int(hour) * 60 + int(minute)
    if int(minute) > 59 or value > _DAY_MINUTES:
        raise ValueError(f"{text!r} must be a time from 00:00 to 24:00")
    return value


def load_plan(text: str) -> Plan:
    """Parse a plan as the database stores it."""
    return {day: [tuple(span) for span in spans] for day, spans in json.loads(text or "{}").items()}


def _spans(plan: Plan, day: str) -> list[tuple[int, int]]:
    return [(parse_minute(start), parse_minute(end)) for start, end in plan.get(day, ())]
