"""What comes out of Redis is checked: malformed and foreign values are refused and counted, and the rest goes on."""

import json

import pytest

from gateway import health
from gateway.captures.posters import Posters
from gateway.captures.queue import CaptureAnswer, CaptureQueue, CaptureRequest
from gateway.devices.probes import ProbeRequest, Probes
from gateway.errors import LeaseLost
from gateway.leases import Leases, WorkerSlots
from gateway.media import Part, Position
from gateway.playback.live_window import LiveWindows
from gateway.redis_client import connect_redis
from gateway.redis_values import KEEP_SECONDS, note_refusal, read_refusals
from gateway.secrets import SecretBox
from gateway.storage.report import StorageReports
from gateway.streams.bus import BusWriter, MediaBus
from gateway.streams.live_stats import LiveStats
from plugins.hls_recorder.metrics import _PREFIX, RecorderMetricsStore
from workers.outputs.bus_feed import BusFeed

ID = "00000000-0000-4000-8000-000000000001"
NOT_OBJECTS = [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b'"text"', b"[" * 100_000]


@pytest.fixture
def client(redis_url):
    client = connect_redis(redis_url)
    yield client
    client.close()


def put_request(client, values, key: str = ID) -> None:
    client.set(f"vas:capture:{key}", values if isinstance(values, bytes) else json.dumps(values))
    client.rpush("vas:captures", key)


GOOD = CaptureRequest(ID, "snapshot", ID, ID).to_dict()
WRONG_REQUESTS = {
    "no id": {name: value for name, value in GOOD.items() if name != "id"},
    "a path as id": GOOD | {"id": "../../../etc/cron.d/x"},
    "another id than its key": GOOD | {"id": "00000000-0000-4000-8000-000000000002"},
    "an unknown purpose": GOOD | {"what": "shell"},
    "no tenant": GOOD | {"tenant_id": ""},
    "a path as tenant": GOOD | {"tenant_id": "../x"},
    "a number as device": GOOD | {"device_id": 7},
    "an unknown kind": GOOD | {"kind": "../live"},
    "a huge width": GOOD | {"width": 10**9},
    "a text as width": GOOD | {"width": "640"},
    "a negative time": GOOD | {"at_ms": -1},
    "a time that is not finite": b'{"id": "%s", "tenant_id": "t", "device_id": "d", "at_ms": Infinity}' % ID.encode(),
    "an object as tags": GOOD | {"tags": {"a": 1}},
    "numbers as tags": GOOD | {"tags": [1, 2]},
    "too many tags": GOOD | {"tags": ["a"] * 5000},
    "a huge note": GOOD | {"note": "x" * 1_000_000},
    **{repr(text[:20]): text for text in NOT_OBJECTS},
}


@pytest.mark.parametrize("name", WRONG_REQUESTS)
def test_a_malformed_capture_request_is_refused_and_the_next_one_is_taken(client, name):
    queue = CaptureQueue(client)
    put_request(client, WRONG_REQUESTS[name])
    assert queue.take(wait_seconds=0.1) is None
    assert read_refusals(client) == {"capture request": 1}
    queue.send(CaptureRequest(ID, "snapshot", ID, ID), keep_seconds=5)
    assert queue.take(wait_seconds=1).id == ID


@pytest.mark.parametrize("key", ["../x", "", "a b", "x" * 1000])
def test_an_entry_of_the_queue_that_is_no_id_is_refused(client, key):
    put_request(client, GOOD, key)
    assert CaptureQueue(client).take(wait_seconds=0.1) is None
    assert read_refusals(client) == {"capture request": 1}


WRONG_ANSWERS = {
    "an unknown value": b'{"html": "x"}\n',
    "a page as picture": b"{}\n<html><script>",
    "a text as time": b'{"at_ms": "now"}\n',
    "an object as message": b'{"message": {}}\n',
    **{repr(text[:20]): text for text in NOT_OBJECTS},
}


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_a_malformed_capture_answer_is_no_answer(client, name):
    client.rpush(f"vas:capture:{ID}:answer", WRONG_ANSWERS[name])
    assert CaptureQueue(client).collect(ID) is None
    assert read_refusals(client) == {"capture answer": 1}


def test_an_answer_is_decoded_as_it_was_encoded():
    answer = CaptureAnswer("no_footage", "there is none", nearest_before_ms=4, picture=b"\xff\xd8\n\x00")
    assert CaptureAnswer.decode(answer.encode()) == answer


WRONG_POSTERS = {
    "a page": b'{"at_ms": 1, "message": null, "checked_ms": 1}\n<html>',
    "further values": b'{"at_ms": 1, "message": null, "checked_ms": 1, "more": 1}\n',
    "a text as time": b'{"at_ms": 1, "message": null, "checked_ms": "1"}\n',
    **{repr(text[:20]): text for text in NOT_OBJECTS},
}


@pytest.mark.parametrize("name", WRONG_POSTERS)
def test_a_malformed_poster_is_made_anew(client, name):
    posters = Posters(client, fresh_seconds=5)
    client.set("vas:poster:d1:320", WRONG_POSTERS[name])
    assert posters._read("d1", 320) is None
    assert read_refusals(client) == {"poster": 1}


@pytest.fixture
def probes(client) -> Probes:
    return Probes(client, SecretBox("a-secret-key-of-this-test"))


def test_a_probe_whose_request_was_not_sealed_for_it_is_refused(client, probes):
    box = SecretBox("a-secret-key-of-this-test")
    first = probes.store_request(ProbeRequest("rtsp://camera/1"))
    client.set(f"vas:probe:{ID}", client.get(f"vas:probe:{first}"))
    assert probes.load_request(ID) is None
    client.set(
        f"vas:probe:{ID}", box.seal('{"source_url": "rtsp://x", "transport": "tcp", "shell": "x"}', f"probe:{ID}")
    )
    assert probes.load_request(ID) is None
    for text in NOT_OBJECTS:
        client.set(f"vas:probe:{ID}", text)
        assert probes.load_request(ID) is None
    assert read_refusals(client) == {"probe request": 2 + len(NOT_OBJECTS)}
    assert probes.load_request(first) is not None


def test_a_result_of_a_probe_that_no_worker_sealed_is_refused(client, probes):
    for text in (b'{"video": {"codec": "forged"}}', *NOT_OBJECTS):
        client.rpush(f"vas:probe:{ID}:result", text)
        assert probes.open_result(ID, probes.expect_result(ID).result(1)) is None
    assert read_refusals(client) == {"probe result": 1 + len(NOT_OBJECTS)}
    probes.store_result(ID, {"ok": True})
    assert probes.open_result(ID, probes.expect_result(ID).result(1)) == {"ok": True}


WRONG_STATS = [
    *(b'{"fps": "<b>"}', b'{"viewers": -1}', b'{"outputs": [7]}', b'{"fps": NaN}', b'{"outputs": {"a": 1}}'),
    *(b'{"notes": "a"}', b'{"notes": [7]}', b'{"transport": 7}', b'{"clock_rate": "1"}', b'{"lost_packets": 1.5}'),
]


@pytest.mark.parametrize("text", [*WRONG_STATS, *NOT_OBJECTS], ids=lambda text: repr(text[:20]))
def test_malformed_statistics_are_refused_and_those_of_other_devices_are_read(client, text):
    stats = LiveStats(client)
    stats.write("good", {"fps": 15.0, "viewers": 2, "outputs": [{"name": "a", "mode": "copy", "reason": None}]})
    client.set("vas:live:bad", text)
    assert set(stats.read_many(["bad", "good"])) == {"good"}
    assert read_refusals(client) == {"live statistics": 1}


@pytest.mark.parametrize("text", ["1/2/3", "a/b", "-1/4", "1" * 100, "/", "٣/٤"])
def test_malformed_slots_are_refused_and_those_of_other_workers_are_read(client, text):
    slots = WorkerSlots(client)
    slots.report("stream", "good", 1, 8)
    client.set("vas:worker:stream:bad", text)
    assert slots.read("stream") == {"good": (1, 8)}
    assert read_refusals(client) == {"worker's slots": 1}


def test_the_owner_of_a_lease_may_be_any_bytes(client):
    client.set("vas:lease:stream:d1", b"\xff\xfe/\x00")
    leases = Leases(client)
    assert leases.holder("stream", "d1")
    assert set(leases.holders("stream", ["d1"])) == {"d1"}
    assert not leases.take("stream", "d1", "me", 6)
    with pytest.raises(LeaseLost):
        leases.renew("stream", "d1", "me", 6)


@pytest.mark.parametrize(
    "text", [b'{"state": "fine"}', b'{"at": "now"}', b'{"found": [1]}', b'{"message": 7}', *NOT_OBJECTS[1:]],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_a_malformed_report_of_the_storage_is_no_report(client, text):
    client.set("vas:storage:report", text)
    assert StorageReports(client).read() is None
    assert read_refusals(client) == {"storage report": 1}


def test_malformed_metrics_of_a_recorder_are_refused(client):
    client.set(f"{_PREFIX}w1", b'{"devices": "many"}')
    assert RecorderMetricsStore(client).read() is None
    assert read_refusals(client) == {"recorder's metrics": 1}


def add_entry(client, entry_id: str, **changed) -> None:
    fields = {"t": "1700000000.5", "u": "0.5", "k": "1", "f": "7", "m": "1", "c": "0", "d": b"media"} | changed
    client.xadd("vas:bus:d1", {name: value for name, value in fields.items() if value is not None}, id=entry_id)


WRONG_PARTS = [
    {"d": None}, {"t": None}, {"t": "nan"}, {"t": "inf"}, {"t": "-1"}, {"t": "1e300"}, {"u": "-0.1"}, {"u": "1e9"},
    {"k": "key"}, {"f": "-3"}, {"f": "1" * 5000}, {"m": "-1"}, {"c": "x"}, {"d": b""},
]  # fmt: skip


@pytest.mark.parametrize("changed", WRONG_PARTS, ids=str)
def test_an_entry_of_the_bus_that_is_no_part_is_passed_over(client, changed):
    bus = MediaBus(client)
    for number in range(1, 40):
        add_entry(client, f"1-{number}", **changed)
    # More than one read of them: a reader must not stay where it is.
    parts = bus.read("d1", None, count=16)
    assert parts == []
    refused = read_refusals(client)["part on the bus"]
    assert refused == 39
    add_entry(client, "1-40")
    assert [part.sequence for part in bus.read("d1", None, count=16)] == [40]
    client.set("vas:bus:d1:init:1", b"init")
    add_entry(client, "1-41", **changed)
    init, group = bus.latest_group("d1")
    assert (init, [part.sequence for part in group]) == (b"init", [40])


def test_readers_of_many_devices_pass_over_entries_that_are_no_parts(client):
    bus = MediaBus(client)
    window, feed = LiveWindows(bus).of("d1"), BusFeed(bus, devices=1)
    later = window.when(lambda playlist: playlist.newest is not None)
    for number in range(1, 100):
        add_entry(client, f"1-{number}", d=None)
    add_entry(client, "1-100")
    assert later.result(10).newest == Position(1, 100)
    try:
        assert [part.sequence for part in feed.read("d1", None, wait_seconds=10)] == [100]
    finally:
        feed.close()


@pytest.mark.parametrize("last", [b"x", b"1-", b"-1", b"1-2-3", b"\xff\xfe", "١-٢".encode(), b"9" * 400 + b"-1"])
def test_an_end_of_the_bus_that_is_no_position_does_not_stop_the_stream(client, last):
    client.set("vas:bus:d1:last", last)
    writer = BusWriter(client, "d1", window_seconds=10, max_bytes=1 << 20)
    writer.open_run(3, b"init")
    assert writer.publish(Part("d1", 3, 1, 1_700_000_000.0, 0.5, True, 7, b"media"))
    assert [part.run for part in MediaBus(client).read("d1", None)] == [3]
    assert read_refusals(client) == {"end of the bus": 1}


def test_refusals_are_shown_by_the_health_for_an_hour(client):
    assert health.check_redis(client).status == "ok"
    for _ in range(3):
        note_refusal(client, "message", "it is not JSON")
    note_refusal(client, "poster", "it is not JSON")
    found = health.check_redis(client)
    assert (found.status, found.detail["refused"]) == ("degraded", {"message": 3, "poster": 1})
    assert "4 values" in found.reason
    assert health.check_bus(MediaBus(client)).status == "degraded"
    assert 0 < client.ttl("vas:refused") <= KEEP_SECONDS


def test_refusals_of_one_kind_are_logged_now_and_then(client, caplog):
    for _ in range(100):
        note_refusal(client, "thing of this test", "it is wrong")
    assert caplog.text.count("refused a thing of this test") == 1
    assert read_refusals(client) == {"thing of this test": 100}


def test_a_refusal_while_redis_is_away_is_no_error():
    note_refusal(connect_redis("redis://127.0.0.1:1/0"), "message", "it is not JSON")


def test_counts_that_somebody_else_wrote_are_ignored(client):
    client.hset("vas:refused", mapping={"a": "many", "b": "-1", "c": "9" * 50, "x" * 500: "1", "d": "2"})
    assert read_refusals(client) == {"d": 2}
