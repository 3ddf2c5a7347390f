"""The analysis of a device as a consumer output: its options, its sources, its figures, and its end."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from gateway import database
from gateway.clock import FakeClock
from gateway.database import DatabaseUnavailable
from gateway.events.model import Event
from gateway.events.plugin_events import PluginEvents
from gateway.inventory import tenant_of
from gateway.media import Part, Position, SubPicture, SubPictures
from gateway.outputs import ConsumerContext
from gateway.redis_client import connect_redis
from gateway.tenancy.scopes import EVERY_TENANT
from plugins.ai_analytics import analysis as analysis_module
from plugins.ai_analytics.analysis import Analysis
from plugins.ai_analytics.figures import FiguresStore
from plugins.ai_analytics.output import AnalyticsOutput
from tests.cameras.encoded import LoopSettings, load_loop
from workers.rtp.parameter_sets import build_codec_data

SETTINGS = LoopSettings(width=320, height=192, fps=10, bitrate_kbps=200, gop_seconds=1)


class FakeOptions:
    """Options that a test changes."""

    def __init__(self, device_id: str) -> None:
        self.device_id = device_id
        self.values = {"is_on": True, "detectors": [], "fps": 10}
        self.of_installation = {}
        self.is_away = False

    def device(self, device_id: str) -> dict:
        if self.is_away:
            raise DatabaseUnavailable("the database does not answer")
        return self.values

    def devices(self) -> dict:
        return {self.device_id: self.values, "another": {"is_on": False}}

    def installation(self) -> dict:
        if self.is_away:
            raise DatabaseUnavailable("the database does not answer")
        return self.of_installation


class World:
    def __init__(self, device, config) -> None:
        self.device, self.clock = device, FakeClock()
        self.options = FakeOptions(device.id)
        self.found = []
        plugin = SimpleNamespace(
            name="ai_analytics",
            config=config,
            options=self.options,
            events=PluginEvents("ai_analytics", config, tenant_of),
            collect=self._collect,
        )
        context = ConsumerContext(config, "w1", self.clock, lambda *_values, **_facts: None)
        self.plugin = plugin
        self.output = AnalyticsOutput(context, plugin)
        self.analysis = Analysis(context, plugin)
        self.store = FiguresStore(connect_redis(config.redis_url))
        self.number = 0

    def _collect(self, hook: str) -> list:
        assert hook == "register_detectors"
        return self.found

    def batch(self, count: int = 5) -> SubPictures:
        """The next pictures of a moving test picture, taken now."""
        loop = load_loop(SETTINGS)
        pictures = []
        for _ in range(count):
            unit = loop.access_units[self.number % len(loop.access_units)]
            data = b"".join(len(nal).to_bytes(4, "big") + nal for nal in unit.nals)
            pictures.append(SubPicture(self.clock.wall(), unit.is_key, data))
            self.number += 1
            self.clock.advance(0.1)
        extra = build_codec_data("h264", (loop.sps, loop.pps)).extra_data
        return SubPictures(self.device.id, Position(1, self.number), "h264", extra, tuple(pictures))

    def figures(self) -> dict:
        return self.store.read_devices([self.device.id])[self.device.id]


@pytest.fixture
def world(device, config):
    world = World(device, config)
    yield world
    world.analysis.close()
    world.output.close()


def motion_events() -> list[Event]:
    with database.session():
        return list(EVERY_TENANT.select(Event).where(Event.kind == "motion"))


def test_devices_that_are_switched_on_are_wanted(world):
    assert world.output.wanted() == [world.device.id]
    assert (world.output.process, world.output.role) == ("analytics", None)


def test_processes_that_analyse_nothing_load_no_decoders():
    code = (
        "import sys, plugins.ai_analytics, plugins.ai_analytics.output, plugins.ai_analytics.routes, "
        "plugins.ai_analytics.option_schemas, plugins.ai_analytics.health; "
        "print(sorted({'av', 'numpy', 'PIL', 'ai_edge_litert'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_pictures_of_the_sub_stream_become_events_and_figures(world):
    consumption = world.output.attach(world.device)
    assert consumption.uses_sub_stream
    assert consumption.tick() is None
    for _ in range(8):
        consumption.take_sub(world.batch())
        assert consumption.tick() is None
    consumption.close("worker_stopped")
    world.output.close()
    (event,) = motion_events()
    assert event.end_ms > event.start_ms
    assert event.plugin == "ai_analytics"
    figures = world.figures()
    assert (figures["source"], figures["wanted_fps"], figures["problems"]) == ("sub_stream", 10, [])
    assert figures["given_fps"] > 1
    assert figures["level"] == 0


def test_parts_are_analysed_by_their_key_frames(world, monkeypatch):
    asked = []
    monkeypatch.setattr(
        analysis_module.Decoder, "decode_key_frame", lambda self, part, init: asked.append(part) or None
    )
    consumption = world.output.attach(world.device)
    consumption.tick()
    for number in range(6):
        start = world.clock.wall()
        consumption.take(Part(world.device.id, 1, number + 1, start, 0.5, number % 2 == 0, 5, b"x"), b"init")
        world.clock.advance(0.5)
    assert [part.sequence for part in asked] == [1, 3, 5]
    assert consumption.figures()["source"] == "key_frames"


def test_options_reach_a_running_analysis(world):
    consumption = world.output.attach(world.device)
    consumption.tick()
    world.options.values = world.options.values | {"fps": 2}
    assert consumption.tick() is None
    assert consumption.figures()["wanted_fps"] == 2
    world.options.values = world.options.values | {"uses_sub_stream": False}
    assert consumption.tick() == "source_changed"
    world.options.values = world.options.values | {"uses_sub_stream": True, "is_on": False}
    assert consumption.tick() == "requested"


def test_a_database_that_is_away_stops_nothing(world):
    consumption = world.output.attach(world.device)
    consumption.tick()
    world.options.is_away = True
    for _ in range(4):
        consumption.take_sub(world.batch())
        assert consumption.tick() is None
    assert consumption.figures()["given_fps"] > 0


def test_a_detector_that_no_plugin_has_is_named(world):
    world.options.values = world.options.values | {"detectors": ["eagle"]}
    consumption = world.output.attach(world.device)
    consumption.tick()
    assert consumption.figures()["problems"] == ["no plugin has a detector 'eagle'"]


def test_a_new_model_opens_the_detector_anew(world):
    world.found = [SimpleNamespace(name="objects", width=300, height=300)]
    world.options.values = world.options.values | {"detectors": ["objects"]}
    first = world.analysis.find_runners(("objects",))["objects"][1]
    assert world.analysis.find_runners(("objects",))["objects"][1] is first
    world.options.of_installation = {"model_file": "/models/other.tflite"}
    assert world.analysis.find_runners(("objects",))["objects"][1] is not first


def test_events_that_nobody_ended_are_ended_when_the_device_is_taken(world):
    event_id = PluginEvents("ai_analytics", world.plugin.config, tenant_of).record(
        world.device.id, "motion", start_ms=1000, data={"last_ms": 4000}
    )
    world.output.attach(world.device)
    (event,) = motion_events()
    assert (event.id, event.end_ms) == (event_id, 4000)


def test_late_pictures_are_analysed_more_rarely_and_it_is_said(world):
    consumption = world.output.attach(world.device)
    consumption.tick()
    for _ in range(12):
        batch = world.batch()
        world.clock.advance(4)
        consumption.take_sub(batch)
    assert consumption.figures()["level"] > 0
    assert "the machine is too busy" in consumption.figures()["problems"][0]
