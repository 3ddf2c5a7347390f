"""Parts are placed one after the other on the wall clock, despite errors of the camera's clock and the network."""

import itertools

import pytest

from workers.ffmpeg.fmp4 import Fragment
from workers.streams.part_clock import PartClock

NOON = 1_750_000_000.0


def part(
    number: int,
    *,
    duration: float = 0.5,
    is_key: bool = False,
    frames: int = 5,
    size: int = 1000,
    start: float | None = None,
):
    return Fragment(
        data=b"x" * size,
        start=number * duration if start is None else start,
        duration=duration,
        frames=frames,
        is_key=is_key,
        has_b_frames=False,
        has_new_parameters=False,
    )


def feed(clock: PartClock, parts: int, *, late: float = 0.0, rate: float = 1.0) -> list[float]:
    """Parts of half a second each; the wall clock runs `rate` times as fast as the camera's."""
    return [clock.place(part(n), NOON + (n + 1) * 0.5 * rate + late) for n in range(parts)]


def test_a_part_started_its_own_duration_before_it_arrived():
    assert PartClock(4).place(part(0), NOON) == NOON - 0.5


def test_media_time_that_does_not_start_at_zero_changes_nothing():
    clock = PartClock(4)
    assert clock.place(part(0, start=1000.0), NOON) == NOON - 0.5
    assert clock.place(part(0, start=1000.5), NOON + 0.5) == pytest.approx(NOON)


def test_jitter_of_the_network_does_not_move_parts():
    clock = PartClock(4)
    starts = [clock.place(part(n), NOON + n * 0.5 + (0.4 if n % 2 else 0)) for n in range(100)]
    steps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert all(step == pytest.approx(0.5, abs=0.001) for step in steps)


@pytest.mark.parametrize("rate", [1.0003, 0.9997])
def test_a_camera_whose_clock_drifts_is_followed(rate: float):
    starts = feed(PartClock(4), 100_000, rate=rate)
    # After 14 hours: 15 s of drift, of which hardly anything remains.
    assert starts[-1] == pytest.approx(NOON + 99_999 * 0.5 * rate, abs=0.1)
    steps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert max(abs(step - 0.5) for step in steps) <= 0.5 * 0.0005 + 1e-6, "and never by a jump"


@pytest.mark.parametrize("jump", [600, -600, 30, 6])
def test_a_clock_offset_is_reported_once_it_is_certain(jump: float):
    clock = PartClock(4)
    feed(clock, 10)
    offsets = []
    for number in range(10, 13):
        start = clock.place(part(number), NOON + (number + 1) * 0.5 + jump)
        offsets.append(clock.clock_offset_seconds)
        is_absurd = abs(jump) > 60
        assert start == pytest.approx(NOON + number * 0.5 + (jump if is_absurd else 0), abs=0.1)
    assert offsets == [None, None, pytest.approx(jump, abs=0.1)]
    clock.reset()
    assert clock.place(part(13), NOON + 7 + jump) == pytest.approx(NOON + 6.5 + jump)
    assert clock.clock_offset_seconds is None


def test_a_stalled_network_does_not_end_the_run():
    clock = PartClock(4)
    feed(clock, 10)
    for number in (10, 11):
        clock.place(part(number), NOON + 12)
    assert clock.place(part(30), NOON + 15.5) == pytest.approx(NOON + 15, abs=0.1)
    for number in (31, 32):
        clock.place(part(number), NOON + 60)
    assert clock.clock_offset_seconds is None


def test_frame_rate_and_bitrate_are_measured_over_the_window():
    clock = PartClock(4)
    assert clock.fps() is None
    assert clock.bitrate_kbps() is None
    feed(clock, 4)
    assert clock.fps() == 10.0
    assert clock.bitrate_kbps() == 16.0
    for number in range(4, 40):
        clock.place(part(number, frames=10, size=4000), NOON + (number + 1) * 0.5)
    assert clock.fps() == 20.0
    assert clock.bitrate_kbps() == 64.0


def test_a_stream_silent_for_longer_than_the_window_has_rates_of_zero():
    clock = PartClock(4)
    feed(clock, 4)
    assert clock.fps(silent_seconds=4.1) == 0.0
    assert clock.bitrate_kbps(silent_seconds=4.1) == 0.0
    assert clock.fps(silent_seconds=3.9) == 10.0


def test_the_key_frame_interval_is_measured():
    clock = PartClock(4)
    clock.place(part(0, is_key=True), NOON)
    assert clock.key_frame_interval_seconds is None
    for number in range(1, 5):
        clock.place(part(number, is_key=number == 4), NOON + number * 0.5)
    assert clock.key_frame_interval_seconds == pytest.approx(2.0)
    assert clock.last_arrival == NOON + 2.0


def test_a_backlog_delivered_by_a_slow_network_is_not_a_jump():
    clock = PartClock(4)
    feed(clock, 4)
    # Nothing for eight seconds, then everything: each part less late than the one before.
    starts = [clock.place(part(n), NOON + 10.5) for n in range(4, 21)]
    assert all(later - earlier == pytest.approx(0.5, abs=0.001) for earlier, later in itertools.pairwise(starts))
