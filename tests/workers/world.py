"""A device that should run, its supervisor, and fakes of the supervisor's surroundings: a scripted ingest and a clock
that tests move."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
import redis

from gateway.clock import FakeClock
from gateway.devices.login_budget import LoginBudget
from gateway.leases import STREAM, Leases
from gateway.media import SourceInfo, VideoInfo
from gateway.outputs import DirectOutput, OutputArguments
from gateway.secrets import SecretBox
from gateway.states import reason_for
from gateway.streams.bus import MediaBus
from gateway.streams.model import request_start, request_stop
from gateway.streams.queries import read_stream_record
from gateway.streams.try_now import TryNow
from gateway.tenancy.scopes import TenantScope
from tests.factories import SECRET_KEY, make_config, make_device
from workers.ffmpeg.fmp4 import Fragment, InitSegment
from workers.ffmpeg.process import Arrived
from workers.ingest.events import SessionEnded, SourceKnown
from workers.ingest.ingest import IngestFacts, IngestSettings
from workers.lease_keeper import LeaseKeeper
from workers.streams import supervisor
from workers.streams.services import Services
from workers.streams.sources import Sources
from workers.streams.supervisor import StreamSupervisor

VIDEO = SourceInfo(VideoInfo("h264", 1280, 720))
REFUSED = SessionEnded(reason_for("refused"))
KNOWN = SourceKnown(VIDEO)
INIT = InitSegment(b"init", ())
LEASE_SECONDS = 6.0


def parts(count: int, **values: Any) -> list[Fragment]:
    plain = {
        "data": b"part",
        "duration": 0.5,
        "frames": 5,
        "has_b_frames": False,
    }
    return [Fragment(**({"start": n * 0.5, "is_key": n == 0} | plain | values)) for n in range(count)]


class FakeIngest:
    """A scripted ingest: events, half seconds without one (None), and calls."""

    def __init__(self, clock: FakeClock, settings: IngestSettings, sources: Sources, script: list) -> None:
        self.settings, self.sources, self.stops, self.dropped_parts = settings, sources, 0, 0
        self.epoch = clock.monotonic()
        self.facts = IngestFacts()
        self.outputs: dict[str, OutputArguments | None] = {}
        self.sub: SourceInfo | None = None
        self._clock, self._script = clock, list(script)

    @property
    def url(self) -> str:
        """The URL of the camera that it was started for."""
        return self.sources.open_main.args[0]

    def next_event(self, timeout_seconds: float) -> Arrived | None:
        while self._script and callable(self._script[0]):
            self._script.pop(0)()
        self._clock.advance(timeout_seconds)
        event = self._script.pop(0) if self._script else None
        return Arrived(event, self._clock.wall()) if event is not None else None

    def set_output(self, name: str, arguments: OutputArguments | None) -> None:
        self.outputs[name] = arguments

    def find_sub(self, seconds: float) -> SourceInfo | None:
        return self.sub

    def stop(self) -> None:
        self.stops += 1


class FakeLoop:
    loop = None

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.scripts, self.ingests = clock, [], []

    def start_ingest(self, device_id: str, settings: IngestSettings, sources: Sources) -> FakeIngest:
        assert self.scripts, "one session more than the test expected"
        self.ingests.append(FakeIngest(self.clock, settings, sources, self.scripts.pop(0)))
        return self.ingests[-1]


class ImmediateCalls:
    """Calls outputs at once, in the thread that asks for it."""

    def submit(self, output: DirectOutput, step: str, function: Callable, *args: Any) -> Future:
        future: Future = Future()
        try:
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future


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
    """A device that should run, its supervisor and their surroundings."""

    def __init__(
        self, client: redis.Redis, scope: TenantScope, box: SecretBox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.client, self.scope, self.box = client, scope, box
        self.device = make_device(scope, box)
        self.id = self.device.id
        request_start(scope, self.id)
        self.clock, self.output, self.messages = FakeClock(), FakeOutput(), StubMessages()
        self.leases = LeaseKeeper(client, LEASE_SECONDS, clock=self.clock)
        self.loop = FakeLoop(self.clock)
        self.states: list[tuple[str, str | None]] = []
        self.pauses: list[float] = []
        monkeypatch.setattr(supervisor, "ReachabilityProbe", StubReachabilityProbe)
        monkeypatch.setattr(supervisor.time, "sleep", self._sleep)
        self.services = Services(
            config=make_config(backoff_max_seconds=60),
            worker="worker-1",
            redis=client,
            media_redis=client,
            leases=self.leases,
            loop=self.loop,
            outputs=[self.output],
            calls=ImmediateCalls(),
            secrets=box,
            logins=LoginBudget(client, SECRET_KEY),
            try_now=TryNow(client),
            messages=self.messages,
            on_state=lambda _, state, reason: self.states.append((state, reason)),
            clock=self.clock,
        )

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def stop(self) -> None:
        request_stop(self.scope, self.id)

    def run(self, *sessions: list) -> None:
        """Run the supervisor with these scripts, one per session; the last one should end it."""
        self.loop.scripts = list(sessions)
        StreamSupervisor(self.id, self.services).run()

    @property
    def row(self):
        return read_stream_record(self.id)

    @property
    def urls(self) -> list[str]:
        """The URLs of all sessions so far."""
        return [ingest.url for ingest in self.loop.ingests]

    @property
    def owner(self) -> str | None:
        return Leases(self.client).holder(STREAM, self.id)

    def bus(self) -> list[tuple[int, int]]:
        return [(part.run, part.sequence) for part in MediaBus(self.client).read(self.id, None)]


class StubReachabilityProbe:
    is_back = False

    def __init__(self, *_: Any) -> None:
        pass

    def close(self) -> None:
        pass
