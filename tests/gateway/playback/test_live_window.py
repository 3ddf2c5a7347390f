"""All viewers of a device follow its bus through one window: it is read once, and holds the same parts as the bus."""

import pytest

from gateway.errors import BusUnavailable
from gateway.media import Part, Position
from gateway.playback.live_playlist import LivePart
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
    assert window.read().is_empty
    for number in range(1, 30):
        writer.publish(part(number))
        window.read()
        assert sequences(window._parts) == [p.sequence for p in bus.read("d1", None)]


def test_a_bus_that_was_emptied_empties_the_window(bus, client, writer):
    window = LiveWindow(bus, "d1")
    writer.publish(part(1))
    assert window.read().newest == Position(1, 1)
    client.flushall()
    assert window.read().newest is None
    later = BusWriter(client, "d1", window_seconds=5, max_bytes=1 << 20)
    later.open_run(2, b"init")
    later.publish(part(1, run=2))
    assert window.read().newest == Position(2, 1)


def test_all_who_wait_are_told_by_one_reader(bus, writer, monkeypatch):
    windows = LiveWindows(bus)
    window = windows.of("d1")
    writer.publish(part(1))
    window.read()
    reads = []
    read_many = MediaBus.read_many
    monkeypatch.setattr(MediaBus, "read_many", lambda *args, **names: reads.append(1) or read_many(*args, **names))
    waiting = [window.when(lambda playlist: playlist.newest == Position(1, 3)) for _ in range(50)]
    writer.publish(part(2))
    writer.publish(part(3))
    assert {future.result(5).newest for future in waiting} == {Position(1, 3)}
    assert len(reads) < 10
    assert not window.is_awaited


def test_a_part_that_came_before_the_wait_ends_it_at_once(bus, writer):
    window = LiveWindow(bus, "d1")
    writer.publish(part(1))
    window.read()
    writer.publish(part(2))
    assert window.when(lambda playlist: playlist.newest == Position(1, 2)).result(5).newest == Position(1, 2)
    assert window.when(lambda playlist: not playlist.is_empty).done()


def test_a_second_device_is_followed_while_the_first_one_is_waited_for(bus, client, writer):
    windows = LiveWindows(bus)
    first = windows.of("d1").when(lambda playlist: playlist.newest == Position(1, 2))
    writer.publish(part(1))
    wait_until(lambda: windows.of("d1").known().newest == Position(1, 1), "the first device is followed")
    other = BusWriter(client, "d2", window_seconds=5, max_bytes=1 << 20)
    other.open_run(1, b"init")
    second = windows.of("d2").when(lambda playlist: playlist.newest is not None)
    other.publish(part(1))
    assert second.result(5).newest == Position(1, 1)
    assert not first.done()


def test_nobody_reads_when_all_have_given_up(bus, writer):
    windows = LiveWindows(bus)
    future = windows.of("d1").when(lambda _: False)
    assert windows._follower._thread is not None
    future.cancel()
    writer.publish(part(1))
    wait_until(lambda: windows._follower._thread is None, "the reader has ended")
    again = windows.of("d1").when(lambda playlist: playlist.newest == Position(1, 2))
    writer.publish(part(2))
    assert again.result(5).newest == Position(1, 2)


def test_all_who_wait_get_the_error_of_the_bus():
    window = LiveWindow(MediaBus(connect_redis("redis://127.0.0.1:1/0")), "d1")
    for future in [window.when(lambda _: False) for _ in range(3)]:
        with pytest.raises(BusUnavailable):
            future.result(5)
    with pytest.raises(BusUnavailable):
        window.read()


def test_who_waits_when_redis_goes_away_gets_the_error(redis_server, bus, writer):
    window = LiveWindow(bus, "d1")
    writer.publish(part(1))
    future = window.when(lambda _: False)
    redis_server.stop()
    try:
        with pytest.raises(BusUnavailable):
            future.result(5)
    finally:
        redis_server.start()


def test_a_reading_that_was_overtaken_removes_no_part(bus, writer):
    window = LiveWindow(bus, "d1")
    for number in (1, 2, 3):
        writer.publish(part(number))
    window.read()
    late = [LivePart.of(part(number)) for number in (2, 3)]
    # It counted two parts up to the second; the third one came meanwhile.
    window.take(late, held=2, until=Position(1, 2))
    assert sequences(window._parts) == [1, 2, 3]


def test_a_device_without_viewers_is_forgotten(bus, monkeypatch):
    monkeypatch.setattr("gateway.playback.live_window._FORGET_SECONDS", 0.0)
    windows = LiveWindows(bus)
    first = windows.of("d1")
    wait_until(lambda: windows.of("d2") and "d1" not in windows._windows, "the window of d1 is gone")
    assert windows.of("d1") is not first
