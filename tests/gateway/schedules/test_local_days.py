"""Days begin at local midnight, across changes of daylight-saving time."""

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import DAY_MS
from gateway.schedules.local_days import as_local, day_start_ms, local_date, local_days, offset_steps

HOUR = 3_600_000


def lengths(zone, first, last):
    return [(day.end_ms - day.start_ms) / HOUR for day in local_days(ZoneInfo(zone), first, last)]


def test_days_follow_each_other_without_a_gap():
    days = local_days(ZoneInfo("Europe/Berlin"), date(2026, 1, 1), date(2026, 12, 31))
    assert len(days) == 365
    assert all(day.end_ms == following.start_ms for day, following in pairwise(days))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # midnight itself is skipped
        ("America/Sao_Paulo", date(2018, 2, 17), 25),  # the last hour occurs twice
        ("America/Havana", date(2025, 11, 2), 25),
        ("Pacific/Apia", date(2011, 12, 30), 0),  # the day that Samoa skipped
        ("Asia/Kathmandu", date(2026, 6, 1), 24),
        ("UTC", date(2026, 3, 29), 24),
    ],
)
def test_the_length_of_a_day_depends_on_its_zone(zone, day, hours):
    assert lengths(zone, day, day) == [hours]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
def test_every_quarter_of_an_hour_is_in_its_local_day(zone):
    """The grouping of the rollup, compared with the time zone database."""
    info = ZoneInfo(zone)
    days = local_days(info, date(2018, 1, 1), date(2018, 12, 31))
    steps = offset_steps(info, days)
    for at in range(days[0].start_ms, days[-1].end_ms, 900_000):
        ahead = next(seconds for since, seconds in reversed(steps) if at >= since)
        number = (at // 1000 + ahead) // 86_400
        shown = datetime.fromtimestamp(at // 1000, info).date()
        assert number == (shown - date(1970, 1, 1)).days
    assert steps[0][0] == days[0].start_ms


def test_a_year_has_few_changes_of_offset():
    berlin = ZoneInfo("Europe/Berlin")
    days = local_days(berlin, date(2026, 1, 1), date(2026, 12, 31))
    assert [(since, ahead) for since, ahead in offset_steps(berlin, days)] == [
        (day_start_ms(berlin, date(2026, 1, 1)), 3600),
        (round(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp() * 1000), 7200),
        (round(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp() * 1000), 3600),
    ]
    assert offset_steps(ZoneInfo("UTC"), days)[0][1] == 0


def test_moments_have_their_local_date():
    at = round(datetime(2026, 11, 22, 23, 30, tzinfo=UTC).timestamp() * 1000) + 7
    assert local_date(ZoneInfo("Europe/Berlin"), at) == date(2026, 11, 23)
    assert local_date(ZoneInfo("UTC"), at) == date(2026, 11, 22)
    assert as_local(ZoneInfo("Europe/Berlin"), at).isoformat(timespec="milliseconds") == "2026-11-23T00:30:00.007+01:00"


def test_a_day_has_its_number_and_its_overlap_with_ranges():
    day = local_days(ZoneInfo("UTC"), date(1970, 1, 3), date(1970, 1, 3))[0]
    assert day.number == 2
    assert day.overlap_ms(day.start_ms - 5, day.start_ms + 7) == 7
    assert day.overlap_ms(day.end_ms, day.end_ms + DAY_MS) == 0
