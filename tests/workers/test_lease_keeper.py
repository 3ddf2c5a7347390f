"""Leases are renewed in the background, survive an outage of Redis, and are lost only to another owner."""

import pytest

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


def test_a_lease_survives_an_outage_of_redis_and_is_lost_to_another_owner(redis_server, client):
    clock = FakeClock()
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
    with pytest.raises(LeaseLost):
        keeper.check(held)
    keeper.close()


def test_a_lease_is_renewed_while_its_holder_is_busy(client):
    keeper = LeaseKeeper(client, 0.4)
    held = keeper.take(LEASE, "d1", "w1")
    taken = held.renewed_at
    wait_until(lambda: held.renewed_at > taken + 0.5, "the lease is renewed after its own time")
    assert Leases(client).holder(LEASE, "d1") == "w1"
    keeper.release(held)
    assert Leases(client).holder(LEASE, "d1") is None
    keeper.close()
