"""As many pictures are analysed as wanted; fewer, in steps, when they come too late, and more again later."""

import pytest

from plugins.ai_analytics.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def give(pace: Pace, clock: Clock, seconds: float, *, fps: float = 25, late: float = 0.5) -> int:
    """Pictures of so many seconds, each `late`; returns how many were wanted."""
    wanted = 0
    for _ in range(round(seconds * fps)):
        clock.now += 1 / fps
        if pace.wants(clock.now - late):
            wanted += 1
            pace.note(0.002)
    return wanted


@pytest.mark.parametrize(("fps", "of"), [(5, 25), (5, 5), (5, 5.3), (10, 15), (1, 25), (25, 25), (5, 12)])
def test_as_many_as_wanted_or_as_there_are(fps, of):
    clock = Clock()
    pace = Pace(fps, clock)
    wanted = give(pace, clock, 20, fps=of)
    assert 0.75 * min(fps, of) * 20 <= wanted <= 1.1 * fps * 20 + 1
    assert pace.level == 0


def test_late_pictures_lower_the_rate_in_steps_and_it_returns():
    clock = Clock()
    pace = Pace(5, clock)
    give(pace, clock, 4, late=4)
    assert pace.level == 1
    give(pace, clock, 20, late=4)
    assert pace.only_keys
    assert give(pace, clock, 20, late=4) <= 15
    assert pace.given_fps <= 1
    give(pace, clock, 25)
    assert pace.level == 2
    give(pace, clock, 50)
    assert pace.level == 0
    assert 4 <= pace.given_fps <= 5.5
    assert pace.ms_per_picture == pytest.approx(2)


def test_pictures_of_long_ago_are_no_sign_of_a_slow_machine():
    clock = Clock()
    pace = Pace(5, clock)
    give(pace, clock, 10, late=500)
    assert pace.level == 0


def test_a_clock_that_is_set_back_stops_nothing():
    clock = Clock()
    pace = Pace(5, clock)
    give(pace, clock, 2)
    clock.now -= 3600
    assert give(pace, clock, 10) >= 40


def test_the_rate_is_right_from_the_first_seconds_on():
    clock = Clock()
    pace = Pace(5, clock)
    assert pace.given_fps == 0
    give(pace, clock, 2)
    assert pace.given_fps == pytest.approx(5, abs=0.8)
    clock.now -= 3600
    give(pace, clock, 2)
    assert pace.given_fps == pytest.approx(5, abs=0.8)
