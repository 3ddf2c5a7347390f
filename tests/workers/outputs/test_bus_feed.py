"""One connection serves many consumers: every part once and in order, and no consumer affects another."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.errors import BusUnavailable
from gateway.media import Part, Position
from gateway.redis_client import connect_redis
from gateway.streams.bus import BusWriter, MediaBus
from tests.conftest import wait_until
from workers.outputs import bus_feed
from workers.outputs.bus_feed import DEVICES_PER_LANE, BusFeed

WAIT_SECONDS = 5.0


@pytest.fixture
def client(redis_url):
    client = connect_redis(redis_url, timeout_seconds=1.0)
    yield client
    client.close()


@pytest.fixture
def feed(client) -> Iterator[BusFeed]:
    feed = BusFeed(MediaBus(client), devices=DEVICES_PER_LANE)
    yield feed
    feed.close()


def publish(client, device_id: str, first: int, last: int, run: int = 1) -> None:
    writer = BusWriter(client, device_id, window_seconds=600, max_bytes=1 << 24)
    writer.open_run(run, b"init")
    for sequence in range(first, last + 1):
        at = 1_750_000_000 + sequence * 0.5
        writer.publish(Part(device_id, run, sequence, at, 0.5, sequence == 1, 12, b"%d" % sequence))


def follow(feed: BusFeed, device_id: str, count: int) -> list[int]:
    """The sequence numbers that a consumer reads, until there are `count`."""
    found: list[int] = []
    position = None
    while len(found) < count:
        parts = feed.read(device_id, position, wait_seconds=WAIT_SECONDS)
        assert parts, f"{device_id} has {found}"
        found += [part.sequence for part in parts]
        position = parts[-1].position
    return found


def test_many_consumers_read_every_part_once_and_in_order_over_few_connections(client, redis_url):
    count = 300
    feed = BusFeed(MediaBus(client), devices=count)
    devices = [f"device-{number}" for number in range(count)]
    for device_id in devices:
        publish(client, device_id, 1, 3)
    before = len(client.client_list())
    with ThreadPoolExecutor(count) as pool:
        reading = [pool.submit(follow, feed, device_id, 5) for device_id in devices]
        connections = len(client.client_list())
        for device_id in devices:
            publish(client, device_id, 4, 5)
        assert [each.result() for each in reading] == [[1, 2, 3, 4, 5]] * count
    feed.close()
    assert connections - before <= count / DEVICES_PER_LANE + 1


def test_a_reader_waits_for_the_next_part_and_no_longer_than_it_wants(client, feed):
    assert feed.read("d1", None, wait_seconds=0.05) == []
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed.read, "d1", None, wait_seconds=WAIT_SECONDS)
        publish(client, "d1", 1, 1)
        assert [part.sequence for part in waiting.result()] == [1]


def test_parts_that_arrive_when_nobody_waits_any_more_are_read_later(client, feed):
    feed.read("d1", None, wait_seconds=0.01)
    publish(client, "d1", 1, 2)
    assert follow(feed, "d1", 2) == [1, 2]


def test_two_consumers_of_a_device_have_their_own_positions(client, feed):
    publish(client, "d1", 1, 40)
    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(follow, feed, "d1", 40) for _ in range(2)]
        newest = pool.submit(feed.read, "d1", Position(1, 39), wait_seconds=WAIT_SECONDS)
        assert [part.sequence for part in newest.result()] == [40]
        assert [reader.result() for reader in readers] == [list(range(1, 41))] * 2


def test_the_parts_in_memory_are_limited_whatever_the_number_of_devices(client, feed, monkeypatch):
    monkeypatch.setattr(bus_feed, "_CALL_PARTS", 8)
    publish(client, "d1", 1, 20)
    publish(client, "d2", 1, 20)
    alone = feed.read("d1", None, wait_seconds=WAIT_SECONDS)
    assert len(alone) == 8
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda device_id: follow(feed, device_id, 20), ["d1", "d2"])) == [list(range(1, 21))] * 2


def test_an_entry_that_cannot_be_read_affects_its_own_device_only(client, feed):
    client.xadd("vas:bus:bad", {"t": "not a time"}, id="1-1")
    publish(client, "good", 1, 3)
    with ThreadPoolExecutor(2) as pool:
        bad = pool.submit(feed.read, "bad", None, wait_seconds=1)
        good = pool.submit(follow, feed, "good", 3)
        assert good.result() == [1, 2, 3]
        assert bad.result() == []
    publish(client, "good", 4, 4)
    assert follow(feed, "good", 4) == [1, 2, 3, 4]


def test_a_redis_that_is_away_is_reported_to_every_reader_and_found_again(redis_server, redis_url):
    client = connect_redis(redis_url, timeout_seconds=0.3)
    feed = BusFeed(MediaBus(client), devices=2)
    redis_server.freeze()
    try:
        with ThreadPoolExecutor(2) as pool:
            readers = [pool.submit(feed.read, device_id, None, wait_seconds=WAIT_SECONDS) for device_id in ("d1", "d2")]
            for reader in readers:
                with pytest.raises(BusUnavailable):
                    reader.result()
    finally:
        redis_server.thaw()
    publish(client, "d1", 1, 2)
    assert follow(feed, "d1", 2) == [1, 2]
    feed.close()
    client.close()


def test_a_closed_feed_reads_nothing_and_has_no_thread(client):
    feed = BusFeed(MediaBus(client), devices=1)
    publish(client, "d1", 1, 1)
    assert follow(feed, "d1", 1) == [1]
    feed.close()
    feed.close()
    assert feed.read("d1", None, wait_seconds=0.01) == []
    wait_until(lambda: "bus feed" not in {thread.name for thread in threading.enumerate()}, "the thread ends")
