"""The media bus keeps a bounded window, survives outages of Redis, and accepts parts of one owner only."""

import dataclasses

import pytest

from gateway.errors import BusUnavailable, LeaseLost
from gateway.media import Part, Position
from gateway.redis_client import connect_redis
from gateway.streams.bus import BusWriter, MediaBus
from tests.conftest import RedisServer

NOON = 1_750_000_000.0


def part(sequence: int, run: int = 1, *, is_key: bool = False, size: int = 100, start: float | None = None) -> Part:
    return Part(
        "d1",
        run,
        sequence,
        NOON + sequence * 0.5 if start is None else start,
        0.5,
        is_key,
        12,
        bytes([run]) * size,
    )


@pytest.fixture
def bus(client) -> MediaBus:
    return MediaBus(client)


def make_writer(client, **limits) -> BusWriter:
    return BusWriter(client, "d1", **({"window_seconds": 15.0, "max_bytes": 1 << 20} | limits))


@pytest.fixture
def writer(client) -> BusWriter:
    writer = make_writer(client)
    writer.open_run(1, b"init 1")
    return writer


def positions(bus: MediaBus, after: Position | None = None, **options) -> list[tuple[int, int]]:
    return [(p.run, p.sequence) for p in bus.read("d1", after, **options)]


def test_a_part_is_read_as_it_was_published(bus, writer):
    published = part(1, is_key=True, start=NOON + 0.123456)
    assert writer.publish(published)
    assert bus.read("d1", None) == [published]
    assert bus.init_segment("d1", 1) == b"init 1"


def test_a_reader_continues_from_its_position(bus, writer):
    for number in range(1, 6):
        writer.publish(part(number))
    assert positions(bus, Position(1, 3)) == [(1, 4), (1, 5)]
    assert positions(bus, count=2) == [(1, 1), (1, 2)]
    assert positions(bus, Position(1, 5)) == []
    assert positions(bus, Position(1, 5), wait_seconds=0.05) == []


def test_the_bus_holds_no_more_than_its_window(bus, writer):
    for number in range(1, 101):
        writer.publish(part(number))
    held = positions(bus)
    assert held[-1] == (1, 100)
    assert len(held) in (30, 31), "fifteen seconds of half-second parts"


def test_the_bus_holds_no_more_than_its_bytes(bus, client):
    writer = make_writer(client, max_bytes=1000)
    writer.open_run(1, b"init")
    for number in range(1, 30):
        writer.publish(part(number, size=300))
    assert len(positions(bus)) <= 4


def test_a_single_part_that_is_too_large_is_kept_anyway(bus, client):
    writer = make_writer(client, max_bytes=1000)
    writer.open_run(1, b"init")
    writer.publish(part(1))
    writer.publish(part(2, size=5000))
    assert positions(bus) == [(1, 2)]


def test_the_parts_of_a_stopped_device_expire(client, writer):
    writer.publish(part(1))
    for key in (b"vas:bus:d1", b"vas:bus:d1:last", b"vas:bus:d1:init:1"):
        assert 0 < client.pttl(key) <= 60_000, key


def test_while_redis_is_away_the_window_is_kept_and_published_later(tmp_path):
    server = RedisServer(tmp_path)
    server.start()
    try:
        client = connect_redis(server.url)
        writer = make_writer(client)
        writer.open_run(1, b"init 1")
        assert writer.publish(part(1))
        server.stop()
        assert not writer.publish(part(2))
        assert not writer.publish(part(3))
        assert writer.is_away
        with pytest.raises(BusUnavailable):
            MediaBus(client).read("d1", None)
        server.start()
        assert writer.publish(part(4))
        # Redis came back empty: the whole window is published again, with its init segment.
        assert positions(MediaBus(client)) == [(1, 1), (1, 2), (1, 3), (1, 4)]
        assert MediaBus(client).init_segment("d1", 1) == b"init 1"
        assert not writer.is_away
    finally:
        server.stop()


def test_a_run_that_began_while_redis_was_away_is_published_with_its_init_segment(tmp_path):
    server = RedisServer(tmp_path)
    writer = make_writer(connect_redis(server.url))
    writer.open_run(1, b"init 1")
    writer.publish(part(1))
    writer.open_run(2, b"init 2")
    writer.publish(part(1, run=2, start=NOON + 1))
    server.start()
    try:
        assert writer.flush()
        bus = MediaBus(connect_redis(server.url))
        assert positions(bus) == [(1, 1), (2, 1)]
        assert (bus.init_segment("d1", 1), bus.init_segment("d1", 2)) == (b"init 1", b"init 2")
    finally:
        server.stop()


def test_an_emptied_bus_gets_the_window_again_in_order(bus, client, writer):
    for number in range(1, 4):
        writer.publish(part(number))
    client.flushall()
    writer.publish(part(4))
    assert positions(bus) == [(1, 1), (1, 2), (1, 3), (1, 4)]
    assert bus.init_segment("d1", 1) == b"init 1"


def test_a_writer_keeps_only_parts_that_it_may_have_to_publish_again(bus, client):
    writer = make_writer(client, resend_seconds=1.0)
    writer.open_run(1, b"init 1")
    for number in range(1, 11):
        writer.publish(part(number))
    assert positions(bus) == [(1, number) for number in range(1, 11)], "the bus still holds its whole window"
    client.flushall()
    writer.publish(part(11))
    assert positions(bus) == [(1, 8), (1, 9), (1, 10), (1, 11)]
    assert bus.init_segment("d1", 1) == b"init 1"


def test_unpublished_parts_are_kept_longer_than_published_ones(tmp_path):
    server = RedisServer(tmp_path)
    server.start()
    client = connect_redis(server.url)
    writer = make_writer(client, resend_seconds=1.0)
    writer.open_run(1, b"init 1")
    assert writer.publish(part(1))
    server.stop()
    for number in range(2, 11):
        assert not writer.publish(part(number))
    server.start()
    try:
        writer.publish(part(11))
        assert positions(MediaBus(client)) == [(1, number) for number in range(1, 12)]
    finally:
        server.stop()


def test_nothing_is_published_twice(bus, writer):
    writer.publish(part(1))
    assert writer.flush()
    assert writer.flush()
    writer.publish(part(2))
    assert positions(bus) == [(1, 1), (1, 2)]


def test_a_stale_owner_is_refused_with_an_error(bus, client, writer):
    writer.publish(part(1))
    successor = make_writer(client)
    successor.open_run(2, b"init 2")
    successor.publish(part(1, run=2, start=NOON + 1))
    with pytest.raises(LeaseLost):
        writer.publish(part(2))
    assert positions(bus) == [(1, 1), (2, 1)]


def test_a_stale_owner_that_never_wrote_is_refused_too(bus, client):
    successor = make_writer(client)
    successor.open_run(2, b"init 2")
    successor.publish(part(1, run=2))
    stale = make_writer(client)
    stale.open_run(1, b"init 1")
    with pytest.raises(LeaseLost):
        stale.publish(part(1))
    assert positions(bus) == [(2, 1)]


def test_the_next_owner_continues_after_the_parts_of_the_last(bus, client, writer):
    for number in range(1, 4):
        writer.publish(part(number))
    successor = make_writer(client)
    successor.open_run(2, b"init 2")
    successor.publish(part(1, run=2, start=NOON + 3))
    assert positions(bus) == [(1, 1), (1, 2), (1, 3), (2, 1)]


def test_parts_of_an_earlier_owner_are_dropped_when_the_window_has_passed(bus, client, writer):
    writer.publish(part(1))
    successor = make_writer(client)
    successor.open_run(2, b"init 2")
    for number in range(1, 40):
        successor.publish(part(number, run=2, start=NOON + 1 + number * 0.5))
    assert (1, 1) not in positions(bus)


def test_the_newest_group_begins_at_the_newest_key_frame(bus, writer):
    for number in range(1, 12):
        writer.publish(part(number, is_key=number in (1, 5)))
    init, group = bus.latest_group("d1")
    assert init == b"init 1"
    assert [p.sequence for p in group] == [5, 6, 7, 8, 9, 10, 11]


def test_there_is_no_newest_group_without_a_key_frame_of_the_newest_run(bus, writer):
    assert bus.latest_group("d1") is None
    writer.publish(part(1))
    assert bus.latest_group("d1") is None
    writer.publish(part(2, is_key=True))
    writer.open_run(2, b"init 2")
    writer.publish(part(1, run=2, start=NOON + 2))
    assert bus.latest_group("d1") is None, "parts of two runs are never one group"


def test_runs_without_a_picture_leave_nothing_behind(client, writer):
    writer.publish(part(1))
    for run in range(2, 300):
        writer.open_run(run, b"init")
    assert len(writer._inits) <= 2


def test_forgetting_a_device_deletes_all_of_its_keys_and_no_others(bus, client, writer):
    writer.publish(part(1))
    client.set("vas:bus:d2", "x")
    bus.forget("d1")
    assert client.keys("vas:bus:*") == [b"vas:bus:d2"]


def test_an_outage_of_redis_is_an_error_of_the_domain():
    bus = MediaBus(connect_redis("redis://127.0.0.1:1/0"))
    for ask in (
        bus.ping,
        lambda: bus.read("d1", None),
        lambda: bus.latest_group("d1"),
        lambda: bus.forget("d1"),
        lambda: bus.init_segment("d1", 1),
    ):
        with pytest.raises(BusUnavailable) as raised:
            ask()
        # Callers see the message; the address is for the log.
        assert raised.value.message == "the media bus does not answer"
        assert "127.0.0.1" in str(raised.value)


def numbers(bus: MediaBus) -> list[tuple[int, int]]:
    """HLS segment and discontinuity of each part, counted from the first one."""
    parts = bus.read("d1", None)
    return [(p.segment - parts[0].segment, p.discontinuity - parts[0].discontinuity) for p in parts]


def test_a_segment_ends_before_a_key_part_once_it_lasts_a_second(bus, writer):
    for number in range(1, 9):
        writer.publish(part(number, is_key=number in (1, 2, 4, 7)))
    assert numbers(bus) == [(0, 0)] * 3 + [(1, 0)] * 3 + [(2, 0)] * 2


def test_a_segment_without_key_parts_ends_after_four_seconds(bus, writer):
    for number in range(1, 12):
        writer.publish(part(number, is_key=number == 1))
    assert [segment for segment, _ in numbers(bus)] == [0] * 8 + [1] * 3


def test_a_run_begins_a_segment_and_a_discontinuity(bus, writer):
    writer.publish(part(1, is_key=True))
    writer.open_run(5, b"init 5")
    writer.publish(part(1, run=5, is_key=True, start=NOON + 9))
    assert numbers(bus) == [(0, 0), (1, 1)]


def test_another_owner_continues_the_numbering(client, bus, writer):
    writer.publish(part(1, is_key=True))
    writer.publish(part(2))
    other = make_writer(client)
    other.open_run(2, b"init 2")
    other.publish(part(1, run=2, is_key=True, start=NOON + 9))
    other.publish(part(2, run=2, start=NOON + 9.5))
    assert numbers(bus) == [(0, 0), (0, 0), (1, 1), (1, 1)]


def test_parts_that_are_published_again_keep_their_numbers(client, bus, writer):
    for number in range(1, 6):
        writer.publish(part(number, is_key=number in (1, 3, 5)))
    before = {p.position: (p.segment, p.discontinuity) for p in bus.read("d1", None)}
    client.flushall()
    writer.publish(part(6))
    after = {p.position: (p.segment, p.discontinuity) for p in bus.read("d1", None)}
    assert {position: after[position] for position in before} == before
    assert after[Position(1, 6)][0] == before[Position(1, 5)][0]


def test_an_owner_of_an_empty_bus_starts_above_all_earlier_numbers(client, bus, writer, monkeypatch):
    monkeypatch.setattr("gateway.streams.numbering.time.time", lambda: 1_000_000.0)
    writer.publish(part(1, is_key=True))
    client.flushall()
    monkeypatch.setattr("gateway.streams.numbering.time.time", lambda: 1_000_060.0)
    other = make_writer(client)
    other.open_run(2, b"init 2")
    other.publish(part(1, run=2, is_key=True))
    assert [(p.segment, p.discontinuity) for p in bus.read("d1", None)] == [(1_000_060, 1_000_060)]


def test_a_part_with_sound_is_marked(bus, writer):
    writer.publish(dataclasses.replace(part(1, is_key=True), has_audio=True))
    writer.publish(part(2))
    assert [(p.is_key, p.has_audio) for p in bus.read("d1", None)] == [(True, True), (False, False)]


def test_the_window_stays_bounded_when_the_clock_is_set_back(bus, writer):
    for number in range(1, 6):
        writer.publish(part(number, start=NOON + 3600 + number * 0.5))
    for number in range(6, 9):
        writer.publish(part(number, start=NOON + number * 0.5))
    assert positions(bus) == [(1, 6), (1, 7), (1, 8)]
