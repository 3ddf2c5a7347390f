"""Outputs may request restarts, fail and be slow; the stream runs on."""

from typing import Any

import pytest

from gateway.inventory import DeviceValues, replace_device
from gateway.outputs import OutputArguments
from gateway.streams.live_stats import LiveStats
from gateway.streams.model import request_start
from tests.workers.world import INIT, VIDEO, parts
from workers.ffmpeg.fmp4 import InitSegment, Track


def test_an_outputs_request_for_a_restart_is_granted_at_once(world):
    answers = iter(["output_changed"])
    world.output.asks = lambda: next(answers, None)
    world.run([INIT, *parts(3)], [INIT, *parts(2), world.stop])
    assert ("starting", "output_changed") in world.states
    assert world.pauses == []
    assert world.row.run == 2


def test_an_output_that_keeps_requesting_restarts_does_not_stop_the_stream(world):
    stop_at = world.clock.monotonic() + 120

    def ask() -> str:
        if world.clock.monotonic() > stop_at:
            world.stop()
        return "output_changed"

    world.output.asks = ask
    world.run(*[[INIT, *parts(300)]] * 10)
    assert 3 <= len(world.loop.pipelines) <= 9, "two minutes, of which the last process lasts half"
    assert world.states[-1] == ("stopped", "requested")
    assert world.pauses == []


def test_an_output_that_raises_does_not_affect_the_stream(world, caplog):
    def fail(*_: Any) -> None:
        raise RuntimeError("broken plugin")

    world.output.asks = fail
    world.output.figures = fail
    world.output.release = fail
    world.run([INIT, *parts(6), world.stop])
    assert world.states[-1] == ("stopped", "requested")
    assert world.owner is None
    assert "output 'fake' failed" in caplog.text


def test_live_statistics_show_the_measured_stream(world):
    seen = []
    world.run(
        [
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
    assert stats["outputs"] == [{"name": "fake", "mode": "copy", "reason": None}]
    assert stats["last_part_at"] == pytest.approx(world.clock.wall(), abs=5)


def test_the_sub_stream_is_inspected_only_when_an_output_needs_it(world):
    replace_device(
        world.scope,
        world.id,
        DeviceValues(
            name=world.device.name,
            source_url="rtsp://10.0.0.1/main",
            sub_source_url="rtsp://10.0.0.1/sub",
        ),
        world.box,
    )
    world.run([INIT, *parts(1), world.stop])
    assert world.probes == 1
    found = []
    world.output.attach = lambda device, inputs: (
        found.append(inputs.find_sub()),
        OutputArguments(("rtp://x",)),
    )[1]
    request_start(world.scope, world.id)
    world.run([INIT, *parts(1), world.stop])
    assert found == [VIDEO]
    assert world.probes == 2


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
