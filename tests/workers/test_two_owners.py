"""Two worker processes never own a device at once, also when the first one stops for longer than its lease."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway import database
from gateway.streams.model import request_start, request_stop
from tests.conftest import wait_until
from tests.factories import make_config, make_device
from tests.workers.slow_owner import LEASE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 3 * LEASE_SECONDS


@pytest.fixture
def device(sqlite_url, scope, box):
    database.connect(make_config(database_url=sqlite_url))
    device = make_device(scope, box, source_url="rtsp://10.0.0.1/x")
    request_start(scope, device.id)
    yield device.id
    database.close()


@pytest.fixture
def start(device, sqlite_url, redis_url, tmp_path) -> Iterator[Callable[[str], subprocess.Popen]]:
    processes: list[subprocess.Popen] = []

    def start(kind: str) -> subprocess.Popen:
        arguments = [kind, sqlite_url, redis_url, device, str(tmp_path / "marks"), str(STOP_SECONDS)]
        command = [sys.executable, "-m", "tests.workers.slow_owner", *arguments]
        processes.append(subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("kind", "is_shutdown"), [("stream", True), ("stream", False), ("record", True)], ids=["shutdown", "wish", "record"]
)
def test_the_next_owner_begins_when_the_slow_stop_has_ended(kind, is_shutdown, device, start, scope, tmp_path):
    marks = tmp_path / "marks"

    def lines() -> list[str]:
        return marks.read_text().splitlines() if marks.exists() else []

    first = start(kind)
    wait_until(lambda: f"begun {first.pid}" in lines(), "the first worker owns the device", 20)
    second = start(kind)
    if is_shutdown:
        first.send_signal(signal.SIGTERM)
    else:
        request_stop(scope, device)
        wait_until(lambda: f"asked {first.pid}" in lines(), "the first worker stops", 10)
        request_start(scope, device)
    wait_until(lambda: f"begun {second.pid}" in lines(), "the second worker owns the device", 20)
    assert lines() == [f"{what} {first.pid}" for what in ("begun", "asked", "ended")] + [f"begun {second.pid}"]
