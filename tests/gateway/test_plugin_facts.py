"""Facts leave the process in which they happen; what plugins do with them reaches nobody there."""

import json
import threading

import pytest

from gateway.hookspecs import hookimpl, in_process
from gateway.isolation.guard import GUARD
from gateway.media import BookmarkFact, ClipFact, SegmentFact, SnapshotFact
from gateway.plugin_facts import STREAM, FactRouter, decode_fact, encode_fact, hooks_elsewhere
from gateway.plugin_manager import notify
from gateway.redis_client import connect_redis
from gateway.redis_values import RefusedValue
from tests.conftest import wait_until
from tests.factories import no_plugins

SEGMENT = SegmentFact(7, "d1", 1000, 60_000, 123, "t/d/x.mp4")


class Plugin:
    """Takes some facts here and others elsewhere."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.proceed = threading.Event()
        self.proceed.set()

    @in_process
    @hookimpl
    def on_stream_state(self, device_id: str, state: str) -> None:
        self.proceed.wait()
        if state == "failed":
            raise SystemExit(3)
        self.found.append(state)

    @hookimpl
    def on_segment(self, device_id: str) -> None:
        raise AssertionError("it is called in another process")


@pytest.fixture
def client(redis_url):
    client = connect_redis(redis_url)
    yield client
    client.close()


@pytest.fixture
def plugin():
    plugin = Plugin()
    yield plugin
    plugin.proceed.set()


@pytest.fixture
def manager(plugin, redis_url):
    manager = no_plugins()
    manager.register(plugin, name="mixed")
    manager.facts = FactRouter(manager, lambda: connect_redis(redis_url))
    yield manager
    manager.facts.close()


def written(client) -> list[tuple]:
    return [decode_fact(fields[b"fact"]) for _, fields in client.xrange(STREAM)]


def test_a_fact_is_written_for_the_plugins_worker_and_not_delivered_here(manager, client):
    notify(manager, "on_segment", device_id="d1", segment=SEGMENT)
    wait_until(lambda: client.xlen(STREAM) == 1, "the fact is written")
    assert written(client) == [("on_segment", {"device_id": "d1", "segment": SEGMENT})]
    assert hooks_elsewhere(manager, "mixed") == ["on_segment"]


def test_a_marked_hook_is_called_here_beside_its_caller_and_in_order(manager, plugin, client, caplog):
    plugin.proceed.clear()
    for state in ("starting", "failed", "running"):
        notify(manager, "on_stream_state", device_id="d1", state=state, reason=None)
    assert plugin.found == []
    plugin.proceed.set()
    wait_until(lambda: plugin.found == ["starting", "running"], "both are called")
    assert "plugin 'mixed' failed in on_stream_state" in caplog.text
    assert client.xlen(STREAM) == 0


def test_facts_that_nobody_takes_elsewhere_are_not_written(manager, client):
    notify(manager, "on_clip", device_id="d1", clip=ClipFact("b1"))
    manager.facts.close()
    assert client.xlen(STREAM) == 0


def test_a_plugin_that_does_not_return_loses_facts_that_are_counted(manager, plugin, monkeypatch):
    monkeypatch.setattr("gateway.plugin_facts._MOST_WAITING", 3)
    plugin.proceed.clear()
    for _ in range(10):
        notify(manager, "on_stream_state", device_id="d1", state="running", reason=None)
    (problem,) = GUARD.problems.list()
    assert problem.plugin == "mixed"
    assert "facts were not delivered: it is too slow" in problem.reason


def test_facts_wait_while_redis_is_away_and_the_oldest_are_lost(monkeypatch, plugin, redis_url, client, caplog):
    monkeypatch.setattr("gateway.plugin_facts._MOST_WAITING", 3)
    monkeypatch.setattr("gateway.plugin_facts._RETRY_SECONDS", 0.01)
    is_away = True

    def connect():
        return connect_redis("redis://127.0.0.1:1/0" if is_away else redis_url)

    manager = no_plugins()
    manager.register(plugin, name="mixed")
    manager.facts = FactRouter(manager, connect)
    monkeypatch.setattr(manager.facts._outbox, "_connect", connect)
    for number in range(5):
        notify(manager, "on_segment", device_id=str(number), segment=SEGMENT)
    assert "facts for plugins are lost" in caplog.text
    manager.facts.close()


@pytest.mark.parametrize(
    ("hook", "arguments"),
    [
        ("on_stream_state", {"device_id": "d1", "state": "running", "reason": None}),
        ("on_segment", {"device_id": "d1", "segment": SEGMENT}),
        ("on_snapshot", {"device_id": "d1", "snapshot": SnapshotFact("s1", "live", 1, 2, 3, 4, tags=("a", "b"))}),
        ("on_bookmark", {"device_id": "d1", "bookmark": BookmarkFact("b1", "created", 1, "Tür", tags=("x",))}),
        ("on_clip", {"device_id": "d1", "clip": ClipFact("b1", reason="job_failed")}),
    ],
)
def test_a_fact_arrives_as_it_was_sent(hook, arguments):
    assert decode_fact(encode_fact(hook, arguments).encode()) == (hook, arguments)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"[]",
        b"{}",
        b'{"hook": "register_blueprints", "arguments": {}}',
        b'{"hook": "on_nothing", "arguments": {}}',
        b'{"hook": "on_segment", "arguments": {"device_id": "d1"}}',
        b'{"hook": "on_segment", "arguments": {"device_id": "d1", "segment": {"id": 1}}}',
        b'{"hook": "on_segment", "arguments": {"device_id": "d1", "segment": 7}}',
        json.dumps({"hook": "on_segment", "arguments": "x" * 140_000}).encode(),
    ],
)
def test_what_is_no_fact_is_refused(garbage):
    with pytest.raises(RefusedValue):
        decode_fact(garbage)
