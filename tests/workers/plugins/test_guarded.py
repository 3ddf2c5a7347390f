"""A plugin's function can raise, return or hang what it wants: its own call ends, with a reason."""

import contextlib
import threading
import time

import pytest

from gateway.clock import FakeClock
from gateway.errors import JobFailed, LeaseLost
from gateway.jobs.attempts import JobAttempt
from gateway.plugin_tasks import PluginJob
from workers.job_runner import JobCancelled
from workers.plugins.guarded import CANCEL_SECONDS, STUCK_SECONDS, Calls, Overdue, guard_job

ATTEMPT = JobAttempt("j1", "t1", None, "notes.copy", {}, 1, "w")


class FakeContext:
    """A job's context that can be cancelled."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def is_cancelled(self) -> bool:
        return self.cancelled.is_set()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def calls(clock):
    return Calls(clock)


def run(function, calls, clock):
    return guard_job(PluginJob("notes.copy", function, "Copy"), calls, clock)(ATTEMPT, FakeContext())


def raising(error):
    def work(attempt, context):
        raise error

    return work


@pytest.mark.parametrize(("returned", "result"), [({"a": [1]}, {"a": [1]}), (None, {})])
def test_a_result_is_a_json_object(calls, clock, returned, result):
    assert run(lambda attempt, context: returned, calls, clock) == result


@pytest.mark.parametrize(
    ("returned", "problem"),
    [([1], "must return a dict, not list"), ({"a": object()}, "is not JSON"), ({"a": "x" * 100_001}, "longer than")],
)
def test_any_other_result_is_a_failure(calls, clock, returned, problem):
    with pytest.raises(JobFailed, match=problem) as found:
        run(lambda attempt, context: returned, calls, clock)
    assert found.value.reason == "plugin_failed"


@pytest.mark.parametrize("error", [ValueError("token=abcdefgh12345678"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_is_raised_is_a_failure_of_the_job_without_secrets(calls, clock, error):
    with pytest.raises(JobFailed, match=type(error).__name__) as found:
        run(raising(error), calls, clock)
    assert "abcdefgh" not in found.value.message


@pytest.mark.parametrize("error", [JobFailed("no_footage", "nothing"), JobCancelled(), LeaseLost("lost")])
def test_what_ends_a_job_in_order_passes(calls, clock, error):
    with pytest.raises(type(error)):
        run(raising(error), calls, clock)


def test_a_cancelled_job_that_does_not_look_is_ended_after_some_time(calls, clock):
    context, begun, ended = FakeContext(), threading.Event(), []

    def deaf(attempt, context):
        begun.set()
        while True:
            try:
                time.sleep(0.001)
            except Exception:
                ended.append("swallowed")

    def work():
        try:
            guard_job(PluginJob("notes.copy", deaf, "Copy"), calls, clock)(ATTEMPT, context)
        except JobCancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert begun.wait(10)
    calls.end_overdue()
    context.cancelled.set()
    calls.end_overdue()
    clock.advance(CANCEL_SECONDS - 1)
    calls.end_overdue()
    assert thread.is_alive()
    clock.advance(2)
    calls.end_overdue()
    thread.join(10)
    assert ended == ["cancelled"]
    assert calls.stuck() is None


def test_a_call_that_does_not_return_to_python_is_stuck(calls, clock):
    begun, free = threading.Event(), threading.Lock()
    free.acquire()

    def hang():
        begun.set()
        # Waits in C, without a time limit: no exception can be raised in it.
        free.acquire()

    def work():
        with contextlib.suppress(Overdue):
            calls.run("the schedule notes/tidy", hang, lambda: Overdue)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert begun.wait(10)
    calls.end_overdue()
    assert calls.stuck() is None
    clock.advance(STUCK_SECONDS + 1)
    calls.end_overdue()
    assert calls.stuck() == "the schedule notes/tidy"
    free.release()
    thread.join(10)
    assert calls.stuck() is None


def test_an_exception_never_hits_what_follows_the_call(calls):
    """A call ends at the moment at which it is overdue, many times."""
    stop = threading.Event()

    def keep_ending():
        while not stop.is_set():
            calls.end_overdue()

    thread = threading.Thread(target=keep_ending, daemon=True)
    thread.start()
    ended = 0
    try:
        for _ in range(2000):
            try:
                calls.run("short", lambda: None, lambda: Overdue)
            except Overdue:
                ended += 1
            # Nothing is raised here.
            for number in range(50):
                str(number)
    finally:
        stop.set()
        thread.join(10)
    assert calls.stuck() is None
    assert 0 <= ended <= 2000
