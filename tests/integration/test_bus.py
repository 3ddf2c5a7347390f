"""The media bus on a real Redis: order, bounds, and outages of Redis."""

import threading
import time

import pytest

from gateway.errors import BusUnavailable, LeaseLost
from gateway.media import Position
from gateway.streams.bus import BusWriter, MediaBus

WINDOW_SECONDS = 5


@pytest.fixture
def writer(client) -> BusWriter:
    writer = BusWriter(client, "d1", window_seconds=WINDOW_SECONDS, max_bytes=1 << 20)
    writer.open_run(1, b"init 1")
    return writer


@pytest.fixture
def bus(client) -> MediaBus:
    return MediaBus(client)


def numbers(parts) -> list[int]:
    return [part.sequence for part in parts]


def test_parts_are_read_as_they_were_written_and_in_order(writer, bus, make_part):
    written = [make_part(is_key=number % 4 == 0) for number in range(6)]
    for part in written:
        assert writer.publish(part)
    assert bus.read("d1", None) == written
    assert bus.read("d1", written[3].position) == written[4:]
    assert bus.read("d1", written[-1].position) == []
    assert bus.init_segment("d1", 1) == b"init 1"


def test_a_reader_that_waits_gets_the_next_part_at_once(writer, bus, make_part):
    writer.publish(first := make_part())
    threading.Timer(0.3, lambda: writer.publish(make_part())).start()
    started = time.monotonic()
    assert numbers(bus.read("d1", first.position, wait_seconds=2)) == [2]
    assert 0.2 < time.monotonic() - started < 1.5


def test_the_bus_holds_no_more_than_its_window_in_time(writer, bus, make_part):
    for _ in range(40):
        writer.publish(make_part())
    held = bus.read("d1", None, count=100)
    assert held[-1].sequence == 40
    assert held[-1].start - held[0].start <= WINDOW_SECONDS


def test_the_bus_holds_no_more_than_its_bytes(client, bus, make_part):
    writer = BusWriter(client, "d1", window_seconds=60, max_bytes=10_000)
    for _ in range(40):
        writer.publish(make_part(size=1000))
    held = bus.read("d1", None, count=100)
    assert 1 <= sum(len(part.data) for part in held) <= 10_000
    assert held[-1].sequence == 40


def test_the_latest_group_begins_with_the_newest_key_frame(writer, bus, make_part):
    for number in range(11):
        writer.publish(make_part(is_key=number in (0, 4, 8)))
    init, parts = bus.latest_group("d1")
    assert init == b"init 1"
    assert numbers(parts) == [9, 10, 11]
    assert parts[0].is_key


def test_there_is_no_latest_group_without_a_key_frame_of_the_same_run(writer, bus, make_part):
    assert bus.latest_group("d1") is None
    writer.publish(make_part(is_key=True))
    writer.open_run(2, b"init 2")
    writer.publish(make_part(run=2))
    assert bus.latest_group("d1") is None


def test_after_redis_lost_its_data_it_gets_the_window_again(store, writer, bus, make_part):
    for number in range(5):
        writer.publish(make_part(is_key=number == 0))
    store.restart()
    deadline = time.monotonic() + 5
    # The first call may still use the broken connection.
    while not writer.publish(make_part()):
        assert time.monotonic() < deadline
    held = numbers(bus.read("d1", None, count=100))
    assert held == list(range(1, held[-1] + 1))
    assert bus.init_segment("d1", 1) == b"init 1"


def test_parts_of_an_outage_of_redis_are_published_afterwards(store, writer, bus, make_part):
    writer.publish(make_part(is_key=True))
    store.stop()
    assert not writer.publish(make_part())
    assert not writer.publish(make_part())
    assert writer.is_away
    with pytest.raises(BusUnavailable):
        bus.read("d1", None)
    store.start()
    assert writer.flush() or writer.flush()
    assert not writer.is_away
    assert numbers(bus.read("d1", None)) == [1, 2, 3]


def test_a_long_outage_of_redis_costs_no_more_memory_than_the_window(store, client, make_part):
    writer = BusWriter(client, "d1", window_seconds=WINDOW_SECONDS, max_bytes=1 << 20)
    store.stop()
    for _ in range(60):
        writer.publish(make_part())
    store.start()
    assert writer.flush() or writer.flush()
    held = MediaBus(client).read("d1", None, count=100)
    assert held[-1].sequence == 60
    assert len(held) <= WINDOW_SECONDS * 2 + 1


def test_an_owner_whose_run_is_over_is_refused(client, writer, bus, make_part):
    writer.publish(make_part())
    other = BusWriter(client, "d1", window_seconds=WINDOW_SECONDS, max_bytes=1 << 20)
    other.open_run(2, b"init 2")
    other.publish(make_part(run=2, is_key=True))
    with pytest.raises(LeaseLost):
        writer.publish(make_part())
    assert [part.run for part in bus.read("d1", None)] == [1, 2]


def test_the_next_run_follows_the_one_before_and_its_init_segment_is_its_own(writer, bus, make_part):
    writer.publish(make_part(is_key=True))
    writer.open_run(2, b"init 2")
    writer.publish(make_part(run=2, is_key=True, sequence=1))
    assert [part.position for part in bus.read("d1", None)] == [Position(1, 1), Position(2, 1)]
    assert (bus.init_segment("d1", 1), bus.init_segment("d1", 2)) == (b"init 1", b"init 2")


def test_a_forgotten_device_leaves_no_key(client, writer, bus, make_part):
    writer.publish(make_part(is_key=True))
    bus.forget("d1")
    assert client.keys("vas:bus:*") == []


def test_the_parts_of_a_stopped_device_expire(client, writer, make_part):
    writer.publish(make_part(is_key=True))
    for key in client.keys("vas:bus:*"):
        assert 0 < client.pttl(key) <= WINDOW_SECONDS * 4 * 1000
