"""States of services and workers are reported to Redis, expire, and are checked when they are read."""

import json
from dataclasses import asdict

import pytest

from gateway.plugin_work.services import RUNNING, PluginWorkers, ServiceState, ServiceStates
from gateway.redis_values import read_refusals

STATE = ServiceState(RUNNING, "w1", 1, pid=7, cpu_percent=0.5, memory_bytes=100)
KEY = ("notes", "send")


def test_a_state_is_read_as_it_was_reported_until_it_is_withdrawn(client):
    states = ServiceStates(client)
    states.report(*KEY, STATE)
    assert states.read([KEY, ("notes", "other")]) == {KEY: STATE}
    assert 0 < client.ttl("vas:plugin:service:notes:send") <= 15
    states.withdraw(*KEY, "w2")
    assert KEY in states.read([KEY])
    states.withdraw(*KEY, "w1")
    assert states.read([KEY]) == {}
    assert states.read([]) == {}


@pytest.mark.parametrize(
    "change",
    [{"state": "dancing"}, {"error": "x" * 501}, {"restarts": -1}, {"memory_bytes": "1"}, {"pid": 1.5}, {"more": 1}],
)
def test_a_state_that_no_worker_writes_is_refused(client, change):
    client.set("vas:plugin:service:notes:send", json.dumps(asdict(STATE) | change))
    assert ServiceStates(client).read([KEY]) == {}
    assert read_refusals(client) == {"state of a service": 1}


def test_a_worker_of_one_plugin_is_no_worker_of_all(client):
    workers = PluginWorkers(client)
    workers.report("w1", ["notes", "send_more"], 1, 2)
    assert not workers.has_general()
    assert workers.apart() == {"notes", "send_more"}
    workers.report("w2", [], 1, 2)
    assert workers.has_general()
    assert workers.apart() == {"notes", "send_more"}
    workers.withdraw("w1", ["notes"])
    assert workers.apart() == {"send_more"}
