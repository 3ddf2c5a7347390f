"""Facts are delivered once and in order; one that kills the process, or hangs, is not delivered again."""

import threading

import pytest

from gateway.hookspecs import hookimpl
from gateway.media import SegmentFact
from gateway.plugin_facts import STREAM, encode_fact
from gateway.redis_client import connect_redis
from gateway.redis_values import read_refusals
from tests.conftest import wait_until
from tests.factories import no_plugins
from workers.plugins import facts_process
from workers.plugins.facts_process import FactReader, Stuck


class Plugin:
    """Notes the segments of which it hears."""

    def __init__(self) -> None:
        self.found: list[int] = []
        self.proceed = threading.Event()
        self.proceed.set()
        self.error: BaseException | None = None

    @hookimpl
    def on_segment(self, segment: SegmentFact) -> None:
        self.proceed.wait()
        if self.error is not None:
            raise self.error
        self.found.append(segment.id)


class World:
    def __init__(self, client) -> None:
        self.client, self.plugin, self.looks = client, Plugin(), 0
        self.manager = no_plugins()
        self.manager.register(self.plugin, name="mine")

    def reader(self) -> FactReader:
        """The reader of a process that has just started."""

        def look() -> None:
            self.looks += 1

        reader = FactReader(self.client, self.manager, "mine", look)
        reader.turn()
        return reader

    def write(self, *numbers: int) -> None:
        for number in numbers:
            segment = SegmentFact(number, "d1", 1, 2, 3, "k")
            self.client.xadd(STREAM, {"fact": encode_fact("on_segment", {"device_id": "d1", "segment": segment})})


@pytest.fixture
def world(redis_url, monkeypatch):
    monkeypatch.setattr(facts_process, "_WAIT_MS", 1)
    client = connect_redis(redis_url)
    world = World(client)
    yield world
    world.plugin.proceed.set()
    client.close()


def test_a_new_plugin_hears_from_now_on_and_goes_on_where_it_was(world):
    world.write(1)
    reader = world.reader()
    assert world.plugin.found == []
    world.write(2, 3)
    reader.turn()
    assert world.plugin.found == [2, 3]
    world.write(4)
    world.reader()
    assert world.plugin.found == [2, 3, 4]


@pytest.mark.parametrize("error", [RuntimeError("no"), SystemExit(3)])
def test_one_that_raises_gets_the_next_fact(world, error, caplog):
    reader = world.reader()
    world.plugin.error = error
    world.write(1)
    reader.turn()
    world.plugin.error = None
    world.write(2)
    reader.turn()
    assert world.plugin.found == [2]
    assert "plugin 'mine' failed in on_segment" in caplog.text


def test_a_fact_at_which_the_process_died_is_not_delivered_again(world, monkeypatch):
    monkeypatch.setattr(facts_process, "STUCK_SECONDS", 0.02)
    monkeypatch.setattr(facts_process, "_LOOK_SECONDS", 0.01)
    reader = world.reader()
    world.plugin.proceed.clear()
    world.write(1, 2)
    with pytest.raises(Stuck, match="'on_segment' has not returned"):
        reader.turn()
    world.plugin.proceed.set()
    world.reader()
    wait_until(lambda: len(world.plugin.found) >= 2, "the next fact is delivered, and the stuck call has ended")
    assert sorted(world.plugin.found) == [1, 2]
    assert world.looks > 1, "heartbeats go on"


def test_what_is_no_fact_and_what_is_for_others_is_passed_over(world):
    reader = world.reader()
    world.client.xadd(STREAM, {"fact": b"garbage"})
    world.client.xadd(STREAM, {"other": b""})
    state = {"device_id": "d1", "state": "running", "reason": None}
    world.client.xadd(STREAM, {"fact": encode_fact("on_stream_state", state)})
    world.write(1)
    reader.turn()
    assert world.plugin.found == [1]
    assert read_refusals(world.client) == {"fact": 2}
