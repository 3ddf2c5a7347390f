"""One stream's owner: it retries for ever, obeys the wish, gives way to another owner, and no output can hurt it."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis
from dramatiq.middleware import Shutdown

from gateway import database
from gateway.bus import MediaBus
from gateway.clock import FakeClock
from gateway.leases import STREAM, Leases
from gateway.live import LiveFigures
from gateway.media import AudioInfo, SourceInfo, VideoInfo
from gateway.models import DeviceValues, TenantScope, replace_device
from gateway.models.streams import (
    ask_to_run,
    ask_to_stop,
    claim_next_run,
    read_source_info,
    read_stream_record,
)
from gateway.outputs import DirectOutput, OutputArguments
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from gateway.states import StreamState, reason_for
from tests.factories import make_config, make_device
from workers import supervisor
from workers.ffmpeg.fmp4 import Fragment, InitSegment
from workers.ffmpeg.probe import ProbeResult
from workers.ffmpeg.process import Arrived, Ended
from workers.supervisor import Services, StreamSupervisor

VIDEO = SourceInfo(VideoInfo("h264", 1280, 720))
REFUSED = Ended(1, ["[error] rtsp://***@10.0.0.1/: Connection refused"])
INIT = InitSegment(b"init", ())


def parts(count: int, **values: Any) -> list[Fragment]:
    plain = {
        "data": b"part",
        "duration": 0.5,
        "frames": 5,
        "has_b_frames": False,
        "has_new_parameters": False,
    }
    return [Fragment(**({"start": n * 0.5, "is_key": n == 0} | plain | values)) for n in range(count)]


class FakePipeline:
    """A life of FFmpeg by a script: events, half seconds without one (None), and calls."""

    def __init__(self, clock: FakeClock, command: list[str], script: list) -> None:
        self.command, self.stops, self.dropped_parts = command, 0, 0
        self._clock, self._script = clock, list(script)

    def next_event(self, timeout_seconds: float) -> Arrived | None:
        while self._script and callable(self._script[0]):
            self._script.pop(0)()
        self._clock.advance(timeout_seconds)
        event = self._script.pop(0) if self._script else None
        return Arrived(event, self._clock.wall()) if event is not None else None

    def stop(self) -> None:
        self.stops += 1


class FakeLoop:
    loop = None

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.scripts, self.lives = clock, [], []

    def start_pipeline(self, command: list[str], device_id: str) -> FakePipeline:
        assert self.scripts, "one life more than the test foresaw"
        self.lives.append(FakePipeline(self.clock, command, self.scripts.pop(0)))
        return self.lives[-1]


class FakeOutput(DirectOutput):
    name = "fake"

    def __init__(self) -> None:
        self.released: list[str] = []
        self.asks: Callable[[], str | None] = lambda: None

    def attach(self, device, inputs):
        return OutputArguments(("rtp://fake",))

    def check(self, device_id):
        return self.asks()

    def figures(self, device_id):
        return {"viewers": 3}

    def release(self, device_id):
        self.released.append(device_id)


class StubMessages:
    def __init__(self) -> None:
        self.taken: list[str] = []

    def start_taken(self, device_id: str) -> None:
        self.taken.append(device_id)


class World:
    """A device that should run, its supervisor, and what both meet."""

    def __init__(
        self, client: redis.Redis, scope: TenantScope, box: SecretBox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.client, self.scope, self.box = client, scope, box
        self.device = make_device(scope, box)
        self.id = self.device.id
        ask_to_run(scope, self.id)
        self.clock, self.output, self.messages = FakeClock(), FakeOutput(), StubMessages()
        self.loop = FakeLoop(self.clock)
        self.states: list[tuple[str, str | None]] = []
        self.pauses: list[float] = []
        self.found: list[ProbeResult] = []
        self.probes = 0
        self.while_probing: Callable[[Callable[[], None]], None] = lambda on_wait: None
        monkeypatch.setattr(supervisor, "probe_source", self._probe)
        monkeypatch.setattr(supervisor, "Knocker", StubKnocker)
        monkeypatch.setattr(supervisor.time, "sleep", self._sleep)
        self.services = Services(
            config=make_config(backoff_max_seconds=60),
            worker="worker-1",
            redis=client,
            media_redis=client,
            loop=self.loop,
            outputs=[self.output],
            secrets=box,
            messages=self.messages,
            on_state=lambda _, state, reason: self.states.append((state, reason)),
            clock=self.clock,
        )

    def _probe(self, config, url, transport, *, on_wait):
        self.probes += 1
        self.while_probing(on_wait)
        return self.found.pop(0) if self.found else ProbeResult(VIDEO, None, 5)

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def stop(self) -> None:
        ask_to_stop(self.scope, self.id)

    def run(self, *lives: list) -> None:
        """Let the supervisor live these lives of FFmpeg; the last should bring the end."""
        self.loop.scripts = list(lives)
        StreamSupervisor(self.id, self.services).run()

    @property
    def row(self):
        return read_stream_record(self.id)

    @property
    def commands(self) -> list[str]:
        return [" ".join(life.command) for life in self.loop.lives]

    @property
    def owner(self) -> str | None:
        return Leases(self.client).holder(STREAM, self.id)

    def bus(self) -> list[tuple[int, int]]:
        return [(part.run, part.sequence) for part in MediaBus(self.client).read(self.id, None)]


class StubKnocker:
    is_back = False

    def __init__(self, *_: Any) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def world(sqlite_url, redis_url, scope, box, monkeypatch):
    database.connect(make_config(database_url=sqlite_url))
    client = connect_redis(redis_url)
    yield World(client, scope, box, monkeypatch)
    client.close()
    database.close()


def test_a_stream_runs_until_the_wish_ends_it(world):
    during = []
    world.run([INIT, *parts(4), lambda: during.append((world.row.observed, world.owner)), world.stop])
    assert during[0][0] == StreamState.RUNNING
    assert during[0][1].startswith("worker-1/")
    assert world.states == [("starting", None), ("running", None), ("stopped", "requested")]
    assert world.loop.lives[0].stops == 1
    assert world.output.released == [world.id]
    assert world.owner is None
    assert world.messages.taken == [world.id]
    assert LiveFigures(world.client).read_many([world.id]) == {}


def test_parts_go_to_the_bus_in_order_with_the_runs_init_segment(world):
    world.run([INIT, *parts(3), world.stop])
    assert world.bus() == [(1, 1), (1, 2), (1, 3)]
    assert MediaBus(world.client).init_segment(world.id, 1) == b"init"


def test_a_second_message_finds_the_lease_taken_and_ends(world):
    Leases(world.client).take(STREAM, world.id, "worker-2/1", 60)
    world.run()
    assert world.loop.lives == []
    assert world.states == []
    assert world.owner == "worker-2/1"
    assert world.row.run == 0


def test_a_device_that_is_gone_ends_the_message(world):
    supervisor_of_nobody = StreamSupervisor("00000000-0000-4000-8000-000000000000", world.services)
    supervisor_of_nobody.run()
    assert world.states == []
    assert Leases(world.client).holder(STREAM, supervisor_of_nobody.device_id) is None


def test_who_loses_the_lease_stops_ffmpeg_and_writes_nothing_more(world):
    def steal() -> None:
        world.client.set(f"vas:lease:stream:{world.id}", "worker-2/1")
        claim_next_run(world.id, "worker-2")

    world.run([INIT, *parts(4), steal])
    assert world.loop.lives[0].stops == 1
    assert world.states == [("starting", None), ("running", None)]
    assert (world.row.observed, world.row.worker) == (StreamState.RUNNING, "worker-2")
    assert world.owner == "worker-2/1", "the other's lease is not touched"
    assert world.output.released == [world.id]


def test_a_higher_run_in_the_database_is_a_lost_lease_even_without_redis(world, monkeypatch):
    def away(*_: Any) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(Leases, "renew", away)
    world.run([INIT, *parts(4), lambda: claim_next_run(world.id, "worker-2")])
    assert world.states[-1] == ("running", None)


def test_a_lease_that_cannot_be_renewed_does_not_stop_the_stream(world, monkeypatch):
    def away(*_: Any) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(Leases, "renew", away)
    world.run([INIT, *parts(40), world.stop])
    assert world.states[-1] == ("stopped", "requested")
    assert len(world.loop.lives) == 1


def test_a_camera_that_refuses_is_tried_again_after_a_pause(world):
    world.run([REFUSED], [REFUSED], [INIT, *parts(2), world.stop])
    assert world.states == [
        ("starting", None),
        ("reconnecting", "refused"),
        ("running", None),
        ("stopped", "requested"),
    ]
    assert 0.75 < sum(world.pauses) <= 0.25 * 1.25 + 1.25
    assert world.row.run == 3, "each attempt is a run"


def test_a_stop_is_obeyed_within_a_pause(world):
    def stop_soon(seconds: float) -> None:
        world.clock.advance(seconds)
        if world.clock.monotonic() > 1_010:
            world.stop()

    supervisor.time.sleep = stop_soon
    world.run(*[[REFUSED]] * 8)
    assert world.states[-1] == ("stopped", "requested")


def test_a_changed_source_restarts_at_once_as_a_new_run(world):
    def change() -> None:
        replace_device(
            world.scope,
            world.id,
            DeviceValues(
                name=world.device.name,
                source_url="rtsp://10.9.9.9/new",
            ),
            world.box,
        )

    world.run([INIT, *parts(3), change], [INIT, *parts(2), world.stop])
    assert world.pauses == []
    assert "rtsp://10.9.9.9/new" in world.commands[1]
    assert ("starting", "source_changed") in world.states
    assert world.probes == 2, "the new camera is looked at"
    assert world.bus() == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]


def test_a_stream_without_a_new_part_is_stalled(world):
    started = world.clock.monotonic()
    seconds = []
    world.run(
        [INIT, *parts(2), *[None] * 25],
        [lambda: seconds.append(world.clock.monotonic() - started), INIT, *parts(1), world.stop],
    )
    assert ("reconnecting", "stalled") in world.states
    assert 11 <= seconds[0] <= 13


def test_audio_alone_is_no_sign_of_life(world):
    world.run([INIT, *parts(2), *parts(30, frames=0)], [INIT, *parts(1), world.stop])
    assert ("reconnecting", "stalled") in world.states
    assert world.bus() == [(1, 1), (1, 2), (2, 1)]


def test_a_camera_has_twice_as_long_until_its_first_part(world):
    world.run([*[None] * 38, INIT, *parts(1), world.stop])
    assert world.states[1] == ("running", None)


def test_an_audio_track_that_may_be_at_fault_is_left_out_of_the_next_attempt(world):
    world.found = [ProbeResult(replace(VIDEO, audio=AudioInfo("g726")), None, 5)] * 3
    world.run([*[None] * 42], [INIT, *parts(2), REFUSED], [INIT, *parts(1), world.stop])
    assert ["0:a:0?" in command for command in world.commands] == [True, False, False]


def test_a_camera_that_is_only_away_keeps_its_audio(world):
    world.found = [ProbeResult(replace(VIDEO, audio=AudioInfo("aac")), None, 5)]
    world.run([REFUSED], [INIT, *parts(1), world.stop])
    assert ["0:a:0?" in command for command in world.commands] == [True, True]
    assert world.probes == 1, "what was known is still the best guess"


def test_another_picture_format_starts_anew_with_another_look(world):
    world.run([INIT, *parts(2), *parts(1, has_new_parameters=True)], [INIT, *parts(1), world.stop])
    assert ("reconnecting", "resolution_changed") in world.states
    assert world.probes == 2
    assert world.bus() == [(1, 1), (1, 2), (2, 1)], "the part that fits no init segment is not published"


def test_b_frames_that_only_the_video_tells_are_learnt_and_kept(world):
    world.run([INIT, *parts(1, has_b_frames=True)], [INIT, *parts(2, has_b_frames=True), world.stop])
    assert ("starting", "source_changed") in world.states
    assert read_source_info(world.id, world.device.source_version).video.has_b_frames
    assert world.pauses == []


def test_what_was_seen_of_a_camera_spares_the_next_owner_the_look(world):
    world.run([INIT, *parts(1), world.stop])
    ask_to_run(world.scope, world.id)
    world.run([INIT, *parts(1), world.stop])
    assert world.probes == 1


def test_a_camera_without_video_is_told_by_the_look_and_no_ffmpeg_starts(world):
    world.found = [ProbeResult(SourceInfo(audio=AudioInfo("aac")), reason_for("no_video"), 5)]
    world.run([INIT, *parts(1), world.stop])
    assert world.states[1] == ("reconnecting", "no_video")
    assert len(world.loop.lives) == 1


def test_the_lease_is_held_and_the_wish_obeyed_while_a_camera_is_looked_at(world, monkeypatch):
    renewals = []
    original = Leases.renew
    monkeypatch.setattr(
        Leases, "renew", lambda *words: (renewals.append(world.clock.monotonic()), original(*words))
    )

    def look_for_long(on_wait: Callable[[], None]) -> None:
        for _ in range(40):
            world.clock.advance(0.25)
            on_wait()
        world.stop()
        world.clock.advance(1)
        on_wait()

    world.while_probing = look_for_long
    world.run()
    gaps = [later - earlier for earlier, later in itertools.pairwise(renewals)]
    assert len(renewals) >= 6
    assert max(gaps) < world.services.config.lease_seconds / 2
    assert world.states[-1] == ("stopped", "requested")
    assert world.loop.lives == []


@pytest.mark.parametrize(
    "problem", ["program not found: ffmpeg", "program cannot be started: Permission denied"]
)
def test_an_ffmpeg_that_cannot_be_started_is_a_failure_for_a_person(world, problem):
    world.run([Ended(None, [], problem)], [INIT, *parts(1), world.stop])
    assert world.states[1] == ("failed", "ffmpeg_missing")


def test_media_that_cannot_be_read_is_invalid_data(world):
    world.run([INIT, Ended(-9, [], "ffmpeg wrote a box of 7 bytes")], [INIT, *parts(1), world.stop])
    assert world.states[1] == ("reconnecting", "invalid_data")


def test_an_address_that_the_settings_refuse_is_never_asked(world):
    world.services = replace(world.services, config=make_config(allowed_source_networks=("10.0.0.0/8",)))

    def stop_soon(seconds: float) -> None:
        world.clock.advance(seconds)
        world.stop()

    supervisor.time.sleep = stop_soon
    world.run()
    assert world.states[1] == ("failed", "address_not_allowed")
    assert world.probes == 0


def test_credentials_that_no_key_opens_are_told_again_and_again_without_an_end(world):
    world.services = replace(world.services, secrets=SecretBox("quite-another-key-0123456789"))
    count = []

    def wait(seconds: float) -> None:
        world.clock.advance(seconds)
        count.append(seconds)
        if world.clock.monotonic() > 1_030:
            world.stop()

    supervisor.time.sleep = wait
    world.run()
    assert world.states[1] == ("reconnecting", "unknown")
    assert world.states[-1] == ("stopped", "requested")
    assert world.row.run > 3


def test_a_worker_that_stops_gives_the_stream_back(world):
    def shut_down() -> None:
        raise Shutdown

    with pytest.raises(Shutdown):
        world.run([INIT, *parts(2), shut_down])
    assert world.states[-1] == ("reconnecting", "worker_stopped")
    assert world.owner is None
    assert world.output.released == [world.id]
    assert world.loop.lives[0].stops == 1


def test_a_row_that_another_owner_has_by_the_end_keeps_nothing_from_being_given_back(world):
    def shut_down() -> None:
        claim_next_run(world.id, "worker-2")
        raise Shutdown

    with pytest.raises(Shutdown):
        world.run([INIT, *parts(2), shut_down])
    assert world.output.released == [world.id]
    assert world.owner is None
    assert world.row.observed == StreamState.RUNNING


def test_an_output_that_asks_for_a_new_start_gets_it_at_once(world):
    answers = iter(["output_changed"])
    world.output.asks = lambda: next(answers, None)
    world.run([INIT, *parts(3)], [INIT, *parts(2), world.stop])
    assert ("starting", "output_changed") in world.states
    assert world.pauses == []
    assert world.row.run == 2


def test_an_output_that_asks_all_the_time_does_not_keep_the_stream_from_running(world):
    stop_at = world.clock.monotonic() + 120

    def ask() -> str:
        if world.clock.monotonic() > stop_at:
            world.stop()
        return "output_changed"

    world.output.asks = ask
    world.run(*[[INIT, *parts(300)]] * 10)
    assert 3 <= len(world.loop.lives) <= 9, "two minutes, of which the last life lasts half"
    assert world.states[-1] == ("stopped", "requested")
    assert world.pauses == []


def test_an_output_that_raises_hurts_nothing(world, caplog):
    def fail(*_: Any) -> None:
        raise RuntimeError("broken plugin")

    world.output.asks = fail
    world.output.figures = fail
    world.output.release = fail
    world.run([INIT, *parts(6), world.stop])
    assert world.states[-1] == ("stopped", "requested")
    assert world.owner is None
    assert "output 'fake' failed" in caplog.text


def test_live_figures_tell_what_flows(world):
    seen = []
    world.run(
        [
            INIT,
            *parts(8),
            lambda: seen.append(LiveFigures(world.client).read_many([world.id])[world.id]),
            world.stop,
        ]
    )
    figures = seen[0]
    assert figures["fps"] == 10.0
    assert figures["viewers"] == 3
    assert figures["worker"] == "worker-1"
    assert figures["outputs"] == [{"name": "fake", "mode": "copy", "reason": None}]
    assert figures["last_part_at"] == pytest.approx(world.clock.wall(), abs=5)


def test_the_sub_stream_is_looked_at_only_when_an_output_asks(world):
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
    ask_to_run(world.scope, world.id)
    world.run([INIT, *parts(1), world.stop])
    assert found == [VIDEO]
    assert world.probes == 2
