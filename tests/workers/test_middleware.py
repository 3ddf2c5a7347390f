"""The life cycle of a worker process: slots are counted, and its end is not cut short."""

import ctypes
import signal
import subprocess
import sys
import textwrap

import pytest

from gateway.leases import WorkerSlots
from gateway.redis_client import connect_redis
from tests.conftest import wait_until
from tests.factories import make_config
from workers.middleware import WorkerServices


def run_python(code: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def process():
    """A Python that handles SIGTERM as Dramatiq does: the second one would end it at once."""
    child = run_python("""
        import signal, sys
        from workers.middleware import take_sigterm_once

        def stop(number, frame):
            print("terminated", flush=True)

        signal.signal(signal.SIGTERM, stop)
        take_sigterm_once()
        print("ready", flush=True)
        for line in sys.stdin:
            print("alive", flush=True)
    """)
    assert child.stdout.readline() == "ready\n"
    yield child
    child.kill()
    child.wait(5)
    child.stdout.close()
    child.stdin.close()


def test_only_the_first_sigterm_takes_effect(process):
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "terminated\n"
    for _ in range(5):
        process.send_signal(signal.SIGTERM)
    process.stdin.write("still there?\n")
    process.stdin.flush()
    assert process.stdout.readline() == "alive\n", "the second signal neither reached it nor ended it"


def test_a_worker_ends_with_the_process_that_started_it():
    parent = run_python("""
        import os, signal, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", '''
        import time
        from workers.middleware import end_with_parent
        end_with_parent()
        print("up", flush=True)
        time.sleep(60)
        '''.replace("        ", "")], stdout=subprocess.PIPE)
        child.stdout.readline()
        print(child.pid, flush=True)
        time.sleep(60)
    """)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait(5)
    parent.stdout.close()
    parent.stdin.close()

    def is_gone() -> bool:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                return stat.read().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    wait_until(is_gone, "the worker has ended")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
@pytest.mark.parametrize(("said", "is_shared"), [(None, True), ("4", False)])
def test_all_threads_share_one_arena_unless_the_environment_sets_another_number(monkeypatch, said, is_shared):
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if said is not None:
        monkeypatch.setenv("MALLOC_ARENA_MAX", said)
    child = run_python("""
        import ctypes, threading
        from workers.middleware import share_one_arena

        share_one_arena()
        # All live at once: an arena that a thread has left is taken by the next.
        together = threading.Barrier(5)
        threads = [threading.Thread(target=lambda: (bytes(10_000), together.wait())) for _ in range(4)]
        for thread in threads:
            thread.start()
        together.wait()
        libc = ctypes.CDLL(None)
        libc.fdopen.restype = ctypes.c_void_p
        out = ctypes.c_void_p(libc.fdopen(1, b"w"))
        libc.malloc_info(0, out)
        libc.fflush(out)
    """)
    output = child.communicate(timeout=20)[0]
    assert (output.count("<heap nr=") == 1) == is_shared, output


def test_services_of_streams_are_refused_in_a_process_of_another_kind():
    with pytest.raises(RuntimeError, match="does not run streams"):
        _ = WorkerServices(make_config()).stream


def test_services_of_consumers_are_refused_in_a_process_of_another_kind():
    with pytest.raises(RuntimeError, match="does not feed consumer outputs"):
        _ = WorkerServices(make_config()).consumers


def test_used_slots_are_counted_whether_a_message_fails_or_not():
    services = WorkerServices(make_config())
    services.before_process_message(None, None)
    services.before_process_message(None, None)
    services.after_process_message(None, None, exception=RuntimeError("x"))
    assert services._used == 1


def test_a_closing_worker_withdraws_its_slots(redis_url, monkeypatch):
    client = connect_redis(redis_url)
    monkeypatch.setattr("workers.middleware._REPORT_SECONDS", 0.01)
    import threading

    services = WorkerServices(make_config(stream_slots=8))
    services.name, services._kind = "w1", "stream"
    slots = WorkerSlots(client)
    reporter = threading.Thread(target=services._report, args=(client, 8))
    reporter.start()
    wait_until(lambda: slots.read("stream") == {"w1": (0, 8)}, "the slots are reported")
    assert not services.is_closing
    services.before_worker_shutdown(None, None)
    reporter.join(5)
    assert services.is_closing
    assert slots.read("stream") == {}
    client.close()
