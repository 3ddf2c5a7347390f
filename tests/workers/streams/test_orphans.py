"""Processes left by a dead owner are found by their mark and killed; no others are."""

import os
import subprocess
import sys

import pytest

from tests.conftest import wait_until
from workers.ffmpeg.process import DEVICE_MARK
from workers.streams.orphans import end_orphaned_processes

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux exposes a process's environment"
)


@pytest.fixture
def sleeper():
    """Starts a process that carries a mark; it ends with the test."""
    started: list[subprocess.Popen] = []

    def start(mark: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", "print('up', flush=True); import time; time.sleep(60)"],
            env={**os.environ, DEVICE_MARK: mark},
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout.readline() == b"up\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(5)
        process.stdout.close()


def test_a_marked_process_is_killed(sleeper):
    left = sleeper("device-1")
    assert end_orphaned_processes("device-1") == [left.pid]
    wait_until(lambda: left.poll() is not None, "the process is gone")
    assert end_orphaned_processes("device-1") == []


def test_processes_of_other_devices_stay_alive(sleeper):
    others = [sleeper("device-10"), sleeper("xdevice-1"), sleeper("")]
    assert end_orphaned_processes("device-1") == []
    assert all(process.poll() is None for process in others)


def test_the_caller_does_not_kill_itself(monkeypatch):
    monkeypatch.setenv(DEVICE_MARK, "device-2")
    assert os.getpid() not in end_orphaned_processes("device-2")
