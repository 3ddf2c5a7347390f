"""Cost of many devices beside their media: the clock process, Redis and record workers, with cameras that cost nothing.

The stream worker, the record worker and the clock process are the product's own; FFmpeg is replaced by a timer, and
there is no SFU (bench/fleet_process.py). Half of the devices run always and half on demand; all are recorded.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway import database, migrations
from gateway.config import Config
from gateway.footage.recordings import Recording
from gateway.inventory import DeviceValues, NewRecording, create_device
from gateway.media import SourceInfo, VideoInfo
from gateway.secrets import SecretBox
from gateway.streams.model import Stream, request_start
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.stack.services import Postgres, Redis

from .machine import ROOT
from .options import Options
from .processes import read_cpu_seconds, read_pss_mb
from .report import Result, Table

COUNTS = (128, 256, 512)
_KINDS = ("stream", "record", "clock")
_SOURCE = SourceInfo(video=VideoInfo("h264", 1280, 720, 24.0, key_frame_interval_seconds=1.0))


class Fleet:
    """The processes of a fleet of fake cameras, in a temporary folder, on their own Redis and database."""

    def __init__(self, folder: Path, redis: Redis, database_url: str, count: int) -> None:
        self.folder = folder
        self.redis = redis
        self.count = count
        self._processes: dict[str, subprocess.Popen] = {}
        values = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis.url,
            "VAR_DIR": folder / "var",
            "RECORDINGS_DIR": folder / "recordings",
            "EXPORTS_DIR": folder / "exports",
            "CAPTURES_DIR": folder / "captures",
            "SECRET_KEY": secrets.token_hex(16),
            "SFU_SECRET": secrets.token_hex(16),
            "ALLOW_LOOPBACK_SOURCES": 1,
            "STREAM_SLOTS": count,
            "RECORD_SLOTS": count,
            # The bench itself fills a disk that may be nearly full.
            "LOG_LEVEL": "WARNING",
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        self._env = kept | {name: str(value) for name, value in values.items()}
        self.config = Config.from_environment(self._env)

    def add_devices(self) -> None:
        """Create the devices, and describe their cameras as an earlier run would have."""
        database.connect(self.config)
        migrations.migrate()
        scope, box = TenantScope(DEFAULT_TENANT_ID), SecretBox.from_config(self.config)
        recording = NewRecording("continuous", "UTC")
        with database.transaction():
            for number in range(self.count):
                mode = "on_demand" if number % 2 else "always"
                values = DeviceValues(
                    f"camera {number}", f"rtsp://127.0.0.1/{number}", start_mode=mode, idle_seconds=30
                )
                device = create_device(scope, values, box, recording=recording)
                if mode == "always":
                    request_start(scope, device.id)
            info = json.dumps({**_SOURCE.to_dict(), "source_version": 1})
            EVERY_TENANT.update(Stream, source_info=info).execute()

    def start(self) -> None:
        for kind in _KINDS:
            command = [sys.executable, "-m", "bench.fleet_process", kind, str(self.folder / f"{kind}.json")]
            with (self.folder / f"{kind}.log").open("ab") as log:
                self._processes[kind] = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=log, stderr=log)

    def wait_until_recorded(self, limit_seconds: float, say: Callable[[str], None]) -> tuple[float, float, int]:
        """Seconds until all streams ran and until all were recorded (or the limit), and how many are recorded."""
        started, running_after = time.monotonic(), limit_seconds
        next_message = 30.0
        while True:
            elapsed = time.monotonic() - started
            running, recording = self._count(Stream, "running"), self._count(Recording, "recording")
            if running == self.count:
                running_after = min(running_after, elapsed)
            if recording == running == self.count or elapsed > limit_seconds:
                return running_after, elapsed, recording
            if elapsed > next_message:
                say(f"{running} running, {recording} recorded after {elapsed:.0f} s")
                next_message += 30
            time.sleep(0.5)

    def measure(self, seconds: float) -> dict[str, Any]:
        """Counters a second by process, CPU in percent of one core, PSS and Redis calls, over `seconds`."""
        with contextlib.closing(self.redis.client()) as client:
            redis_pid = client.info("server")["process_id"]
            pids = {kind: process.pid for kind, process in self._processes.items()} | {"redis": redis_pid}
            client.config_resetstat()
            before = {kind: self._read(kind) for kind in _KINDS}
            cpu = {name: read_cpu_seconds(pid) for name, pid in pids.items()}
            started = time.monotonic()
            time.sleep(seconds)
            elapsed = time.monotonic() - started
            cpu = {name: (read_cpu_seconds(pid) - cpu[name]) * 100 / elapsed for name, pid in pids.items()}
            calls = {
                name.removeprefix("cmdstat_"): values["calls"] / elapsed
                for name, values in client.info("commandstats").items()
            }
            after = {kind: self._read(kind) for kind in _KINDS}
            clients = client.info("clients")["connected_clients"]
        rates = {
            kind: {
                name: (value - before[kind].get(name, 0)) / (after[kind]["at"] - before[kind]["at"])
                for name, value in after[kind].items()
                if name not in ("at", "pid")
            }
            for kind in _KINDS
        }
        return {
            "rates": rates,
            "cpu": cpu,
            "pss_mb": {name: read_pss_mb(pid) for name, pid in pids.items()},
            "redis_calls": sum(calls.values()),
            "redis_by_command": calls,
            "redis_clients": clients,
            "recorded": self._count(Recording, "recording"),
            "failed_reads": after["record"].get("failed_reads", 0),
        }

    def stop(self) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        database.close()

    def _count(self, model: type, observed: str) -> int:
        with database.session():
            return EVERY_TENANT.select(model).where(model.observed == observed).count()

    def _read(self, kind: str) -> dict[str, float]:
        return json.loads((self.folder / f"{kind}.json").read_text())


@contextmanager
def open_fleet(count: int, *, is_postgresql: bool) -> Iterator[Fleet]:
    """A fleet with its devices, not started yet."""
    folder = Path(tempfile.mkdtemp(prefix="vas-bench-"))
    folder.chmod(0o755)
    redis = Redis(folder / "redis")
    postgres = Postgres(folder / "postgres") if is_postgresql else None
    redis.start()
    try:
        if postgres is not None:
            postgres.create()
        url = postgres.url("vas") if postgres is not None else f"sqlite:///{folder}/vas.db"
        fleet = Fleet(folder, redis, url, count)
        fleet.add_devices()
        try:
            yield fleet
        finally:
            fleet.stop()
    finally:
        redis.stop()
        if postgres is not None:
            postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run(options: Options) -> Result:
    """Measure fleets of growing size on SQLite, and the middle one on PostgreSQL."""
    counts, seconds, limit = ((16,), 4.0, 60.0) if options.quick else (COUNTS, 20.0, 300.0)
    rows: list[list[str]] = []
    raw: dict[str, Any] = {}
    cases = [(count, False) for count in counts] + [(counts[len(counts) // 2], True)]
    for count, is_postgresql in cases:
        name = f"{count}, {'PostgreSQL' if is_postgresql else 'SQLite'}"
        options.say(name)
        with open_fleet(count, is_postgresql=is_postgresql) as fleet:
            fleet.start()
            running, recorded, _ = fleet.wait_until_recorded(limit, options.say)
            measured = fleet.measure(seconds)
        raw[name] = measured | {"running_after_seconds": running, "recorded_after_seconds": recorded}
        rows.append(_build_row(name, measured, running, recorded, limit))
    return Result(
        "fleet",
        "",
        {},
        tables=[
            Table(
                "Many devices (parts of half a second, half of the devices on demand, all recorded)",
                [
                    "devices",
                    "clock: statements/s",
                    "writes/s",
                    "CPU %",
                    "record: CPU %",
                    "PSS MB",
                    "stream: CPU %",
                    "Redis: calls/s",
                    "CPU %",
                    "connections",
                    "recorded",
                    "failed reads",
                    "all run after, s",
                    "all recorded after, s",
                ],
                rows,
            )
        ],
        notes=[
            "CPU is in percent of one core. One stream worker and one record worker, with a slot for each device.",
            "Cameras are timers inside the stream worker, so its CPU is that of parts without FFmpeg.",
        ],
        raw=raw,
    )


def _build_row(name: str, measured: dict[str, Any], running: float, recorded: float, limit: float) -> list[str]:
    rates, cpu = measured["rates"], measured["cpu"]
    return [
        name,
        f"{rates['clock'].get('statements', 0):.0f}",
        f"{rates['clock'].get('writes', 0):.1f}",
        f"{cpu['clock']:.1f}",
        f"{cpu['record']:.0f}",
        f"{measured['pss_mb']['record']:.0f}",
        f"{cpu['stream']:.0f}",
        f"{measured['redis_calls']:.0f}",
        f"{cpu['redis']:.1f}",
        str(measured["redis_clients"]),
        str(measured["recorded"]),
        str(int(measured["failed_reads"])),
        f"{running:.0f}" if running < limit else f"> {limit:.0f}",
        f"{recorded:.0f}" if recorded < limit else f"> {limit:.0f}",
    ]
