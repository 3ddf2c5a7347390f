"""A device has one owner: a second is refused, a dead one loses its lease, a living one keeps it."""

import subprocess
import sys

import pytest

from gateway.errors import LeaseLost
from gateway.leases import STREAM, Leases, WorkerSlots, name_owner
from gateway.process_marks import read_home
from tests.conftest import wait_until


@pytest.fixture
def leases(client) -> Leases:
    return Leases(client)


def test_a_second_owner_does_not_get_the_lease(leases):
    assert leases.take(STREAM, "d1", "a", 60)
    assert not leases.take(STREAM, "d1", "b", 60)
    assert not leases.take(STREAM, "d1", "a", 60), "not even by the same owner: the same message came again"
    assert leases.holder(STREAM, "d1") == "a"
    assert leases.take(STREAM, "d2", "b", 60)


def test_a_lease_that_is_not_renewed_expires(leases):
    leases.take(STREAM, "d1", "a", 0.05)
    wait_until(lambda: leases.holder(STREAM, "d1") is None, "the lease expires")
    assert leases.take(STREAM, "d1", "b", 60)


def test_a_renewed_lease_is_held_for_the_full_time_again(client, leases):
    leases.take(STREAM, "d1", "a", 1)
    leases.renew(STREAM, "d1", "a", 60)
    assert client.pttl("vas:lease:stream:d1") > 50_000


def test_renewing_another_owners_lease_fails_and_changes_nothing(leases):
    leases.take(STREAM, "d1", "b", 60)
    with pytest.raises(LeaseLost, match="'d1' is held by another worker"):
        leases.renew(STREAM, "d1", "a", 60)
    assert leases.holder(STREAM, "d1") == "b"


def test_an_owner_restores_its_name_after_redis_lost_its_data(client, leases):
    leases.take(STREAM, "d1", "a", 60)
    client.flushall()
    leases.renew(STREAM, "d1", "a", 60)
    assert leases.holder(STREAM, "d1") == "a"


def test_only_the_owner_releases_a_lease(leases):
    leases.take(STREAM, "d1", "a", 60)
    leases.release(STREAM, "d1", "b")
    assert leases.holder(STREAM, "d1") == "a"
    leases.release(STREAM, "d1", "a")
    leases.release(STREAM, "d1", "a")
    assert leases.holder(STREAM, "d1") is None


def test_the_owners_of_many_devices_are_read_together(leases):
    leases.take(STREAM, "d1", "a", 60)
    leases.take(STREAM, "d3", "b", 60)
    leases.take("record", "d2", "c", 60)
    assert leases.holders(STREAM, ["d1", "d2", "d3"]) == {"d1": "a", "d3": "b"}
    assert leases.holders(STREAM, []) == {}


def test_workers_that_report_are_counted_until_they_withdraw(client):
    slots = WorkerSlots(client)
    slots.report(STREAM, "host:1", 3, 64)
    slots.report(STREAM, "host:2", 0, 32)
    slots.report("jobs", "host:3", 1, 4)
    slots.report(STREAM, "host:1", 4, 64)
    assert slots.read(STREAM) == {"host:1": (4, 64), "host:2": (0, 32)}
    slots.withdraw(STREAM, "host:2")
    assert slots.read(STREAM) == {"host:1": (4, 64)}
    assert 0 < client.ttl("vas:worker:stream:host:1") <= WorkerSlots.TTL_SECONDS


def test_the_lease_of_a_dead_process_of_this_machine_is_free(client):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    leases = Leases(client)
    owner = f"w1/1/{read_home()}:{child.pid}"
    assert leases.take(STREAM, "d1", owner, 60)
    assert not leases.take(STREAM, "d1", name_owner("w2"), 60)
    assert leases.holders(STREAM, ["d1"]) == {"d1": owner}
    child.kill()
    wait_until(lambda: leases.holders(STREAM, ["d1"]) == {}, "a dead owner does not count, reaped or not")
    second = name_owner("w2")
    assert leases.take(STREAM, "d1", second, 60)
    assert leases.holder(STREAM, "d1") == second
    child.wait(10)
    child.stdin.close()


@pytest.mark.parametrize("home", ["another-boot.4026531836", "nowhere", ""])
def test_a_process_of_another_machine_never_counts_as_dead(client, home):
    leases = Leases(client)
    leases.take(STREAM, "d1", f"w1/1/{home}:999999999", 60)
    assert not leases.take(STREAM, "d1", name_owner("w2"), 60)
    assert "d1" in leases.holders(STREAM, ["d1"])


def test_an_owner_with_a_name_of_an_older_format_does_not_count_as_dead(client):
    leases = Leases(client)
    leases.take(STREAM, "d1", "host:1/1700000000", 60)
    assert not leases.take(STREAM, "d1", name_owner("w2"), 60)
