"""A message that no part of the product sends is refused, counted and removed; those beside it are worked on."""

import json

import dramatiq
import pytest

from gateway.redis_client import connect_redis
from gateway.redis_values import read_refusals
from gateway.streams.messages import RUN_CONSUMER, RUN_STREAM, Messages
from tests.conftest import wait_until
from workers.message_check import CheckingBroker
from workers.queue_worker import build_worker

ID = "00000000-0000-4000-8000-000000000001"
GOOD = {
    "queue_name": "stream", "actor_name": RUN_STREAM, "args": [ID], "kwargs": {}, "options": {"redis_message_id": "m1"},
    "message_id": "m2", "message_timestamp": 1_700_000_000_000,
}  # fmt: skip
WRONG = {
    "an unknown actor": GOOD | {"actor_name": "run_shell"},
    "an actor of another queue": GOOD | {"actor_name": "run_job"},
    "a list as actor": GOOD | {"actor_name": ["run_stream"]},
    "another queue": GOOD | {"queue_name": "record"},
    "no argument": GOOD | {"args": []},
    "two arguments": GOOD | {"args": [ID, ID]},
    "a path": GOOD | {"args": ["../../etc"]},
    "an object": GOOD | {"args": [{"a": 1}]},
    "named arguments": GOOD | {"kwargs": {"device_id": ID}},
    "options": GOOD | {"options": {"redis_message_id": "m1", "eta": 1, "max_retries": 10**9}},
    "no options": GOOD | {"options": None},
    "a list as id": GOOD | {"message_id": []},
    "a text as time": GOOD | {"message_timestamp": "now"},
    "a further field": GOOD | {"more": 1},
    "a missing field": {name: value for name, value in GOOD.items() if name != "kwargs"},
    "a long one": GOOD | {"message_id": "x" * 10_000},
}
MALFORMED = {"no JSON": b"{", "a list": b"[]", "null": b"null", "no text": b"\xff\xfe", "nothing": b""}


@pytest.fixture
def broker(redis_url):
    broker = CheckingBroker(client=connect_redis(redis_url), middleware=[])
    yield broker
    broker.close()
    broker.client.close()


def put(broker, data: bytes, key: str = "m1", queue: str = "stream") -> None:
    broker.client.hset(f"dramatiq:{queue}.msgs", key, data)
    broker.client.rpush(f"dramatiq:{queue}", key)


@pytest.mark.parametrize("name", [*WRONG, *MALFORMED])
def test_messages_beside_a_wrong_one_are_worked_on(broker, name):
    done = []

    def run_stream(device_id: str) -> None:
        done.append(device_id)

    dramatiq.actor(run_stream, broker=broker, queue_name="stream")
    messages = Messages(broker, broker.client)
    data = MALFORMED.get(name) if name in MALFORMED else json.dumps(WRONG[name]).encode()
    messages.start_stream("before")
    put(broker, data)
    messages.start_stream("after")
    worker = build_worker(broker, "stream", 8)
    worker.start()
    try:
        wait_until(lambda: len(done) == 2, "the others are done")
        wait_until(lambda: broker.client.hlen("dramatiq:stream.msgs") == 0, "all are removed")
    finally:
        worker.stop(timeout=5000)
    assert sorted(done) == ["after", "before"]
    assert read_refusals(broker.client) == {"message": 1}
    assert not [key for key in broker.client.scan_iter("dramatiq:*acks*") if broker.client.scard(key)]


def test_a_refused_message_cannot_remove_another_one(broker):
    """It names the key of a good one as its own."""
    put(broker, json.dumps(WRONG["an unknown actor"] | {"options": {"redis_message_id": "good"}}).encode(), "bad")
    put(broker, json.dumps(GOOD | {"options": {"redis_message_id": "good"}}).encode(), "good")
    assert len(broker.do_fetch("stream", 5)) == 1
    assert broker.client.hkeys("dramatiq:stream.msgs") == [b"good"]


def test_the_messages_that_we_send_are_accepted(broker):
    messages = Messages(broker, broker.client)
    messages.start_stream(ID)
    messages.start_consumer("an output's name", ID)
    messages.probe_source(ID)
    messages.run_job(ID)
    assert [len(broker.do_fetch(queue, 5)) for queue in ("stream", "record", "jobs")] == [1, 1, 2]
    assert read_refusals(broker.client) == {}
    assert RUN_CONSUMER == "run_consumer"
