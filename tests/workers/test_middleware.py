"""The services of a worker process: created for its kind, slots counted, closed at the end."""

import ctypes
import subprocess
import sys
import textwrap
import threading

import pytest

from gateway.errors import PluginError
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


@pytest.mark.parametrize("kind", ["stream", "record"])
def test_a_plugin_that_cannot_be_loaded_stops_the_worker_from_starting(kind, monkeypatch, tmp_path):
    def fail(_config):
        raise PluginError("plugin 'broken' cannot be loaded")

    monkeypatch.setattr("workers.middleware.load_plugins", fail)
    services = WorkerServices(make_config(database_url=f"sqlite:///{tmp_path}/vas.db"))
    with pytest.raises(PluginError, match="broken"):
        services.boot(kind, None)


def test_used_slots_are_counted_whether_a_message_fails_or_not():
    services = WorkerServices(make_config())
    services.before_process_message(None, None)
    services.before_process_message(None, None)
    services.after_process_message(None, None, exception=RuntimeError("x"))
    assert services._used == 1


def test_a_closing_worker_withdraws_its_slots(redis_url, monkeypatch):
    client = connect_redis(redis_url)
    monkeypatch.setattr("workers.middleware._REPORT_SECONDS", 0.01)
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
