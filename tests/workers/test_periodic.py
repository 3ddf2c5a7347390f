"""A periodic thread continues after failures, logs each only once, and ends when stopped."""

import threading

from gateway.errors import Unavailable
from tests.conftest import wait_until
from workers import periodic
from workers.periodic import PeriodicThread


def test_runs_continue_after_failures_and_end_when_stopped(monkeypatch, caplog):
    monkeypatch.setattr(periodic, "_RETRY_SECONDS", 0.0)
    errors = [Unavailable("the database is away"), Unavailable("the database is away"), RuntimeError("a mistake"), None]
    done = threading.Event()

    def task() -> float:
        error = errors.pop(0) if errors else None
        if error is not None:
            raise error
        done.set()
        return 60.0

    thread = PeriodicThread("cleanup", task)
    thread.start()
    thread.start()
    wait_until(done.is_set, "it has recovered from its failures")
    assert threading.active_count() > 1
    thread.stop()
    thread.stop()
    assert "cleanup" not in [one.name for one in threading.enumerate()]
    assert caplog.text.count("cleanup cannot continue now: the database is away") == 1
    assert "a run of cleanup failed" in caplog.text
