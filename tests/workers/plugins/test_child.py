"""A child process of the plugins worker, seen from outside."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import wait_until
from workers.plugins.child import ChildProcess, measure_groups
from workers.plugins.zygote import Zygote

#: A module that ends at once, and one that goes on until a signal.
ENDS, STAYS = "this", "tests.workers.plugins.staying"


@pytest.fixture
def start() -> Iterator:
    children = []

    def start(module: str) -> ChildProcess:
        children.append(ChildProcess(Zygote(), module, (), f"test_child@{os.getpid()}.{len(children)}"))
        return children[-1]

    yield start
    for child in children:
        child.kill()


def ended(child: ChildProcess) -> int:
    return wait_until(lambda: (code := child.poll()) is not None and (code,), "the process has ended", 20)[0]


def test_a_process_that_ends_while_it_is_asked_to_has_its_exit_code(start):
    child = start(ENDS)
    assert ended(child) == 0
    # Seen by nobody between `poll` and here: the request must not take the exit code away.
    child.terminate()
    assert child.poll() == 0
    assert child.poll() == 0


def test_a_process_that_dies_of_the_request_at_once_has_its_signal(start):
    """As one does that still starts, and has no handler yet."""
    child = start(STAYS)
    child.terminate()
    assert ended(child) == -signal.SIGTERM


def test_a_suspended_process_ends_when_it_is_asked_to(start):
    child = start(STAYS)
    os.kill(child.pid, signal.SIGSTOP)
    child.terminate()
    assert ended(child) == -signal.SIGTERM


def test_after_its_kill_nothing_happens_to_the_next_process_of_that_number(start):
    child = start(STAYS)
    child.kill()
    child.kill()
    child.terminate()
    assert child.poll() == -signal.SIGKILL


_MB = 1 << 20
#: Two processes of one group, after the first has written 40 MB that both share.
PROGRAM = """
import os, time
data = bytearray(os.urandom(4096)) * (40 << 8)
if os.fork() == 0:
    print("ready", flush=True)
time.sleep(60)
"""


def test_memory_that_forks_share_is_counted_once():
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], start_new_session=True, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout.readline() == "ready\n"
            found = wait_until(lambda: measure_groups([child.pid, 1 << 30]), "the group is measured")
            assert list(found) == [child.pid]
            seconds, size = found[child.pid]
            assert 40 * _MB < size < 80 * _MB
            assert seconds >= 0
        finally:
            os.killpg(child.pid, signal.SIGKILL)
