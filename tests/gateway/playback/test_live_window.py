"""All viewers of a device follow its bus through one window: it is read once, and holds the same parts as the bus."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.errors import BusUnavailable
from gateway.media import Part, Position
from gateway.playback.live_window import LiveWindow, LiveWindows
from gateway.redis_client import connect_redis
from gateway.streams.bus import BusWriter, MediaBus
from tests.conftest import wait_until

NOON = 1_773_230_400.0


@pytest.fixture
def bus(client) -> MediaBus:
    return MediaBus(client)


@pytest.fixture
def writer(client) -> BusWriter:
    writer = BusWriter(client, "d1", window_seconds=5, max_bytes=1 << 20)
    writer.open_run(1, b"init")
    return writer


def part(sequence: int, run: int = 1) -> Part:
    return Part("d1", run, sequence, NOON + sequence * 0.5, 0.5, sequence % 2 == 1, 12, b"media" * 10)


def sequences(parts) -> list[int]:
    return [part.position.sequence for part in parts]


def test_the_bus_gives_a_range_of_parts_and_their_count(bus, writer):
    for number in range(1, 6):
        writer.publish(part(number))
    assert bus.count("d1") == 5
    assert bus.count("d2") == 0
    assert [p.sequence for p in bus.read_range("d1", Position(1, 2), Position(1, 4))] == [2, 3, 4]
    assert [p.sequence for p in bus.read_range("d1", Position(1, 4), Position(1, 99))] == [4, 5]
    assert bus.read_range("d1", Position(2, 1), Position(2, 9)) == []


def test_a_window_has_the_parts_of_the_bus(bus, writer):
    window = LiveWindow(bus, "d1")
    assert window.parts() == ()
    for number in range(1, 30):
        writer.publish(part(number))
        assert sequences(window.parts()) == [p.sequence for p in bus.read("d1", None)]


def test_a_bus_that_was_emptied_empties_the_window(bus, client, writer):
    window = LiveWindow(bus, "d1")
    writer.publish(part(1))
    assert sequences(window.parts()) == [1]
    client.flushall()
    assert window.parts() == ()
    later = BusWriter(client, "d1", window_seconds=5, max_bytes=1 << 20)
    later.open_run(2, b"init")
    later.publish(part(1, run=2))
    assert [p.position for p in window.parts()] == [Position(2, 1)]


def test_many_threads_wait_and_one_of_them_reads(bus, writer):
    window = LiveWindow(bus, "d1")
    writer.publish(part(1))
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(window.wait, lambda parts: sequences(parts)[-1:] == [3], 5) for _ in range(6)]
        writer.publish(part(2))
        writer.publish(part(3))
        assert [sequences(one.result(5)) for one in waiting] == [[1, 2, 3]] * 6


def test_waiting_ends(bus, writer):
    window = LiveWindow(bus, "d1")
    writer.publish(part(1))
    assert sequences(window.wait(lambda _: False, 0.1)) == [1]


def test_waiting_threads_get_the_error_of_the_bus():
    window = LiveWindow(MediaBus(connect_redis("redis://127.0.0.1:1/0")), "d1")
    failed = threading.Barrier(3)

    def wait() -> None:
        with pytest.raises(BusUnavailable):
            window.wait(bool, 5)
        failed.wait(5)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: wait(), range(3)))


def test_a_device_without_viewers_is_forgotten(bus, monkeypatch):
    monkeypatch.setattr("gateway.playback.live_window._FORGET_SECONDS", 0.0)
    windows = LiveWindows(bus)
    first = windows.of("d1")
    wait_until(lambda: windows.of("d2") and "d1" not in windows._windows, "the window of d1 is gone")
    assert windows.of("d1") is not first
