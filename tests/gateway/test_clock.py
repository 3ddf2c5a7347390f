"""An injected clock is under the test's control; times have one format."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.clock import FakeClock, SystemClock, format_time, to_ms, utc_now


def test_a_fake_clock_moves_only_when_advanced():
    clock = FakeClock(wall=100.0)
    before = clock.monotonic()
    assert clock.wall() == clock.wall() == 100.0
    clock.advance(5)
    assert (clock.wall(), clock.monotonic()) == (105.0, before + 5)


def test_setting_the_wall_clock_leaves_the_monotonic_clock():
    clock = FakeClock()
    wall, steady = clock.wall(), clock.monotonic()
    clock.jump(-3600)
    assert (clock.wall(), clock.monotonic()) == (wall - 3600, steady)


def test_the_machines_time_is_in_utc():
    assert abs(SystemClock().wall() - utc_now().timestamp()) < 5
    assert utc_now().utcoffset().total_seconds() == 0
    assert SystemClock().monotonic() <= SystemClock().monotonic()


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_750_000_000_007, "2025-06-15T15:06:40.007Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_is_formatted_as_rfc_3339_with_milliseconds(at_ms, expected):
    assert format_time(at_ms) == expected
    assert to_ms(datetime.fromisoformat(expected)) == at_ms


def test_fractions_of_a_millisecond_are_cut_and_the_zone_does_not_matter():
    at = datetime(2026, 3, 29, 2, 30, 0, 123_999, tzinfo=UTC)
    assert to_ms(at) == to_ms(at.astimezone(timezone(timedelta(hours=5, minutes=45))))
    assert format_time(to_ms(at)) == "2026-03-29T02:30:00.123Z"
