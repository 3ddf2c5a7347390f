"""Leases are renewed in the background, survive an outage of Redis, and are lost only to another owner."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from gateway.clock import FakeClock
from gateway.errors import LeaseLost
from gateway.leases import Leases, output_lease
from gateway.redis_client import connect_redis
from tests.conftest import wait_until
from workers.lease_keeper import LeaseKeeper

LEASE = output_lease("fake")


@pytest.fixture
def client(redis_url):
    client = connect_redis(redis_url, timeout_seconds=0.3)
    yield client
    client.close()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def keeper(client, clock):
    """A keeper whose own thread does nothing within a test: `check` renews when the clock is advanced."""
    keeper = LeaseKeeper(client, 3600.0, clock=clock)
    yield keeper
    keeper.close()


def holder(client, device_id: str) -> str | None:
    return Leases(client).holder(LEASE, device_id)


def renew(keeper, clock, held) -> None:
    clock.advance(1300)
    keeper.check(held)


def test_a_lease_survives_an_outage_of_redis_and_is_lost_to_another_owner(redis_server, client, clock):
    keeper = LeaseKeeper(client, 6.0, clock=clock)
    held = keeper.take(LEASE, "d1", "w1")
    assert keeper.take(LEASE, "d1", "w2") is None
    clock.advance(60)
    redis_server.freeze()
    try:
        keeper.check(held)
    finally:
        redis_server.thaw()
    client.delete(f"vas:lease:{LEASE}:d1")
    Leases(client).take(LEASE, "d1", "w2", 60)
    clock.advance(60)
    with pytest.raises(LeaseLost):
        keeper.check(held)
    keeper.close()


def test_a_lease_is_renewed_while_its_holder_is_busy(client):
    keeper = LeaseKeeper(client, 0.4)
    held = keeper.take(LEASE, "d1", "w1")
    taken = held.renewed_at
    wait_until(lambda: held.renewed_at > taken + 0.5, "the lease is renewed after its own time")
    assert holder(client, "d1") == "w1"
    keeper.release(held)
    assert holder(client, "d1") is None
    keeper.close()


def test_all_leases_are_renewed_by_one_call(client, keeper, clock):
    held = [keeper.take(LEASE, f"d{number}", "w1") for number in range(64)]
    client.delete(*(f"vas:lease:{LEASE}:d{number}" for number in range(64)))
    client.config_resetstat()
    renew(keeper, clock, held[0])
    for lease in held:
        keeper.check(lease)
    calls = client.info("commandstats")
    assert calls["cmdstat_evalsha"]["calls"] <= 2, "the script may have to be loaded"
    assert [holder(client, f"d{number}") for number in range(64)] == ["w1"] * 64


def test_a_lease_released_during_a_renewal_is_not_taken_again(client, keeper, clock):
    """The renewal has made its list when the release begins."""
    kept, released = keeper.take(LEASE, "d1", "w1"), keeper.take(LEASE, "d2", "w1")
    evaluate = client.evalsha
    releasing = threading.Thread(target=keeper.release, args=(released,))

    def release_first(*arguments):
        client.evalsha = evaluate
        releasing.start()
        releasing.join(0.3)
        return evaluate(*arguments)

    client.evalsha = release_first
    renew(keeper, clock, kept)
    releasing.join(5)
    assert holder(client, "d2") is None
    assert holder(client, "d1") == "w1"


def test_no_released_lease_stays_while_threads_take_and_release(client):
    """Any interleaving of take, check and release by many threads with renewals."""
    keeper, renewing = LeaseKeeper(client, 1.0), threading.Event()

    def renew_always() -> None:
        while not renewing.is_set():
            with keeper._calling:
                keeper._renew_all()

    def own(number: int) -> list[str | None]:
        left = []
        for turn in range(30):
            held = keeper.take(LEASE, f"d{number}", f"w{number}.{turn}")
            keeper.check(held)
            keeper.release(held)
            left.append(holder(client, f"d{number}"))
        return left

    renewer = threading.Thread(target=renew_always)
    renewer.start()
    with ThreadPoolExecutor(16) as pool:
        left = [owner for owners in pool.map(own, range(16)) for owner in owners]
    renewing.set()
    renewer.join(5)
    keeper.close()
    assert set(left) == {None}


def test_the_end_of_a_lost_lease_leaves_the_next_one_of_the_same_process(client, keeper, clock):
    first = keeper.take(LEASE, "d1", "w1")
    client.set(f"vas:lease:{LEASE}:d1", "w2")
    with pytest.raises(LeaseLost):
        renew(keeper, clock, first)
    client.delete(f"vas:lease:{LEASE}:d1")
    second = keeper.take(LEASE, "d1", "w3")
    keeper.release(first)
    client.delete(f"vas:lease:{LEASE}:d1")
    renew(keeper, clock, second)
    assert holder(client, "d1") == "w3", "it is still renewed"


def test_a_lost_lease_is_not_taken_again_by_a_renewal(client, keeper, clock):
    lost, other = keeper.take(LEASE, "d1", "w1"), keeper.take(LEASE, "d2", "w1")
    client.set(f"vas:lease:{LEASE}:d1", "w2")
    renew(keeper, clock, other)
    client.delete(f"vas:lease:{LEASE}:d1")
    renew(keeper, clock, other)
    assert holder(client, "d1") is None
    with pytest.raises(LeaseLost):
        keeper.check(lost)


def test_a_holder_that_hangs_loses_its_lease_and_others_do_not(client, keeper, clock):
    keeper.take(LEASE, "d1", "w1", silence_seconds=60)
    living = keeper.take(LEASE, "d2", "w1", silence_seconds=2000)
    client.delete(f"vas:lease:{LEASE}:d1", f"vas:lease:{LEASE}:d2")
    renew(keeper, clock, living)
    assert (holder(client, "d1"), holder(client, "d2")) == (None, "w1")


def test_many_releases_while_redis_is_away_end_together(redis_server, client, keeper):
    """Not one after the other: the stop of a worker would take minutes."""
    leases = [keeper.take(LEASE, f"d{number}", "w1") for number in range(32)]
    attempts = []
    evaluate = client.evalsha

    def count(*arguments):
        attempts.append(1)
        return evaluate(*arguments)

    client.evalsha = count
    redis_server.freeze()
    try:
        with ThreadPoolExecutor(32) as pool:
            list(pool.map(keeper.release, leases))
    finally:
        redis_server.thaw()
    assert len(attempts) <= 3


def test_holders_do_not_wait_for_a_redis_that_is_away(client, keeper, clock, monkeypatch):
    held = keeper.take(LEASE, "d1", "w1")
    attempts = []

    def away(*_):
        attempts.append(1)
        raise redis.ConnectionError("away")

    monkeypatch.setattr(Leases, "renew_many", away)
    renew(keeper, clock, held)
    for _ in range(10):
        clock.advance(0.5)
        keeper.check(held)
    assert len(attempts) == 1
