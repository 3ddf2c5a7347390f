"""The web process among clients that wait, stall or send slowly: latency of a short request, and memory."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from gateway import database, migrations
from gateway.config import Config
from gateway.jobs.model import DONE, Job, create_job
from gateway.media import Part
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from gateway.streams.bus import BusWriter
from gateway.streams.model import request_start
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.conftest import PostgresServer, RedisServer
from tests.factories import SECRET_KEY, SFU_SECRET, make_config, make_device
from tests.web_process import WebProcess

from .options import Options
from .processes import read_cpu_seconds, read_pss_mb
from .report import Result, Table
from .statistics import spread

DEVICES, WATCHED = 20, 10
WAITERS, STALLED, HEADS, BODIES = 1000, 200, 200, 50
#: Pace of the parts, which release all players at once.
PART_SECONDS = 4.0
PROBE_SECONDS, TIMEOUT_SECONDS = 20.0, 10.0
FILE_BYTES = 256 << 20
#: Milliseconds for the 95th percentile of GET /devices.
BUDGET = 100


def run(options: Options) -> Result:
    """Measure without and with the clients, on SQLite and PostgreSQL; with and without new parts."""
    result = Result("web_waiters", "", {})
    rows = []
    for name, open_database in {"SQLite": _sqlite, "PostgreSQL": _postgresql}.items():
        with tempfile.TemporaryDirectory() as folder, open_database(Path(folder)) as url:
            for row, figures in _measure(Path(folder), url, options):
                rows.append([f"{name}, {row[0]}", *row[1:]])
                print("  " + "  ".join(rows[-1]), flush=True)
                result.raw[rows[-1][0]] = figures
    result.tables.append(
        Table(
            "GET /devices from a new connection, ms",
            ["", "median", "p95", "most", "failed", "live: p95", "memory, MB", "CPU, % of a core", "budget"],
            rows,
        )
    )
    result.notes = [
        f"The clients: {WAITERS} players in blocking reloads of {WATCHED} devices, {STALLED} downloads of 256 MB that "
        f"are not read, {HEADS} requests whose head and {BODIES} whose body comes a line or byte in 5 s. Whoever is "
        "cut off comes back.",
        "'live: p95' is GET /health/live. Memory is the PSS of all processes of the web server.",
    ]
    return result


def _measure(folder: Path, url: str, options: Options) -> Iterator[tuple[list[str], dict[str, Any]]]:
    redis = RedisServer(folder)
    redis.start()
    config = make_config(database_url=url, redis_url=redis.url, exports_dir=folder / "exports", var_dir=folder)
    device_ids, file_url = _prepare(config)
    web = WebProcess(
        folder / "web.log",
        {
            "DATABASE_URL": url,
            "REDIS_URL": redis.url,
            "SECRET_KEY": SECRET_KEY,
            "SFU_SECRET": SFU_SECRET,
            "VAR_DIR": str(folder),
            "EXPORTS_DIR": str(config.exports_dir),
        },
    )
    cameras = Cameras(config, device_ids[:WATCHED])
    share = 10 if options.quick else 1
    try:
        cameras.send()
        web.start()
        yield _probe("alone", web, options)
        for title, interval in (("with the clients", 0.0), (f"and a new part each {PART_SECONDS:g} s", PART_SECONDS)):
            cameras.interval = interval
            load = _start_load(web, device_ids, file_url, cameras.query, share)
            try:
                time.sleep(3 if options.quick else 10)
                yield _probe(title, web, options, load)
            finally:
                load.kill()
                load.wait()
    finally:
        cameras.close()
        web.stop()
        redis.stop()
        database.close()


class Cameras:
    """Writes small parts for the watched devices."""

    def __init__(self, config: Config, device_ids: list[str]) -> None:
        client = connect_redis(config.redis_url)
        self._writers = [BusWriter(client, device_id, window_seconds=15, max_bytes=1 << 20) for device_id in device_ids]
        for writer in self._writers:
            writer.open_run(1, b"init")
        self._sent = 0
        self._now = time.time() - 20
        self.interval = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def query(self) -> str:
        """The first reload of a player."""
        return f"_HLS_msn={self._sent // 4 + 1}&_HLS_part=3"

    def send(self, count: int = 20) -> None:
        for _ in range(count):
            self._sent += 1
            for writer in self._writers:
                self._now += 0.5 / len(self._writers)
                writer.publish(
                    Part(writer.device_id, 1, self._sent, self._now, 0.5, self._sent % 4 == 1, 12, b"x" * 4096)
                )
        if not self._thread.is_alive():
            self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._ended.wait(self.interval or 0.2):
            if self.interval:
                self.send(1)


def _prepare(config: Config) -> tuple[list[str], str]:
    database.connect(config)
    migrations.migrate()
    scope, box = TenantScope(DEFAULT_TENANT_ID), SecretBox.from_config(config)
    device_ids = [make_device(scope, box).id for _ in range(DEVICES)]
    for device_id in device_ids:
        request_start(scope, device_id)
    job, _ = create_job(scope, "export", {}, device_id=device_ids[0])
    config.exports_dir.mkdir(parents=True)
    with (config.exports_dir / f"{job.id}.mp4").open("wb") as file:
        file.truncate(FILE_BYTES)
    facts = {"file": f"{job.id}.mp4", "name": "export.mp4", "content_type": "video/mp4"}
    with database.transaction():
        scope.update(Job, state=DONE, result=json.dumps(facts)).where(Job.id == job.id).execute()
    return device_ids, f"/api/v1/jobs/{job.id}/result"


def _start_load(web: WebProcess, device_ids: list[str], file_url: str, query: str, share: int) -> subprocess.Popen:
    paths = [f"--playlist=/api/v1/recordings/devices/{device_id}/playlist" for device_id in device_ids[:WATCHED]]
    counts = {"waiters": WAITERS // WATCHED, "stalled": STALLED, "heads": HEADS, "bodies": BODIES}
    numbers = [f"--{name}={count // share}" for name, count in counts.items()]
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "bench.web_load", str(web.port), *paths),
            *(f"--query={query}", f"--file={file_url}", *numbers),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )


def _probe(
    title: str, web: WebProcess, options: Options, load: subprocess.Popen | None = None
) -> tuple[list[str], dict[str, Any]]:
    taken: dict[str, list[float]] = {"devices": [], "health/live": []}
    failed = 0
    begun, cpu = time.monotonic(), _cpu(web)
    while time.monotonic() - begun < (5 if options.quick else PROBE_SECONDS):
        for path, times in taken.items():
            started = time.monotonic()
            with suppress(requests.RequestException):
                if requests.get(f"{web.url}/{path}", timeout=TIMEOUT_SECONDS).ok:
                    times.append((time.monotonic() - started) * 1000)
                    continue
            failed += 1
            times.append(TIMEOUT_SECONDS * 1000)
        time.sleep(0.05)
    busy = (_cpu(web) - cpu) / (time.monotonic() - begun) * 100
    figures = {name: spread(times) for name, times in taken.items()}
    memory = sum(read_pss_mb(pid) for pid in [web.pid, *web.workers()])
    devices = figures["devices"]
    row = [title, *(f"{devices[name]:.0f}" for name in ("median", "p95", "most")), str(failed)]
    row += [f"{figures['health/live']['p95']:.0f}", f"{memory:.0f}", f"{busy:.0f}", str(BUDGET)]
    state = {}
    if load is not None:
        load.send_signal(2)
        state = json.loads(load.communicate(timeout=60)[0].splitlines()[-1])
    return row, {**figures, "failed": failed, "memory_mb": memory, "cpu": busy, "clients": state, "taken": taken}


def _cpu(web: WebProcess) -> float:
    return sum(read_cpu_seconds(pid) for pid in [web.pid, *web.workers()])


@contextmanager
def _sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'vas.db'}"


@contextmanager
def _postgresql(_folder: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="vas-postgres-") as place:
        server = PostgresServer(Path(place))
        server.create()
        server.start()
        try:
            yield server.url()
        finally:
            server.stop()
