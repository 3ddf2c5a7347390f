"""A clock that is passed in can be turned; the machine's own goes on."""

from gateway.clock import FakeClock, SystemClock, utc_now


def test_a_fake_clock_moves_only_when_told():
    clock = FakeClock(wall=100.0)
    before = clock.monotonic()
    assert clock.wall() == clock.wall() == 100.0
    clock.advance(5)
    assert (clock.wall(), clock.monotonic()) == (105.0, before + 5)


def test_setting_the_wall_clock_lets_no_time_pass():
    clock = FakeClock()
    wall, steady = clock.wall(), clock.monotonic()
    clock.jump(-3600)
    assert (clock.wall(), clock.monotonic()) == (wall - 3600, steady)


def test_the_machines_time_is_in_utc():
    assert abs(SystemClock().wall() - utc_now().timestamp()) < 5
    assert utc_now().utcoffset().total_seconds() == 0
    assert SystemClock().monotonic() <= SystemClock().monotonic()
