"""Moments of snapshot plans: steps counted from 1970, and local times of day across changes of the clock."""

from datetime import UTC, datetime

import pytest

from gateway.schedules.snapshot_plan import SnapshotPlan, missed_moments, next_moment

BERLIN = "Europe/Berlin"


def ms(text: str) -> int:
    """A time of UTC in milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def spell(moment: int | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def following(plan: SnapshotPlan, after: str, count: int) -> list[str]:
    """The next moments, each from the one before."""
    moments, moment = [], ms(after)
    for _ in range(count):
        moment = next_moment(plan, moment)
        moments.append(spell(moment))
    return moments


def test_steps_are_multiples_whenever_the_plan_was_made():
    assert following(SnapshotPlan(every_seconds=600), "2026-11-22T10:03:07", 3) == [
        "2026-11-22T10:10:00",
        "2026-11-22T10:20:00",
        "2026-11-22T10:30:00",
    ]
    assert next_moment(SnapshotPlan(every_seconds=1), 1_500) == 2_000
    assert next_moment(SnapshotPlan(every_seconds=10), 20_000) == 30_000, "later than the moment itself"


def test_steps_on_some_weekdays_continue_on_the_next_planned_day():
    plan = SnapshotPlan(every_seconds=4 * 3600, weekdays=("monday", "friday"), time_zone=BERLIN)
    # 2026-11-20 is a Friday; midnight in Berlin is 23:00 UTC.
    assert following(plan, "2026-11-20T15:00:00", 4) == [
        "2026-11-20T16:00:00",
        "2026-11-20T20:00:00",
        "2026-11-23T00:00:00",
        "2026-11-23T04:00:00",
    ]


def test_a_step_that_never_falls_on_its_weekday_has_no_next_moment():
    # 1970-01-01 was a Thursday.
    assert next_moment(SnapshotPlan(every_seconds=7 * 86_400, weekdays=("monday",)), ms("2026-11-22T00:00:00")) is None
    thursdays = SnapshotPlan(every_seconds=7 * 86_400, weekdays=("thursday",))
    assert following(thursdays, "2026-11-22T00:00:00", 1) == ["2026-11-26T00:00:00"]
    days = SnapshotPlan(every_seconds=6 * 86_400, weekdays=("monday",))
    first, second = (ms(text) for text in following(days, "2026-11-22T00:00:00", 2))
    assert datetime.fromtimestamp(first / 1000, UTC).weekday() == 0
    assert second - first == 42 * 86_400_000


def test_times_of_day_are_those_of_the_zone_in_winter_and_in_summer():
    plan = SnapshotPlan(times=("08:00", "20:30"), time_zone=BERLIN)
    assert following(plan, "2026-03-27T12:00:00", 5) == [
        "2026-03-27T19:30:00",
        "2026-03-28T07:00:00",
        "2026-03-28T19:30:00",
        "2026-03-29T06:00:00",
        "2026-03-29T18:30:00",
    ]


def test_a_skipped_time_is_delayed_and_one_that_occurs_twice_is_taken_once():
    plan = SnapshotPlan(times=("02:30",), time_zone=BERLIN)
    # 2026-03-29: from 02:00 to 03:00. 2026-10-25: from 03:00 back to 02:00.
    assert following(plan, "2026-03-28T12:00:00", 2) == ["2026-03-29T01:30:00", "2026-03-30T00:30:00"]
    assert following(plan, "2026-10-24T12:00:00", 2) == ["2026-10-25T00:30:00", "2026-10-26T01:30:00"]
    # Within the repeated hour, the time has passed.
    assert following(plan, "2026-10-25T01:00:00", 1) == ["2026-10-26T01:30:00"]


def test_times_of_day_apply_on_their_weekdays_only():
    plan = SnapshotPlan(times=("00:10",), weekdays=("sunday",), time_zone="Pacific/Auckland")
    # Sunday in Auckland begins on Saturday in UTC.
    assert following(plan, "2026-11-16T00:00:00", 2) == ["2026-11-21T11:10:00", "2026-11-28T11:10:00"]


def test_a_day_that_a_zone_skipped_is_handled():
    plan = SnapshotPlan(times=("12:00",), time_zone="Pacific/Apia")
    # Samoa had no 2011-12-30: its noon is the same moment as that of the 31st.
    assert following(plan, "2011-12-29T12:00:00", 3) == [
        "2011-12-29T22:00:00",
        "2011-12-30T22:00:00",
        "2011-12-31T22:00:00",
    ]


def test_an_unknown_zone_counts_as_utc():
    assert following(SnapshotPlan(times=("08:00",), time_zone="Mars/Base"), "2026-11-22T00:00:00", 1) == [
        "2026-11-22T08:00:00"
    ]


@pytest.mark.parametrize(
    ("until", "count", "last"),
    [
        ("10:00:00", 1, "10:00:00"),
        ("10:19:59", 2, "10:10:00"),
        ("10:20:00", 3, "10:20:00"),
        ("09:59:59", 0, "10:00:00"),
    ],
)
def test_missed_moments_are_counted_with_the_first(until, count, last):
    plan = SnapshotPlan(every_seconds=600)
    found = missed_moments(plan, ms("2026-11-22T10:00:00"), ms(f"2026-11-22T{until}"))
    assert found == (count, ms(f"2026-11-22T{last}"))


def test_counting_is_limited():
    assert missed_moments(SnapshotPlan(every_seconds=1), 0, 10**12, limit=50) == (50, 49_000)
