"""The figures of a stream are those of the parts of its last seconds."""

import pytest

from workers.ffmpeg.fmp4 import Fragment
from workers.streams.part_stats import PartStats

NOON = 1_750_000_000.0


def part(*, duration: float = 0.5, is_key: bool = False, frames: int = 5, size: int = 1000) -> Fragment:
    return Fragment(data=b"x" * size, start=0.0, duration=duration, frames=frames, is_key=is_key, has_b_frames=False)


def feed(stats: PartStats, first: int, until: int, **values) -> None:
    for number in range(first, until):
        start = NOON + number * 0.5
        stats.add(part(**values), start, start + 0.5)


def test_frame_rate_and_bitrate_are_measured_over_the_window():
    stats = PartStats(4)
    assert stats.fps() is None
    assert stats.bitrate_kbps() is None
    feed(stats, 0, 4)
    assert stats.fps() == 10.0
    assert stats.bitrate_kbps() == 16.0
    feed(stats, 4, 40, frames=10, size=4000)
    assert stats.fps() == 20.0
    assert stats.bitrate_kbps() == 64.0


def test_a_stream_silent_for_longer_than_the_window_has_rates_of_zero():
    stats = PartStats(4)
    feed(stats, 0, 4)
    assert stats.fps(silent_seconds=4.1) == 0.0
    assert stats.bitrate_kbps(silent_seconds=4.1) == 0.0
    assert stats.fps(silent_seconds=3.9) == 10.0


def test_a_camera_with_one_picture_in_twelve_seconds_has_its_rate_between_them():
    stats = PartStats(4)
    for number in range(4):
        start = NOON + number * 12
        stats.add(part(duration=12.0, frames=1, is_key=True), start, start + 12)
    assert stats.fps(silent_seconds=11.0) == pytest.approx(0.08)
    assert stats.fps(silent_seconds=40.0) == 0.0


def test_the_key_frame_interval_is_measured():
    stats = PartStats(4)
    stats.add(part(is_key=True), NOON, NOON + 0.5)
    assert stats.key_frame_interval_seconds is None
    for number in range(1, 5):
        stats.add(part(is_key=number == 4), NOON + number * 0.5, NOON + number * 0.5 + 0.5)
    assert stats.key_frame_interval_seconds == pytest.approx(2.0)
    assert stats.last_arrival == NOON + 2.5
