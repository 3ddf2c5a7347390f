"""Limits of uploads: bandwidth, hours of the day, pauses."""

import threading
from datetime import UTC, datetime

import pytest

from plugins.s3_archiver.limits import LONGEST_PAUSE_SECONDS, Bandwidth, Stopped, pause_after, seconds_until_open


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return False


@pytest.fixture
def time() -> Time:
    return Time()


def make_bandwidth(rate: float | None, time: Time, stop: threading.Event | None = None) -> Bandwidth:
    return Bandwidth(rate, stop=stop or threading.Event(), clock=lambda: time.now, wait=time.wait)


def test_bytes_are_paced_to_the_limit(time):
    bandwidth = make_bandwidth(1000, time)
    for _ in range(10):
        bandwidth.take(500)
    assert time.now == pytest.approx(104.5)  # the first bytes go at once


def test_without_a_limit_nothing_waits(time):
    bandwidth = make_bandwidth(None, time)
    bandwidth.take(1 << 40)
    assert time.waits == []


def test_unused_time_is_not_saved_up(time):
    bandwidth = make_bandwidth(1000, time)
    bandwidth.take(1000)
    time.now += 60
    bandwidth.take(1000)
    bandwidth.take(1000)
    assert time.waits == [pytest.approx(1.0)]


def test_a_higher_limit_ends_a_long_debt(time):
    bandwidth = make_bandwidth(1, time)
    bandwidth.take(100_000)
    bandwidth.set_rate(1_000_000)
    bandwidth.take(1000)
    assert sum(time.waits) <= 1.0


def test_a_stop_ends_the_wait(time):
    stop = threading.Event()
    bandwidth = make_bandwidth(1000, time, stop)
    stop.set()
    with pytest.raises(Stopped):
        bandwidth.take(1)


@pytest.mark.parametrize(
    ("window", "at", "seconds"),
    [
        (None, "12:00", 0),
        ({"from": "22:00", "to": "06:00"}, "23:00", 0),
        ({"from": "22:00", "to": "06:00"}, "05:59", 0),
        ({"from": "22:00", "to": "06:00"}, "06:00", 16 * 3600),
        ({"from": "09:00", "to": "17:00"}, "16:59", 0),
        ({"from": "09:00", "to": "17:00"}, "17:00", 16 * 3600),
        ({"from": "00:00", "to": "24:00"}, "00:00", 0),
    ],
)
def test_the_window_is_a_part_of_the_local_day(window, at, seconds):
    moment = datetime.fromisoformat(f"2026-06-10T{at}:00+00:00").astimezone(UTC)
    assert seconds_until_open(window, moment, "UTC") == seconds


def test_the_window_follows_its_time_zone():
    noon = datetime(2026, 6, 10, 12, tzinfo=UTC)
    assert seconds_until_open({"from": "14:00", "to": "15:00"}, noon, "Europe/Berlin") == 0
    assert seconds_until_open({"from": "14:00", "to": "15:00"}, noon, "UTC") == 2 * 3600


def test_pauses_grow_from_a_second_to_a_quarter_of_an_hour_and_no_further():
    pauses = [pause_after(failures, spread=lambda: 0.0) for failures in range(1, 40)]
    assert pauses[0] == 1.0
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_SECONDS == 900
    assert pause_after(10**9, spread=lambda: 1.0) == 675
