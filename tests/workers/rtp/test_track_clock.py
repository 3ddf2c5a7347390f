"""The clock of a track follows what cameras do to their time stamps: rates, leaps, bursts, pauses, B-frames."""

import math
import random
import statistics
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.rtp.simulated import START, PlacedUnit, SimulatedUnit, evenly, jitter, reorder, run, simulate
from workers.rtp.track_clock import MAX_DELAY, TrackClock

SECONDS = 140


def largest_error(placed: list[PlacedUnit], since: float = 0.0, until: float = math.inf) -> float:
    return max(abs(one.error) for one in placed if since <= one.age < until)


def intervals(placed: list[PlacedUnit], since: float = 0.0) -> list[float]:
    """Intervals of the times, as multiples of the true ones."""
    pairs = pairwise(placed)
    return [
        (later.time - one.time) / (later.unit.captured - one.unit.captured) for one, later in pairs if one.age >= since
    ]


def report(name: str, placed: list[PlacedUnit]) -> None:
    errors = [abs(one.error) for one in placed]
    print(f"{name}: |error| max {max(errors):.3f} s, median {statistics.median(errors):.4f} s")


def assert_in_order(placed: list[PlacedUnit], least: float = 0.001) -> None:
    pairs = pairwise(placed)
    assert min(later.time - one.time for one, later in pairs) >= least * 0.999
    assert all(one.unit.arrived - MAX_DELAY <= one.time <= one.unit.arrived + 1e-9 for one in placed)


def spoil(units, which, stamp):
    """Replace the stamps of some units: `which` takes the number, `stamp` number and unit."""
    return [replace(unit, stamp=stamp(n, unit)) if which(n) else unit for n, unit in enumerate(units)]


def hiccup(seconds):
    return 0.3 - seconds % 10 if seconds > 1 and seconds % 10 < 0.3 else 0.0


def stall(seconds):
    return 45 - seconds if 40 < seconds < 45 else 0.0


@pytest.mark.parametrize(
    "delay", [jitter(0.005), jitter(0.04), hiccup, stall], ids=["5 ms", "40 ms", "hiccup", "stall"]
)
def test_what_the_network_does_to_arrivals_moves_no_time(delay):
    placed = run(simulate(evenly(25, SECONDS), delay=delay))
    report("network", placed)
    assert largest_error(placed) <= 0.05
    assert_in_order(placed)


@pytest.mark.parametrize("rate", [0.5, 0.6, 0.84, 0.99, 0.996, 1.0005, 1.01, 1.19, 1.2, 1.5, 2.0])
@pytest.mark.parametrize("most", [0.01, 0.05])
def test_a_wrong_rate_is_followed(rate, most):
    clock = TrackClock(90_000)
    placed = run(simulate(evenly(21, SECONDS), stamp=lambda s: s * rate, delay=jitter(most)), clock)
    report(f"rate {rate}", placed)
    assert largest_error(placed, until=60) <= 0.5
    assert largest_error(placed, since=60) <= 0.1
    assert all(0.25 < ratio < 4 for ratio in intervals(placed, since=5))
    assert clock.rate == pytest.approx(rate, rel=0.002)
    assert clock.fps == pytest.approx(21, rel=0.05)
    assert clock.steps == clock.outliers == 0


def test_a_rate_that_drifts_with_the_temperature_is_followed():
    stamp = lambda s: s + 50e-6 * 600 * math.sin(s / 600)  # noqa: E731
    placed = run(simulate(evenly(25, 1800), stamp=stamp, delay=jitter(0.01)))
    assert largest_error(placed) <= 0.05


@pytest.mark.parametrize("seconds", [-9_800, 37_600, -1.5, 1.5, 0.3, -0.3])
def test_single_stamps_far_away_are_placed_by_arrival_and_cadence(seconds):
    clock = TrackClock(90_000)
    units = simulate(evenly(25, SECONDS), delay=jitter(0.01))
    units = spoil(units, lambda n: n % 30 == 29, lambda n, unit: unit.stamp + int(seconds * 90_000))
    placed = run(units, clock)
    report(f"outliers of {seconds} s", placed)
    assert largest_error(placed) <= 0.05
    assert_in_order(placed)
    assert (clock.outliers, clock.steps) == (len(units) // 30, 0)


def test_two_units_with_one_stamp_have_times_of_their_own():
    units = simulate(evenly(25, SECONDS), delay=jitter(0.01))
    placed = run(spoil(units, lambda n: n % 30 == 29, lambda n, unit: units[n - 1].stamp))
    assert largest_error(placed) <= 0.05
    assert all(0.25 < ratio < 4 for ratio in intervals(placed))


@pytest.mark.parametrize("kind", ["zero", "one more", "random", "whole seconds"])
def test_stamps_that_say_nothing_leave_the_arrivals(kind):
    dice = random.Random(3)
    stamps = {
        "zero": lambda n, unit: 0,
        "one more": lambda n, unit: n,
        "random": lambda n, unit: dice.getrandbits(32),
        "whole seconds": lambda n, unit: n // 25 * 90_000,
    }
    placed = run(spoil(simulate(evenly(25, SECONDS), delay=jitter(0.01)), lambda n: True, stamps[kind]))
    report(f"stamps: {kind}", placed)
    assert largest_error(placed, until=10) <= 0.5
    assert largest_error(placed, since=10) <= 0.05
    assert_in_order(placed)


@pytest.mark.parametrize("seconds", [-0.2, 0.2, -1, 1, -5, 5, -3600, 3600, 3e8, -3e8])
@pytest.mark.parametrize("pause", [0, 30])
def test_a_step_of_the_cameras_clock_changes_nothing_but_is_counted(seconds, pause):
    clock = TrackClock(90_000)
    captured = [at for at in evenly(25, SECONDS) if not 100 < at - START < 100 + pause]
    units = simulate(captured, stamp=lambda s: s + seconds * (s > 100), delay=jitter(0.01))
    placed = run(units, clock)
    report(f"step of {seconds} s, pause of {pause} s", placed)
    if pause and abs(seconds) < 30:
        assert largest_error(placed, since=101 + pause) <= 0.25
    else:
        assert largest_error(placed) <= 0.05
    assert_in_order(placed)
    assert clock.steps == 1 or pause


@pytest.mark.parametrize("seconds", [2, 4.9, 15])
def test_a_burst_of_the_past_delays_nothing_that_follows(seconds):
    placed = run(simulate(evenly(25, SECONDS, begin=-seconds), delay=lambda s: max(0.0, -s)))
    live = [one for one in placed if one.unit.captured > START]
    report(f"burst of {seconds} s", live)
    assert largest_error(live) <= 0.05
    assert_in_order(placed, least=0.00001)


@pytest.mark.parametrize("fps", [1 / 60, 1 / 12, 0.5, 1])
def test_rare_pictures_are_where_they_belong(fps):
    clock = TrackClock(90_000)
    placed = run(simulate(evenly(fps, 200 / fps), delay=jitter(0.01)), clock)
    assert largest_error(placed) <= 0.05
    assert clock.fps == pytest.approx(fps, rel=0.01)


@pytest.mark.parametrize(("day", "night"), [(15, 0.1), (25, 12), (12, 25)])
def test_another_rate_of_pictures_is_no_error_of_the_clock(day, night):
    clock = TrackClock(90_000)
    captured = [*evenly(day, 100), *evenly(night, 300, 100), *evenly(day, 100, 400)]
    placed = run(simulate(captured, delay=jitter(0.01)), clock)
    assert largest_error(placed) <= 0.05
    assert clock.rate == pytest.approx(1, abs=0.001)
    assert (clock.steps, clock.outliers) == (0, 0)


@pytest.mark.parametrize("b_frames", [1, 2, 3, 7, 15])
@pytest.mark.parametrize("skipped", [0, 1, 2, 5])
def test_b_frames_keep_their_distances(b_frames, skipped):
    clock = TrackClock(90_000)
    units = reorder(simulate(evenly(25, SECONDS), delay=jitter(0.01)), b_frames)[min(skipped, b_frames) :]
    placed = run(units, clock)
    assert largest_error(placed, since=10) <= 0.1
    settled = [one for one in placed if one.age > 30]
    assert all(ratio == pytest.approx(1, abs=0.15) for ratio in intervals(settled))
    assert all(one.time <= one.unit.arrived for one in placed)


@pytest.mark.parametrize("rate", [0.5, 1, 2])
def test_two_far_stamps_in_a_row_are_no_step(rate):
    clock = TrackClock(90_000)
    units = simulate(evenly(60, SECONDS), stamp=lambda s: s * rate, delay=stall)
    placed = run(spoil(units, lambda n: n % 30 in (28, 29), lambda n, unit: unit.stamp + 37_600 * 90_000), clock)
    assert largest_error(placed, since=60) <= 0.05
    assert clock.steps == 0


def test_far_stamps_do_not_harm_what_a_stall_held_back():
    units = simulate(evenly(25, SECONDS), delay=lambda s: 5 - s % 25 if s > 20 and s % 25 < 5 else 0.0)
    placed = run(spoil(units, lambda n: n % 25 == 24, lambda n, unit: unit.stamp + 37_600 * 90_000))
    assert largest_error(placed) <= 0.05


def test_a_clock_that_stands_still_in_a_pause_is_set_within_a_few_units():
    clock = TrackClock(90_000)
    captured = [at for at in evenly(25, SECONDS) if not 100 < at - START < 130]
    placed = run(simulate(captured, stamp=lambda s: s - 30 * (s > 101), delay=jitter(0.01)), clock)
    assert largest_error(placed, since=130.3) <= 0.05
    assert clock.steps == 1


@pytest.mark.parametrize("seconds", [5, -5])
def test_a_step_in_the_middle_of_b_frames_is_one_step(seconds):
    clock = TrackClock(90_000)
    units = reorder(simulate(evenly(25, SECONDS), stamp=lambda s: s + seconds * (s > 100), delay=jitter(0.01)), 3)
    placed = run(units, clock)
    assert largest_error(placed, since=102) <= 0.05
    assert clock.steps == 1


def test_the_clock_tells_where_units_of_a_burst_belong_once_it_is_over():
    clock = TrackClock(90_000)
    units = simulate(evenly(25, 10, begin=-5), delay=lambda s: max(0.0, -s))
    run(units, clock)
    assert max(abs(clock.at(unit.stamp) - unit.captured) for unit in units) <= 0.05


@pytest.mark.parametrize("rate", [0.3, 4, 11.25])
def test_rates_that_no_clock_has_leave_the_arrivals(rate):
    clock = TrackClock(90_000)
    placed = run(simulate(evenly(25, SECONDS), stamp=lambda s: s * rate, delay=jitter(0.02)), clock)
    assert clock.is_by_arrival
    assert largest_error(placed, since=20) <= 0.05


@pytest.mark.parametrize("packets", [2, 5, 10])
def test_sound_that_comes_in_bundles_stays_even(packets):
    units = simulate(evenly(50, SECONDS), clock_rate=8_000, delay=lambda s: (packets - round(s * 50) % packets) * 0.02)
    placed = run(units, TrackClock(8_000, can_reorder=False))
    delay = 0.02  # of the last packet of a bundle
    assert max(abs(one.error - delay) for one in placed if one.age > 2) <= 0.05
    assert all(ratio == pytest.approx(1, abs=0.1) for ratio in intervals(placed, since=2))


def build_odd_life(seed):
    """A camera whose stamps change their kind some times and are good for the last two minutes."""
    dice = random.Random(seed)
    units, at, stamp, arrived = [], 0.0, dice.uniform(0, 1e5), START
    kinds = ["rate", "step", "pause", "far", "zero", "random", "one more", "stall", "jitter", "bundle"]
    lives = [(dice.choice(kinds), dice.choice([5, 12, 25, 60]), dice.choice([0.5, 0.84, 0.996, 1, 1.19, 2]), 12)]
    lives += [("rate", dice.choice([5, 12, 25, 30]), dice.choice([0.5, 0.9, 1, 1.19, 2]), 120)]
    for kind, fps, rate, seconds in lives:
        pause = {"pause": 12.0}.get(kind, 0.0)
        stamp += {"step": dice.choice([-1e4, -1, 5, 1e6])}.get(kind, pause * rate)
        at += pause
        began = at
        while at < began + seconds:
            at, stamp, late = at + 1 / fps, stamp + rate / fps, dice.random() * 0.01
            shown = stamp
            match kind:
                case "far" if dice.random() < 0.1:
                    shown += dice.uniform(-1e4, 1e4)
                case "zero":
                    shown = 0.0
                case "random":
                    shown = dice.uniform(0, 4e4)
                case "one more":
                    shown = stamp = stamp - rate / fps + 1 / 90_000
                case "stall" if 1 < at - began < 3:
                    late = 3 - (at - began)
                case "jitter":
                    late = dice.random() * 0.3
                case "bundle":
                    late = 0.2 - at % 0.2
            arrived = max(arrived, START + at + late)
            units.append(SimulatedUnit(START + at, round(shown * 90_000), arrived))
    return units, began, rate


@pytest.mark.parametrize("seed", range(16))
def test_whatever_was_before_a_minute_of_good_stamps_is_enough(seed):
    units, began, rate = build_odd_life(seed)
    clock = TrackClock(90_000)
    placed = run(units, clock)
    assert largest_error(placed, since=began + 60) <= 0.1
    assert clock.rate == pytest.approx(rate, rel=0.01)


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 8_000), st.integers(-(2**70), 2**70), st.just(0)),
            st.one_of(st.floats(0, 0.2), st.floats(0, 200), st.just(0.0)),
        ),
        max_size=200,
    ),
    st.sampled_from([8_000, 90_000, 1]),
)
def test_whatever_comes_the_times_are_finite_near_the_arrival_and_in_order(steps, clock_rate):
    clock = TrackClock(clock_rate, can_reorder=False)
    stamp, arrived, last = 0, START, -math.inf
    for number, (ticks, seconds) in enumerate(steps, 1):
        stamp, arrived = stamp + ticks, arrived + seconds
        time = clock.place(stamp, arrived)
        assert arrived - MAX_DELAY <= time <= arrived + number * 0.00003
        assert time > last
        last = time
