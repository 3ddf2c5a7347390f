"""A device with footage on the bus and in files, and the captures of a snapshot worker over both."""

import io
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy
import pytest
import redis
from PIL import Image

from gateway import database
from gateway.captures.files import CaptureFiles
from gateway.captures.queue import HISTORICAL, POSTER, CaptureAnswer, CaptureRequest
from gateway.captures.snapshots import Snapshot
from gateway.clock import FakeClock
from gateway.config import Config
from gateway.media import Part
from gateway.redis_client import connect_redis
from gateway.storage.local import open_storage
from gateway.streams.bus import BusWriter, MediaBus
from gateway.tenancy.scopes import TenantScope
from tests.cameras.counter import read_counter
from tests.factories import make_device
from tests.playback import NOON_MS, Clip, FootageFactory
from workers.captures.captures import Captures
from workers.captures.picture_sources import PictureSources


@dataclass
class Camera:
    """A device: `send` puts a clip on the bus, `footage.record` into files; `take` and `show` make pictures of it."""

    config: Config
    scope: TenantScope
    footage: FootageFactory
    redis: redis.Redis
    clock: FakeClock
    captures: Captures
    facts: list = field(default_factory=list)

    @property
    def device_id(self) -> str:
        return self.footage.device_id

    def send(self, clip: Clip, start_ms: int = NOON_MS, *, run: int = 1, without: range = range(0)) -> list[Part]:
        """Put a clip on the bus, and set the clock to its end."""
        writer = BusWriter(self.redis, self.device_id, window_seconds=60, max_bytes=1 << 26)
        writer.open_run(run, clip.init)
        parts = []
        for sequence, one in enumerate(clip.parts, 1):
            if sequence - 1 in without:
                continue
            start = start_ms / 1000 + one.start - clip.parts[0].start
            parts.append(Part(self.device_id, run, sequence, start, one.duration, one.is_key, one.frames, one.data))
            assert writer.publish(parts[-1])
        self.clock.advance(parts[-1].end - self.clock.wall())
        return parts

    def make_request(self, at_ms: int | None = None, accuracy: str | None = None, **values) -> CaptureRequest:
        """A request for a live snapshot, or for one of a moment."""
        kind = {} if at_ms is None else {"kind": HISTORICAL, "at_ms": at_ms, "accuracy": "exact"}
        values = {"id": str(uuid.uuid4()), **kind, **({"accuracy": accuracy} if accuracy else {}), **values}
        return CaptureRequest(tenant_id=self.scope.tenant_id, device_id=self.device_id, **values)

    def take(self, at_ms: int | None = None, accuracy: str | None = None, **values) -> Snapshot:
        """Take a snapshot and return its row."""
        request = self.make_request(at_ms, accuracy, **values)
        answer = self.capture(request)
        row = self.row(request.id)
        assert answer.at_ms == row.at_ms
        return row

    def capture(self, request: CaptureRequest) -> CaptureAnswer:
        """Handle a request and report it to plugins; returns the answer."""
        taken = self.captures.capture(request)
        taken.report()
        return taken.answer

    def show(self, width: int | None = None) -> CaptureAnswer:
        """Take a poster."""
        return self.capture(replace(self.make_request(), what=POSTER, width=width))

    def row(self, snapshot_id: str) -> Snapshot | None:
        with database.session():
            return self.scope.select(Snapshot).where(Snapshot.id == snapshot_id).first()

    def number(self, row: Snapshot) -> int | None:
        """The number drawn into a snapshot's picture."""
        return read_number(CaptureFiles.from_config(self.config).read(row.file))

    def files(self) -> list[Path]:
        """The files of all snapshots, including drafts."""
        return [path for path in self.config.captures_dir.rglob("*") if path.is_file()]


def read_number(jpeg: bytes) -> int | None:
    """The number drawn into a JPEG."""
    return read_counter(numpy.asarray(Image.open(io.BytesIO(jpeg)).convert("L")))


@pytest.fixture
def config(config: Config, tmp_path: Path) -> Config:
    return replace(config, captures_dir=tmp_path / "captures")


@pytest.fixture
def facts(monkeypatch) -> list:
    """The facts that were reported to plugins."""
    reported: list = []
    monkeypatch.setattr("workers.captures.captures.report_fact", lambda hook, **values: reported.append((hook, values)))
    return reported


@pytest.fixture
def make_camera(bound_database, config: Config, scope: TenantScope, box, facts) -> Iterator[Callable[[], Camera]]:
    clients = []

    def make() -> Camera:
        clients.append(connect_redis(config.redis_url))
        clock = FakeClock(NOON_MS / 1000)
        sources = PictureSources(MediaBus(clients[-1]), open_storage(config), clock)
        footage = FootageFactory(config, scope, make_device(scope, box).id)
        captures = Captures(config, sources, decoders=2)
        return Camera(config, scope, footage, clients[-1], clock, captures, facts)

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def camera(make_camera: Callable[[], Camera]) -> Camera:
    return make_camera()
