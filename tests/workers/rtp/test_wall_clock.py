"""Wall time of capture times: the machine's clock is followed when it is slewed, and its setting is noticed."""

import pytest

from gateway.clock import FakeClock
from workers.rtp.wall_clock import WallClock


def test_capture_times_have_the_offset_of_the_runs_begin():
    clock = FakeClock()
    wall_clock = WallClock(clock)
    assert wall_clock.wall(clock.monotonic() + 3) == clock.wall() + 3
    assert wall_clock.wall(clock.monotonic() - 5) == clock.wall() - 5


@pytest.mark.parametrize("seconds", [1.5, -1.5, 3600, -86_400 * 365])
def test_a_clock_that_is_set_is_noticed_and_changes_no_time_of_the_run(seconds):
    clock = FakeClock()
    wall_clock = WallClock(clock)
    before = wall_clock.wall(1_000)
    clock.advance(10)
    assert not wall_clock.has_jumped()
    clock.jump(seconds)
    assert wall_clock.has_jumped()
    clock.jump(-seconds)
    assert wall_clock.has_jumped(), "times of the run may have been given out meanwhile"
    assert wall_clock.wall(1_000) == before


@pytest.mark.parametrize("rate", [0.0005, -0.0005, 0.00002])
def test_a_slewed_clock_is_followed_for_hours(rate):
    clock = FakeClock()
    wall_clock = WallClock(clock)
    for _ in range(6 * 3600):
        clock.advance(1)
        clock.jump(rate)
        assert not wall_clock.has_jumped()
    assert wall_clock.wall(clock.monotonic()) == pytest.approx(clock.wall(), abs=0.001)


def test_a_small_step_is_made_up_gently():
    clock = FakeClock()
    wall_clock = WallClock(clock)
    clock.jump(0.5)
    last = wall_clock.wall(clock.monotonic())
    for _ in range(1100):
        clock.advance(1)
        assert not wall_clock.has_jumped()
        now = wall_clock.wall(clock.monotonic())
        assert now - last == pytest.approx(1, abs=0.00051)
        last = now
    assert now == pytest.approx(clock.wall(), abs=0.001)


def test_checks_that_come_late_or_twice_change_nothing():
    clock = FakeClock()
    wall_clock = WallClock(clock)
    clock.jump(0.3)
    assert not wall_clock.has_jumped()
    before = wall_clock.wall(0)
    assert not wall_clock.has_jumped()
    assert wall_clock.wall(0) == before
    clock.advance(86_400)
    assert not wall_clock.has_jumped()
    assert wall_clock.wall(clock.monotonic()) == pytest.approx(clock.wall(), abs=0.001)
