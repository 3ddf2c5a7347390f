"""`make run`: the page shown first, one run at a time, a run after one that was killed, a stop during start-up."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pytest

from tests.conftest import free_port, wait_until
from tests.contracts.repository import ROOT
from tests.stack import procfs


@pytest.fixture
def stack(monkeypatch):
    """deploy/local/stack.py with a clock that only its own sleeps advance."""
    folder = ROOT / "deploy/local"
    monkeypatch.syspath_prepend(folder)
    spec = importlib.util.spec_from_file_location("local_stack", folder / "stack.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(module, "time", clock)
    return module


@pytest.fixture
def stop_request(stack):
    """A stop request that handles the signals sent to the test's own process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    request = stack.StopRequest()
    request.install()
    yield request
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def supervisor(stop_request):
    """A supervisor that supervises nothing."""
    return SimpleNamespace(
        stop_request=stop_request, check=stop_request.check, console=SimpleNamespace(print=lambda _text: None)
    )


@pytest.mark.parametrize(
    ("running_since", "chosen"),
    [
        ({"Lighthouse": 1, "Valley Railway": 2, "Harbour": 4}, "Harbour"),
        ({"Lighthouse": 0, "Promenade": 8, "Harbour": 9}, "Promenade"),
        ({"Lighthouse": 0, "My own": 3}, "My own"),
        ({"Lighthouse": 0}, "Lighthouse"),
        ({}, None),
    ],
    ids=["the first soon", "another that stays", "one of the person's own", "the one that drops out", "none"],
)
def test_the_page_shown_first_is_that_of_a_camera_that_stays(stack, supervisor, monkeypatch, running_since, chosen):
    def streams(_url):
        now = stack.time.monotonic()
        return [
            {"device_name": name, "device_id": name, "observed": "running" if now >= since else "starting"}
            for name, since in running_since.items()
        ]

    monkeypatch.setattr(stack, "get_json", streams)
    assert stack.wait_for_picture("http://127.0.0.1:1", supervisor) == chosen


def test_a_second_run_is_refused_and_names_the_first(stack, tmp_path):
    with stack.run_lock(tmp_path / "run.lock") as lock:
        with pytest.raises(stack.StackError, match="just starting"):
            stack.run_lock(tmp_path / "run.lock")
        stack.note_run(lock, "process 7, http://127.0.0.1:8000/")
        with pytest.raises(stack.StackError, match=r"process 7, http://127\.0\.0\.1:8000/"):
            stack.run_lock(tmp_path / "run.lock")
    stack.run_lock(tmp_path / "run.lock").close()


def test_a_run_that_was_killed_is_recognized_by_the_note_it_left_in_the_lock_file(stack, tmp_path):
    for ends, was_cut_off in ((True, False), (False, False), (True, True), (True, False)):
        with stack.run_lock(tmp_path / "run.lock") as lock:
            assert stack.note_run(lock, "process 7") == was_cut_off
            if ends:
                stack.note_run(lock, "")


def test_ports_of_a_killed_run_are_waited_for_and_ports_of_other_programs_are_named(stack, supervisor, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = stack.Port("PORT", "127.0.0.1", held.getsockname()[1], "web")
        with pytest.raises(stack.StackError, match=f"port {port.number} .* is taken"):
            stack.check_ports([port], [], supervisor)
        assert stack.time.monotonic() == 0
        with pytest.raises(stack.StackError, match=f"port {port.number} .* is taken"):
            stack.check_ports([port], [], supervisor, 15)
        assert 15 <= stack.time.monotonic() < 16
        monkeypatch.setattr(stack.time, "sleep", lambda _seconds: held.close())
        stack.check_ports([port], [], supervisor, 15)


def test_a_stop_ends_the_wait_for_the_ports_of_a_killed_run(stack, supervisor, monkeypatch):
    monkeypatch.setattr(stack.time, "sleep", lambda _seconds: os.kill(os.getpid(), signal.SIGTERM))
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = stack.Port("PORT", "127.0.0.1", held.getsockname()[1], "web")
        with pytest.raises(stack.Stopped):
            stack.check_ports([port], [], supervisor, 15)


def test_a_stop_interrupts_a_network_call_and_nothing_else(stack, supervisor):
    reached = []

    def call():
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("the end of the call")

    call()
    assert reached == ["the end of the call"]
    supervisor.stop_request.is_set = False
    with pytest.raises(stack.Stopped):
        stack.wait_for("nothing", call, 15, supervisor)
    assert reached == ["the end of the call"]
    # A stop in progress is not cut short by further signals.
    call()
    assert reached == ["the end of the call"] * 2


def test_a_stop_requested_before_a_network_call_prevents_it(stack, supervisor):
    os.kill(os.getpid(), signal.SIGHUP)
    with pytest.raises(stack.Stopped):
        stack.call_interruptibly(lambda: pytest.fail("it was called"), supervisor)


MAIN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import stack
stack.ROOT = Path(sys.argv[2])
sys.exit(stack.main())
"""


@pytest.fixture
def make_run(tmp_path: Path) -> Iterator:
    """Start `make run` with a Procfile of shell commands, without Redis and the demo cameras; return its process."""
    started = []

    def start(procfile: str, settings: Mapping[str, str] = MappingProxyType({}), **outputs) -> subprocess.Popen:
        (tmp_path / "Procfile").write_text(procfile)
        env = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DEMO": "0", "VAR_DIR": str(tmp_path / "var"),
            "REDIS_URL": "redis://127.0.0.1:1/0", "PORT": str(free_port()), "SFU_PORT": str(free_port()),
            "SFU_WEBRTC_PORT": str(free_port()), "SFU_WORKERS": "1", "TIME_ZONE": "UTC", **settings,
        }  # fmt: skip
        command = [sys.executable, "-c", MAIN, str(ROOT / "deploy/local"), str(tmp_path)]
        started.append(subprocess.Popen(command, env=env, **outputs))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("name", ["release", "web"])
def test_a_signal_during_start_up_stops_in_order(make_run, tmp_path, name, number):
    shell = f"sh -c 'trap \"echo asked; touch asked; exit 0\" TERM; touch {name}; while sleep 0.02; do :; done'"
    lines = {"release": "echo prepared", "web": "true", name: shell}
    with (tmp_path / "output").open("wb") as output:
        run = make_run("".join(f"{name}: {line}\n" for name, line in lines.items()), stdout=output, stderr=output)
        wait_until((tmp_path / name).exists, f"{name} runs", 60)
        run.send_signal(number)
        assert run.wait(60) == 0
    printed = (tmp_path / "output").read_text().splitlines()
    assert (tmp_path / "asked").exists()
    assert any(line.endswith("asked") for line in printed), printed
    assert "  stopping …" in printed
    assert printed[-1].startswith("  stopped (")
    assert (tmp_path / "var/run.lock").read_text() == ""


def test_the_start_continues_without_a_reader_of_the_output(make_run, tmp_path):
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    try:
        run = make_run(
            "release: sh -c 'set -e; echo one; echo two'\nweb: sh -c 'touch web; exec sleep 600'\n",
            stdout=writing_end, stderr=writing_end,
        )  # fmt: skip
    finally:
        os.close(writing_end)
    wait_until((tmp_path / "web").exists, "the service is started", 60)
    run.terminate()
    assert run.wait(60) == 0


def test_an_error_is_printed_after_the_lines_that_explain_it(make_run, tmp_path):
    with (tmp_path / "output").open("wb") as output:
        run = make_run("release: sh -c 'echo the reason >&2; exit 3'\n", stdout=output, stderr=output)
        assert run.wait(60) == 1
    printed = [line for line in (tmp_path / "output").read_text().splitlines() if line]
    assert printed[0] == "the reason"
    assert printed[-1].endswith("failed; the lines above say why")


WORKER = """sh -c 'echo $$ $STREAM_PROCESSES >> workers; trap "exit 0" TERM; while sleep 0.02; do :; done'"""


def test_each_process_of_a_worker_is_restarted_alone(make_run, tmp_path):
    workers, output = tmp_path / "workers", tmp_path / "output"

    def pids() -> list[int]:
        lines = workers.read_text().splitlines() if workers.exists() else []
        assert all(line.endswith(" 1") for line in lines), "one process each, which starts no others"
        return [int(line.split()[0]) for line in lines]

    with output.open("wb") as file:
        procfile = f"release: true\nweb: sleep 600\nstream: {WORKER}\n"
        run = make_run(procfile, {"STREAM_PROCESSES": "3"}, stdout=file, stderr=file)
        wait_until(lambda: len(pids()) == 3, "three workers run", 60)
        killed, *others = pids()
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: len(pids()) == 4, "the killed one is started again", 60)
        assert all(procfs.is_alive(pid) for pid in others)
        run.terminate()
        assert run.wait(60) == 0
    assert "stream.1 was killed by signal 9; starting it again" in output.read_text()
    assert not any(procfs.is_alive(pid) for pid in pids())
