"""The states of consumer outputs are written by their workers and expire with them."""

import json

import pytest

from gateway.redis_client import connect_redis
from gateway.redis_values import read_refusals
from gateway.streams import output_states
from gateway.streams.output_states import OutputState, OutputStates


@pytest.fixture
def client(redis_url):
    client = connect_redis(redis_url)
    yield client
    client.close()


def state(name: str, written_at: float) -> OutputState:
    return OutputState(name, "mine", "blocked", "'take' hangs", 100.0, 0.5, "w1", written_at)


def test_states_are_read_by_device_until_they_are_old(client, monkeypatch):
    monkeypatch.setattr(output_states.time, "time", lambda: 1000.0)
    states = OutputStates(client)
    fresh, old = state("a", 999.0), state("b", 900.0)
    states.write([("d1", old), ("d1", fresh), ("d2", fresh)])
    assert states.read_many(["d1", "d2", "d3"]) == {"d1": [fresh], "d2": [fresh]}
    assert states.read_many([]) == {}
    states.forget("d1", "a")
    assert states.read_many(["d1"]) == {}
    assert 0 < client.ttl("vas:outputs:d2") <= 20


@pytest.mark.parametrize("garbage", [b"x", b"{}", json.dumps({"name": "a", "state": "running"}).encode()])
def test_what_is_no_state_is_refused(client, garbage):
    client.hset("vas:outputs:d1", "a", garbage)
    assert OutputStates(client).read_many(["d1"]) == {}
    assert read_refusals(client) == {"output's state": 1}
