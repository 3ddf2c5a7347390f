"""Packets are needed while somebody watches and a little longer; a stall is only what the SFU's answers prove."""

import pytest

from plugins.mediasoup_webrtc.audience import LINGER_SECONDS, Arrivals, Audience


@pytest.fixture
def changes() -> list[bool]:
    return []


@pytest.fixture
def audience(changes) -> Audience:
    return Audience(changes.append)


def test_the_first_viewer_needs_packets_at_once_and_a_second_changes_nothing(audience, changes):
    audience.count(0, 0.0)
    audience.tick(100.0)
    assert changes == []
    audience.count(1, 100.0)
    audience.count(2, 101.0)
    assert changes == [True]
    assert audience.viewers == 2


def test_packets_flow_a_little_longer_than_somebody_watches(audience, changes):
    audience.count(1, 0.0)
    audience.count(0, 50.0)
    audience.tick(50.0 + LINGER_SECONDS - 0.1)
    assert changes == [True]
    audience.count(0, 50.0 + LINGER_SECONDS - 0.1)
    audience.tick(50.0 + LINGER_SECONDS)
    assert changes == [True, False]
    audience.count(0, 100.0)
    audience.tick(200.0)
    audience.count(1, 200.0)
    assert changes == [True, False, True]


def test_a_page_that_is_reloaded_interrupts_nothing(audience, changes):
    audience.count(1, 0.0)
    for at in range(0, 100, 5):
        audience.count(0, at)
        audience.tick(at + 4)
        audience.count(1, at + 4)
        audience.tick(at + 4)
    assert changes == [True]


def test_packets_that_are_sent_and_do_not_arrive_are_a_stall():
    arrivals = Arrivals()
    for second in range(11):
        arrivals.answered(100 * second, 7, float(second))
    assert arrivals.missing_seconds == 10


def test_what_arrives_ends_a_stall():
    arrivals = Arrivals()
    for second in range(6):
        arrivals.answered(100 * second, 7, float(second))
    arrivals.answered(700, 8, 7.0)
    assert arrivals.missing_seconds == 0
    arrivals.answered(800, 0, 8.0)
    assert arrivals.missing_seconds == 0, "a room that was rebuilt counts from 0"


def test_a_camera_that_sends_nothing_does_not_stall():
    arrivals = Arrivals()
    for second in range(100):
        arrivals.answered(7, 7, float(second))
    assert arrivals.missing_seconds == 0


def test_time_without_an_answer_proves_nothing():
    arrivals = Arrivals()
    arrivals.answered(0, 7, 0.0)
    for second in range(1, 60):
        arrivals.not_answered()
        arrivals.answered(100 * second, 7, float(second))
    assert arrivals.missing_seconds == 0
    arrivals.answered(10_000, 7, 1000.0)
    assert arrivals.missing_seconds <= 5, "a process that stood still has proved little"
    arrivals.reset()
    assert arrivals.missing_seconds == 0
