"""`make run` stops everything in order, whatever happens to its output, and leaves no process behind."""

import fcntl
import importlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import wait_until
from tests.contracts.repository import ROOT
from tests.stack import procfs

IMPORTS = """
import os, signal, sys, time, types
sys.path.insert(0, sys.argv[1])
import supervisor as module
from console import Console, open_standard_descriptors
from stop_request import Stopped, StopRequest
from supervisor import Supervisor

stop_request = StopRequest()
stop_request.install()
open_standard_descriptors()
console = Console(1)
environment = {"PATH": "/usr/bin:/bin", "VAS_SUPERVISOR_TEST": sys.argv[2]}
"""

PROGRAM = (
    IMPORTS
    + """
supervisor = Supervisor(sys.argv[2], stop_request, console)
try:
    supervisor.start("child", "sh child.sh", environment)
    while True:
        supervisor.check()
        time.sleep(0.02)
except Stopped:
    supervisor.report("stopping \\N{HORIZONTAL ELLIPSIS}")
    supervisor.stop(({"child"}, 30))
    console.flush(1)
"""
)

# The interpreter runs signal handlers after calls of C functions: the profiler sends the signal at just these points,
# in each round at the first one that had none yet.
SIGNAL_AFTER_EVERY_CALL = (
    IMPORTS
    + """
module.time = types.SimpleNamespace(monotonic=time.monotonic, sleep=lambda _seconds: time.sleep(0.001))
seen = set()

def send_signal_at_new_place(frame, event, function):
    place = (frame.f_code.co_name, frame.f_lineno, getattr(function, "__name__", ""))
    if event == "c_return" and place not in seen:
        sys.setprofile(None)
        seen.add(place)
        print(*place, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)

def run(supervisor):
    supervisor.start("lasting", "sleep 600", environment)
    supervisor.check()
    short = supervisor.start("short", "true", environment)
    sys.setprofile(None)
    short.process.wait()
    sys.setprofile(send_signal_at_new_place)
    supervisor.check()
    short.restart_at = 0
    supervisor.check()
    supervisor.run("true", environment)
    sys.setprofile(None)
    supervisor.stop_request.check()

is_complete = False
while not is_complete:
    stop_request.is_set = False
    supervisor = Supervisor(sys.argv[2], stop_request, console)
    sys.setprofile(send_signal_at_new_place)
    try:
        run(supervisor)
        is_complete = True
    except Stopped:
        sys.setprofile(None)
    supervisor.stop(({"lasting", "short"}, 30))
    for child in supervisor.children:
        # Stopped by SIGTERM, or ended by itself: not killed, nor lost.
        assert child.process.returncode in (-signal.SIGTERM, 0), (child.name, child.process.returncode)
    assert module.child_pids() == []
print(len(seen), "places", flush=True)
"""
)


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator:
    """Start a program, usually a supervisor whose one child is a shell script; return its process."""
    started = []

    def start(script: str, program: str = PROGRAM, **options) -> subprocess.Popen:
        (tmp_path / "child.sh").write_text(script)
        command = [sys.executable, "-c", program, str(ROOT / "deploy/local"), str(tmp_path)]
        started.append(subprocess.Popen(command, **{"stdout": subprocess.PIPE, **options}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    for pid in find_left(tmp_path):
        os.kill(pid, signal.SIGKILL)


def find_left(folder: Path) -> list[int]:
    """Return the processes that have the environment of the test's child."""
    return procfs.find_by_environment("VAS_SUPERVISOR_TEST", str(folder))


@pytest.fixture
def writing_child(tmp_path: Path) -> SimpleNamespace:
    """A child that writes lines to its output and to a file, and notes that it was asked to stop."""
    lines, asked = tmp_path / "lines", tmp_path / "asked"
    lines.touch()
    script = f"trap 'echo > {asked}; exit 0' TERM\nwhile echo hello && echo hello >> {lines}; do sleep 0.02; done\n"

    def wait_for_lines() -> None:
        written = lines.stat().st_size
        wait_until(lambda: lines.stat().st_size > written + 100, "the child continues to write", 60)

    return SimpleNamespace(script=script, wait_for_lines=wait_for_lines, asked=asked)


def test_a_signal_at_any_point_stops_every_child_in_order(supervise):
    program = supervise("", SIGNAL_AFTER_EVERY_CALL)
    output, _ = program.communicate(timeout=60)
    places = output.decode().splitlines()
    assert program.returncode == 0, places[-1]
    # The place where an exception from the handler once left the lock of Popen locked, and the stop waited for ever.
    assert any(place.startswith("_internal_poll") and place.endswith("acquire") for place in places)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_processes_continue_without_a_reader_of_the_output_and_stop_in_order(
    supervise, writing_child, tmp_path, number
):
    supervisor = supervise(writing_child.script)
    assert b"hello" in supervisor.stdout.readline()
    supervisor.stdout.close()
    writing_child.wait_for_lines()
    supervisor.send_signal(number)
    assert supervisor.wait(60) == 0
    assert writing_child.asked.exists()
    assert find_left(tmp_path) == []


def open_pipe_without_reader() -> list[int]:
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    return [writing_end]


def open_full_pipe() -> list[int]:
    """Return the writing end of a full pipe, and the reading end, which must stay open and is not read."""
    reading_end, writing_end = os.pipe()
    fcntl.fcntl(writing_end, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing_end, b"x" * 4096)
    return [writing_end, reading_end]


OUTPUTS = {
    "no reader": open_pipe_without_reader,
    "a full disk": lambda: [os.open("/dev/full", os.O_WRONLY)],
    "a reader that does not read": open_full_pipe,
    "a file opened for reading": lambda: [os.open(os.devnull, os.O_RDONLY)],
}


@pytest.mark.parametrize("kind", OUTPUTS)
@pytest.mark.parametrize("names", [("stdout",), ("stderr",), ("stdout", "stderr")], ids="+".join)
def test_an_output_that_accepts_nothing_neither_ends_nor_blocks_the_processes(
    supervise, writing_child, tmp_path, kind, names
):
    descriptors = OUTPUTS[kind]()
    try:
        outputs = {"stdout": subprocess.DEVNULL, **dict.fromkeys(names, descriptors[0])}
        supervisor = supervise(writing_child.script, **outputs)
        writing_child.wait_for_lines()
        supervisor.terminate()
        assert supervisor.wait(60) == 0
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    assert writing_child.asked.exists()
    assert find_left(tmp_path) == []


def test_closed_standard_descriptors_are_not_given_to_other_files(supervise, writing_child, tmp_path):
    program = PROGRAM.replace("console = Console(1)", "file = open('file', 'w'); console = Console(1)")
    supervisor = supervise(
        writing_child.script,
        f"import os; os.closerange(0, 3); os.chdir({str(tmp_path)!r})\n{program}",
    )
    writing_child.wait_for_lines()
    supervisor.terminate()
    assert supervisor.wait(60) == 0
    assert writing_child.asked.exists()
    assert (tmp_path / "file").read_text() == ""


def test_characters_that_the_locale_lacks_are_replaced(supervise, writing_child):
    supervisor = supervise(
        writing_child.script, env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    )
    assert b"hello" in supervisor.stdout.readline()
    supervisor.terminate()
    assert supervisor.wait(60) == 0
    assert b"       vas | stopping ?\n" in supervisor.stdout.read()


def test_further_signals_do_not_cut_a_stop_short(supervise, tmp_path):
    asked, proceed, done = tmp_path / "asked", tmp_path / "proceed", tmp_path / "done"
    supervisor = supervise(
        f"trap 'echo > {asked}; until test -e {proceed}; do sleep 0.02; done; echo > {done}; exit 0' TERM\n"
        "echo hello; while sleep 0.02; do :; done\n"
    )
    assert b"hello" in supervisor.stdout.readline()
    supervisor.terminate()
    supervisor.send_signal(signal.SIGHUP)
    wait_until(asked.exists, "the child is asked to stop", 60)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) * 3:
        supervisor.send_signal(number)
    proceed.touch()
    assert supervisor.wait(60) == 0
    assert done.exists()
    assert find_left(tmp_path) == []


def test_no_descendant_of_a_killed_child_remains(supervise, tmp_path):
    supervisor = supervise("setsid sh -c 'setsid sh -c \"sleep 600; :\" & sleep 600; :' & echo hello; wait")
    assert b"hello" in supervisor.stdout.readline()
    wait_until(lambda: len(find_left(tmp_path)) >= 5, "all processes are there")
    supervisor.terminate()
    assert supervisor.wait(60) == 0
    assert find_left(tmp_path) == []


@pytest.fixture
def load(monkeypatch):
    """Import a module of deploy/local, without the side effects of an import on other tests."""
    monkeypatch.syspath_prepend(ROOT / "deploy/local")

    def import_module(name: str):
        for module in ("console", "stop_request", "supervisor"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        return importlib.import_module(name)

    return import_module


def test_a_process_that_survives_sigkill_does_not_block_the_stop(load, monkeypatch):
    module = load("supervisor")
    monkeypatch.setattr(module, "libc", SimpleNamespace(prctl=lambda *_: 0))
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(module, "time", clock)
    # A process id above the kernel's limit: signals to it do nothing.
    monkeypatch.setattr(module, "child_pids", lambda: [(1 << 22) + 1])
    printed = []
    supervisor = module.Supervisor(ROOT, None, SimpleNamespace(print=printed.append))
    supervisor.stop(({"child"}, 30))
    assert now[0] <= 6
    assert "4194305" in printed[0]


def test_lines_beyond_the_queue_are_dropped_and_the_gap_is_reported(load, monkeypatch):
    module = load("console")
    monkeypatch.setattr(module, "MAX_QUEUED_LINES", 100)
    writing_end, reading_end = open_full_pipe()
    console = module.Console(writing_end)
    console.print(" 0")
    # The thread has taken the first line and waits for the pipe; otherwise it would make room in the queue later.
    wait_until(console._queue.empty, "the first line is being written", 10)
    for number in range(1, 1000):
        console.print(f" {number}")
    lines = []
    with os.fdopen(reading_end, "rb") as reader:
        thread = threading.Thread(target=lambda: lines.extend(line.split()[-1].decode() for line in reader))
        thread.start()
        console.flush(10)
        os.close(writing_end)
        thread.join(10)
    numbers, last = lines[:-1], lines[-1]
    assert 100 <= len(numbers) < 1000
    assert numbers == [str(number) for number in range(len(numbers))]
    assert last == module.LINES_MISSING.split()[-1]
