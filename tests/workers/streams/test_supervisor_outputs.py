"""Outputs may ask to be attached again, fail and be slow; the stream runs on."""

import dataclasses
import re
from concurrent.futures import Future
from typing import Any

import pytest

from gateway.isolation.deaths import Aside
from gateway.outputs import OutputArguments
from gateway.streams.live_stats import LiveStats
from tests.workers.world import INIT, KNOWN, VIDEO, parts
from workers.ffmpeg.fmp4 import InitSegment, Track
from workers.ingest.takers import TAKER_FAILED
from workers.streams import output_keeper


def shown(mode: str | None, reason: str | None, **values: Any) -> dict[str, Any]:
    return {"name": "fake", "mode": mode, "reason": reason, "plugin": "fake", "figures": {"viewers": 3}} | values


def test_an_output_is_attached_again_when_it_asks_and_the_stream_goes_on(world):
    attached = []
    attach = world.output.attach
    world.output.attach = lambda device, inputs: (attached.append(inputs.main), attach(device, inputs))[1]
    answers = iter(["output_changed"])
    world.output.asks = lambda: next(answers, None)
    world.run([KNOWN, INIT, *parts(20), world.stop])
    assert attached == [VIDEO, VIDEO]
    assert len(world.loop.ingests) == 1
    assert world.states == [("starting", None), ("running", None), ("stopped", "requested")]
    assert world.loop.ingests[0].outputs["fake"] == OutputArguments(("rtp://fake",))


def test_an_output_that_keeps_asking_is_attached_less_and_less_often(world):
    attached = []
    attach = world.output.attach
    world.output.attach = lambda device, inputs: (attached.append(world.clock.monotonic()), attach(device, inputs))[1]
    world.output.asks = lambda: "output_changed"
    world.run([KNOWN, INIT, *parts(240), world.stop])
    assert 5 <= len(attached) <= 30, "two minutes"
    assert len(world.loop.ingests) == 1


def test_an_output_that_cannot_be_attached_is_named_and_tried_again_beside_the_stream(world):
    tries, seen = [], []

    def attach(device, inputs):
        tries.append(world.clock.monotonic())
        if len(tries) < 4:
            raise RuntimeError("no server")
        return OutputArguments(("rtp://fake",))

    def look() -> None:
        seen.append(LiveStats(world.client).read_many([world.id])[world.id]["outputs"][0])

    world.output.attach = attach
    world.run([KNOWN, INIT, *parts(3), look, *parts(40), look, world.stop])
    assert seen[0] == {
        "name": "fake",
        "mode": None,
        "reason": "not attached: no server",
        "plugin": "fake",
        "figures": {},
    }
    assert seen[1] == shown("copy", None)
    assert len(world.loop.ingests) == 1
    assert world.states == [("starting", None), ("running", None), ("stopped", "requested")]


def test_what_the_process_of_an_output_suffers_from_is_shown(world):
    seen = []

    def fail() -> None:
        world.loop.ingests[0].facts.output_problems = {"fake": "no encoder"}

    def look() -> None:
        seen.append(LiveStats(world.client).read_many([world.id])[world.id]["outputs"])

    world.run([KNOWN, INIT, *parts(3), fail, *parts(4), look, world.stop])
    assert seen[0] == [shown("copy", "no encoder")]


def test_an_output_that_raises_does_not_affect_the_stream(world, caplog):
    def fail(*_: Any) -> None:
        raise RuntimeError("broken plugin")

    world.output.asks = fail
    world.output.figures = fail
    world.output.release = fail
    world.run([KNOWN, INIT, *parts(6), world.stop])
    assert world.states[-1] == ("stopped", "requested")
    assert world.owner is None
    assert "output 'fake' failed" in caplog.text


def test_live_statistics_show_the_measured_stream(world):
    seen = []
    world.run(
        [
            KNOWN,
            INIT,
            *parts(8),
            lambda: seen.append(LiveStats(world.client).read_many([world.id])[world.id]),
            world.stop,
        ]
    )
    stats = seen[0]
    assert stats["fps"] == 10.0
    assert stats["viewers"] == 3
    assert stats["worker"] == "worker-1"
    assert stats["outputs"] == [shown("copy", None)]
    assert stats["last_part_at"] == pytest.approx(world.clock.wall(), abs=5)


def test_an_output_may_look_for_the_sub_stream(world):
    found = []
    world.output.attach = lambda device, inputs: (
        found.append(inputs.find_sub()),
        OutputArguments(("rtp://x",)),
    )[1]

    def has_sub() -> None:
        world.loop.ingests[0].sub = VIDEO

    world.run([has_sub, KNOWN, INIT, *parts(1), world.stop])
    assert found == [VIDEO]


@pytest.mark.parametrize(("kinds", "has_audio"), [(("vide", "soun"), True), (("vide",), False)])
def test_live_statistics_show_whether_sound_arrives(world, kinds, has_audio):
    seen = []
    tracks = tuple(Track(n, kind, "x", 1000, frozenset(), 4, 0, 0, 0) for n, kind in enumerate(kinds))
    world.run(
        [
            InitSegment(b"init", tracks),
            *parts(6),
            lambda: seen.append(LiveStats(world.client).read_many([world.id])[world.id]),
            world.stop,
        ]
    )
    assert seen[0]["has_audio"] is has_audio


def test_an_output_that_failed_with_a_packet_is_attached_again(world):
    attached = []
    attach = world.output.attach
    world.output.attach = lambda device, inputs: (attached.append(inputs.main), attach(device, inputs))[1]

    def fail() -> None:
        world.loop.ingests[0].facts.output_problems = {"fake": f"{TAKER_FAILED} RuntimeError: a mistake"}

    def mend() -> None:
        world.loop.ingests[0].facts.output_problems = {}

    world.run([KNOWN, INIT, *parts(3), fail, *parts(3), mend, *parts(6), world.stop])
    assert attached == [VIDEO, VIDEO]


class HangingCalls:
    """Runs no call of an output."""

    def submit(self, *_: object) -> Future:
        return Future()


def test_an_output_that_does_not_return_is_named_and_the_stream_goes_on(world):
    seen = []
    world.services = dataclasses.replace(world.services, calls=HangingCalls())

    def look() -> None:
        seen.append(LiveStats(world.client).read_many([world.id])[world.id]["outputs"][0]["reason"])

    world.run([KNOWN, INIT, *parts(40), look, world.stop])
    assert re.fullmatch(r"not attached: 'attach' has not returned for \d\d s", seen[0])
    assert world.states[-1] == ("stopped", "requested")


def test_the_output_of_a_plugin_that_is_set_aside_is_left_out(world, monkeypatch):
    seen = []

    def set_aside() -> None:
        monkeypatch.setattr(output_keeper.GUARD, "aside", lambda plugin: Aside(0, "stream", "check", 1))

    def look() -> None:
        seen.append(LiveStats(world.client).read_many([world.id])[world.id]["outputs"][0])
        seen.append(world.loop.ingests[0].outputs["fake"])

    world.run([KNOWN, INIT, *parts(6), set_aside, *parts(6), look, world.stop])
    assert seen[0]["reason"] == "set aside: it ended a process, the last in 'check' (stream)"
    assert seen[1] is None


@pytest.mark.parametrize("wrong", [None, [], {"viewers": "many"}, {1: 2}, {"x": object()}, {"x": float("nan")}])
def test_figures_that_cannot_be_shown_are_left_out(world, wrong):
    seen = []
    world.output.figures = lambda device_id: wrong

    def look() -> None:
        seen.append(LiveStats(world.client).read_many([world.id])[world.id])

    world.run([KNOWN, INIT, *parts(6), look, world.stop])
    assert seen[0]["viewers"] == 0
    assert seen[0]["outputs"][0]["figures"].keys() == {"problem"}
