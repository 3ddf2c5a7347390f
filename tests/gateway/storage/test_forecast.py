"""Capacity forecast with the limits of age and size."""

import math

import pytest

from gateway.storage.forecast import Growth, days_until_full, kept_days, shared_days


def days(*growths, room=1000, **limits):
    found = days_until_full([Growth("t", *growth) for growth in growths], room, **limits)
    return None if found is None else pytest.approx(found, rel=0.005)


def test_without_limits_the_free_space_is_divided_by_the_daily_growth():
    assert days((500, 100)) == 10
    assert days((500, 100), (0, 300)) == 2.5


def test_without_growth_there_is_no_forecast():
    assert days() is None
    assert days((500, 0)) is None
    assert days((500, 0), room=0) is None


def test_a_recording_that_reaches_its_limit_first_never_fills_the_disk():
    assert days((500, 100, 1500)) == 10
    assert days((500, 100, 1499)) is None
    # It holds more than its limit already: it does not grow.
    assert days((5000, 100, 1500)) is None


def test_other_recordings_grow_on_when_one_has_reached_its_limit():
    # For two days 200 a day, 400 in all; then 100 a day for the other 600.
    assert days((0, 100, 200), (0, 100)) == 8


def test_limits_of_a_tenant_and_of_the_store_end_growth_too():
    assert days((500, 100), tenant_max=1499) is None
    assert days((500, 100), store_max=1499) is None
    assert days((500, 100), tenant_max=1500, store_max=1500) == 10
    two = [Growth("a", 0, 100), Growth("b", 0, 100)]
    assert days_until_full(two, 1000, tenant_max=600) == pytest.approx(5, rel=0.005)
    assert days_until_full(two, 1000, tenant_max=499) is None


def test_without_free_space_no_day_is_left():
    assert days_until_full([Growth("t", 500, 100)], 0) < 0.01


def test_a_forecast_beyond_the_longest_retention_is_none():
    assert days((0, 1), room=1e9) is None


def test_the_first_limit_decides_how_long_footage_is_kept():
    def kept(per_day=100.0, age=math.inf, size=math.inf, growths=((0, 100), (0, 300)), **limits):
        shared = shared_days([Growth("t", *growth) for growth in growths], "t", **limits)
        found = kept_days(per_day, age=age, size=size, shared=shared)
        return found.limit, None if found.days is None else pytest.approx(found.days, rel=0.005)

    assert kept() == (None, None)
    assert kept(per_day=0, age=3) == (None, None)
    assert kept(age=14) == ("age", 14)
    assert kept(age=14, size=200) == ("size", 2)
    assert kept(age=14, store_max=200) == ("store", 0.5)
    assert kept(age=14, tenant_max=100, store_max=200) == ("tenant", 0.25)
    assert kept(disk_max=4000) == ("disk", 10)
    # A recording that its own limit keeps small leaves the rest of a shared one to the others.
    assert kept(growths=((0, 100), (0, 300, 600)), store_max=1000) == ("store", 4)
