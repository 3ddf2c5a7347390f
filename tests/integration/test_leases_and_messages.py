"""Leases, slots and the queue on a real Redis, also while it is emptied or away."""

import time

import pytest

from gateway.errors import LeaseLost, Unavailable
from gateway.leases import STREAM, Leases, WorkerSlots
from gateway.streams.messages import STREAM_QUEUE, Messages
from tests.conftest import wait_until
from tests.factories import make_config


@pytest.fixture
def leases(client) -> Leases:
    return Leases(client)


@pytest.fixture
def messages(store) -> Messages:
    return Messages.connect(make_config(redis_url=store.url))


def test_a_lease_has_one_holder(leases):
    assert leases.take(STREAM, "d1", "a", 10)
    assert not leases.take(STREAM, "d1", "b", 10)
    assert leases.holder(STREAM, "d1") == "a"
    assert leases.holders(STREAM, ["d1", "d2"]) == {"d1": "a"}


def test_a_lease_is_released_by_its_holder_only(leases):
    leases.take(STREAM, "d1", "a", 10)
    leases.release(STREAM, "d1", "b")
    assert leases.holder(STREAM, "d1") == "a"
    leases.release(STREAM, "d1", "a")
    assert leases.take(STREAM, "d1", "b", 10)


def test_a_lease_that_is_not_renewed_expires_and_its_late_holder_gets_an_error(leases):
    leases.take(STREAM, "d1", "a", 0.2)
    wait_until(lambda: leases.take(STREAM, "d1", "b", 10), "the lease expires", 3)
    with pytest.raises(LeaseLost):
        leases.renew(STREAM, "d1", "a", 10)


def test_a_living_owner_restores_its_lease_after_redis_lost_its_data(store, leases):
    leases.take(STREAM, "d1", "a", 10)
    store.restart()
    leases.renew(STREAM, "d1", "a", 10)
    assert leases.holder(STREAM, "d1") == "a"
    assert not leases.take(STREAM, "d1", "b", 10)


def test_slots_of_workers_that_report_are_known_until_they_withdraw(client):
    slots = WorkerSlots(client)
    slots.report(STREAM, "vm:1", 3, 16)
    slots.report(STREAM, "vm:2", 0, 16)
    assert slots.read(STREAM) == {"vm:1": (3, 16), "vm:2": (0, 16)}
    slots.withdraw(STREAM, "vm:1")
    assert slots.read(STREAM) == {"vm:2": (0, 16)}
    assert 0 < client.ttl("vas:worker:stream:vm:2") <= WorkerSlots.TTL_SECONDS


def test_a_start_is_requested_once_until_a_worker_has_taken_it(client, messages):
    assert messages.start_stream("d1")
    assert not messages.start_stream("d1")
    assert messages.start_stream("d2")
    assert client.llen(f"dramatiq:{STREAM_QUEUE}") == 2
    messages.start_taken("d1")
    assert messages.start_stream("d1")


def test_a_message_holds_an_id_and_nothing_else(client, messages):
    messages.start_stream("d1")
    (body,) = client.hvals(f"dramatiq:{STREAM_QUEUE}.msgs")
    assert b'"args":["d1"]' in body.replace(b" ", b"")
    assert b"rtsp" not in body


def test_messages_work_again_after_redis_lost_its_data(store, client, messages):
    messages.start_stream("d1")
    store.restart()
    assert messages.start_stream("d1")
    assert client.llen(f"dramatiq:{STREAM_QUEUE}") == 1


def test_without_redis_a_sender_gets_an_error_within_seconds(store, messages):
    store.stop()
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        messages.start_stream("d1")
    assert caught.value.reason == "redis_unavailable"
    assert time.monotonic() - started < 5
    messages.start_taken("d1")
