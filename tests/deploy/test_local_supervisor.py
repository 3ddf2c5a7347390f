"""`make run` stops everything in order, whoever watches it or not, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.contracts.repository import ROOT
from tests.stack import procfs

PROGRAM = """
import signal, sys, time
sys.path.insert(0, sys.argv[1])
from supervisor import Supervisor

class Stopped(Exception): ...

def stop(*_):
    raise Stopped

signal.signal(signal.SIGTERM, stop)
supervisor = Supervisor(sys.argv[2])
supervisor.start("child", sys.argv[3], {"PATH": "/usr/bin:/bin", "VAS_SUPERVISOR_TEST": sys.argv[2]})
try:
    while True:
        supervisor.check()
        time.sleep(0.02)
except Stopped:
    supervisor.say("stopping")
    supervisor.stop(({"child"}, 30))
"""


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator:
    """Starts a supervisor with one child, a shell script; gives its process."""
    started = []

    def start(script: str) -> subprocess.Popen:
        (tmp_path / "child.sh").write_text(script)
        arguments = [ROOT / "deploy/local", tmp_path, "sh child.sh"]
        started.append(subprocess.Popen([sys.executable, "-c", PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
    for pid in left(tmp_path):
        os.kill(pid, signal.SIGKILL)


def left(folder: Path) -> list[int]:
    """What the child's environment marks."""
    return procfs.find_by_environment("VAS_SUPERVISOR_TEST", str(folder))


def test_who_read_the_output_may_go_and_all_goes_on_and_is_stopped_as_asked(supervise, tmp_path):
    lines, asked = tmp_path / "lines", tmp_path / "asked"
    lines.touch()
    supervisor = supervise(
        f"trap 'echo > {asked}; exit 0' TERM\nwhile echo hello && echo hello >> {lines}; do sleep 0.02; done\n"
    )
    assert b"hello" in supervisor.stdout.readline()
    supervisor.stdout.close()
    written = lines.stat().st_size
    wait_until(lambda: lines.stat().st_size > written + 100, "the child goes on writing")
    supervisor.terminate()
    assert supervisor.wait(60) == 0
    assert asked.exists()
    assert left(tmp_path) == []


def test_what_a_killed_child_leaves_behind_is_ended_down_to_the_last_grandchild(supervise, tmp_path):
    supervisor = supervise("setsid sh -c 'setsid sh -c \"sleep 600; :\" & sleep 600; :' & echo hello; wait")
    assert b"hello" in supervisor.stdout.readline()
    wait_until(lambda: len(left(tmp_path)) >= 5, "all are there")
    supervisor.terminate()
    assert supervisor.wait(60) == 0
    assert left(tmp_path) == []
