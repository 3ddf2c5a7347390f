"""A running web process with its database, Redis and one device that sends."""

import json
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from gateway import database
from gateway.jobs.model import DONE, Job, create_job
from gateway.media import Part
from gateway.streams.bus import BusWriter, MediaBus
from gateway.streams.model import request_start
from tests.factories import SECRET_KEY, SFU_SECRET, make_device
from tests.web_process import WebProcess

FILE_BYTES = 64 << 20
#: Time limits of the process for slow clients.
READ_SECONDS, WRITE_SECONDS = 1, 1


@pytest.fixture
def start_web(tmp_path, database_url, redis_url) -> Iterator[Callable[..., WebProcess]]:
    """`start_web(WEB_THREADS=2)` starts a web process with these settings; by default two threads, and short limits.

    `options` are gunicorn's, besides those of the Procfile.
    """
    started: list[WebProcess] = []

    def start(options: Sequence[str] = (), **settings: object) -> WebProcess:
        values = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": SECRET_KEY,
            "SFU_SECRET": SFU_SECRET,
            "VAR_DIR": tmp_path,
            "EXPORTS_DIR": tmp_path / "exports",
            "WEB_THREADS": 2,
            "WEB_READ_SECONDS": READ_SECONDS,
            "WEB_WRITE_SECONDS": WRITE_SECONDS,
            "LOG_LEVEL": "INFO",
        }
        values |= settings
        process = WebProcess(tmp_path / "web.log", {name: str(value) for name, value in values.items()}, options)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def web(start_web) -> WebProcess:
    """A web process with two threads."""
    return start_web()


class Sender:
    """A device that should run, and the parts that it sends."""

    def __init__(self, device_id: str, writer: BusWriter, bus: MediaBus) -> None:
        self.device_id = device_id
        self._bus = bus
        self.playlist = f"/api/v1/recordings/devices/{device_id}/playlist"
        self._writer = writer
        self._sent = 0
        self._now = time.time() - 20

    @property
    def next_query(self) -> str:
        """The query for the part that comes next."""
        parts = self._bus.read(self.device_id, None)
        newest = parts[-1].segment
        return f"_HLS_msn={newest}&_HLS_part={sum(part.segment == newest for part in parts)}"

    def send(self, count: int = 1) -> None:
        for _ in range(count):
            self._sent += 1
            self._now += 0.5
            is_key = self._sent % 4 == 1
            self._writer.publish(Part(self.device_id, 1, self._sent, self._now, 0.5, is_key, 12, b"x" * 1000))


@pytest.fixture
def sender(bound_database, scope, box, client) -> Sender:
    """A device with five seconds of parts on the bus."""
    device = make_device(scope, box)
    request_start(scope, device.id)
    writer = BusWriter(client, device.id, window_seconds=15, max_bytes=1 << 20)
    writer.open_run(1, b"init")
    sender = Sender(device.id, writer, MediaBus(client))
    sender.send(10)
    return sender


@pytest.fixture
def large_file(bound_database, scope, tmp_path) -> str:
    """The path of the result of a job, of FILE_BYTES."""
    job, _ = create_job(scope, "export", {})
    (tmp_path / "exports").mkdir(exist_ok=True)
    with (tmp_path / "exports" / f"{job.id}.mp4").open("wb") as file:
        file.truncate(FILE_BYTES)
    facts = {"file": f"{job.id}.mp4", "name": "export.mp4", "content_type": "video/mp4"}
    with database.transaction():
        scope.update(Job, state=DONE, result=json.dumps(facts)).where(Job.id == job.id).execute()
    return f"/api/v1/jobs/{job.id}/result"
