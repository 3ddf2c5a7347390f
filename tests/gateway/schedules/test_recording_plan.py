"""Decisions to record: by override, mode, weekly plan in local time, and events."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.schedules.recording_plan import DesiredRecording, decide, find_zone, is_planned, load_plan, parse_minute

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN) -> int:
    """Milliseconds since 1970 of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("desired", "is_wanted", "why"),
    [
        (DesiredRecording("continuous"), True, "continuous"),
        (DesiredRecording("off"), False, "recording_off"),
        (DesiredRecording("event"), False, "no_event"),
        (DesiredRecording("event", event_until_ms=1001), True, "event"),
        (DesiredRecording("event", event_until_ms=1000), False, "no_event"),
        (DesiredRecording("scheduled"), False, "not_planned"),
        (DesiredRecording("off", override="on"), True, "manual"),
        (DesiredRecording("continuous", override="off", override_by="ann"), False, "stopped_by_person"),
        (DesiredRecording("continuous", override="off", override_until_ms=1000), True, "continuous"),
        (DesiredRecording("off", override="on", override_until_ms=1001), True, "manual"),
        (DesiredRecording("continuous", override="on", is_enabled=False), False, "device_disabled"),
    ],
)
def test_an_override_precedes_the_mode_until_it_ends(desired, is_wanted, why):
    decision = decide(desired, 1000)
    assert decision.is_wanted is is_wanted
    assert (decision.cause or decision.reason_code) == why
    assert decision.by_name == ("ann" if desired.override_by else None)


PLAN = {
    "monday": [("08:00", "12:00"), ("13:00", "24:00")],
    "friday": [("22:00", "06:00")],
    "sunday": [("00:00", "24:00")],
}


@pytest.mark.parametrize(
    ("moment", "planned"),
    [
        ("2026-11-23T07:59:59", False),
        ("2026-11-23T08:00:00", True),
        ("2026-11-23T11:59:59", True),
        ("2026-11-23T12:00:00", False),
        ("2026-11-23T23:59:59", True),
        ("2026-11-24T00:00:00", False),
        ("2026-11-27T21:59:00", False),
        ("2026-11-27T22:00:00", True),
        ("2026-11-28T05:59:00", True),
        ("2026-11-28T06:00:00", False),
        ("2026-11-28T22:30:00", False),
        ("2026-11-29T00:00:00", True),
        ("2026-11-29T23:59:00", True),
    ],
)
def test_the_plan_is_in_local_time(moment, planned):
    assert is_planned(PLAN, BERLIN, at(moment)) is planned


def test_an_hour_that_occurs_twice_is_planned_twice_and_a_skipped_one_not_at_all():
    plan = {"sunday": [("02:00", "03:00")]}
    autumn, spring = at("2026-10-25T00:00:00"), at("2026-03-29T00:00:00")
    minutes = [
        sum(is_planned(plan, BERLIN, day + minute * 60_000) for minute in range(25 * 60)) for day in (autumn, spring)
    ]
    assert minutes == [120, 0]


def test_an_unknown_zone_counts_as_utc():
    assert find_zone("Atlantis/Capital").key == "UTC"
    assert find_zone("../etc/passwd").key == "UTC"


@pytest.mark.parametrize("text", ["", "8:00", "08.00", "24:01", "23:60", "ab:cd", "٠٨:٠٠", "-1:00"])
def test_an_invalid_time_of_day_is_named(text):
    with pytest.raises(ValueError, match="must be a time"):
        parse_minute(text)


def test_a_plan_is_parsed_as_it_was_stored():
    assert load_plan('{"monday": [["08:00", "12:00"]]}') == {"monday": [("08:00", "12:00")]}
    assert load_plan("") == {}
