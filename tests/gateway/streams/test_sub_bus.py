"""Pictures of sub-streams come back from the bus as they were, and rubbish in Redis is refused."""

import pytest

from gateway.errors import BusUnavailable
from gateway.media import SubPicture
from gateway.redis_client import connect_redis
from gateway.streams.sub_bus import SubBus

PICTURES = (SubPicture(1_750_000_000.125, True, b"key"), SubPicture(1_750_000_000.325, False, b"next"))


@pytest.fixture
def client(redis_url):
    client = connect_redis(redis_url)
    yield client
    client.close()


def test_pictures_come_back_in_order_with_their_times(client):
    bus = SubBus(client)
    bus.publish("d1", "h264", b"avcC", PICTURES)
    bus.publish("d1", "h264", b"avcC", PICTURES[1:])
    first, second = bus.read("d1", None)
    assert (first.device_id, first.codec, first.extra_data, first.pictures) == ("d1", "h264", b"avcC", PICTURES)
    assert second.pictures == PICTURES[1:]
    assert bus.read("d1", first.position) == [second]
    assert bus.read("d1", second.position) == []
    assert bus.read("another", None) == []


def test_only_some_seconds_are_kept(client):
    bus = SubBus(client)
    for _ in range(50):
        bus.publish("d1", "h264", b"", PICTURES)
    assert len(bus.read("d1", None, count=100)) == 20
    assert 0 < client.pttl("vas:sub:d1") <= 15_000


def test_asking_expires(client):
    bus = SubBus(client)
    assert not bus.is_asked("d1")
    bus.ask("d1")
    assert bus.is_asked("d1")
    assert 0 < client.pttl("vas:sub-asked:d1") <= 10_000


@pytest.mark.parametrize(
    "fields",
    [
        {"c": "h264"},
        {"c": "../x", "x": b"", "p": b""},
        {"c": "h264", "x": b"", "p": b"short"},
        {"c": "h264", "x": b"", "p": b"\0" * 9 + b"\xff\xff\xff\xff"},
        {"c": "h264", "x": b"", "p": b"\0" * 8 + b"\1" + b"\1\0\0\0" + b"x"},
        {"c": b"\xff", "x": b"", "p": b""},
    ],
)
def test_what_is_no_picture_is_refused(client, fields):
    bus = SubBus(client)
    client.xadd("vas:sub:d1", fields)
    bus.publish("d1", "h264", b"", PICTURES)
    assert [batch.pictures for batch in bus.read("d1", None)] == [PICTURES]


def test_redis_away_is_named():
    with pytest.raises(BusUnavailable):
        SubBus(connect_redis("redis://127.0.0.1:1/0")).ask("d1")
