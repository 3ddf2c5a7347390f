"""Calls of plugins run in order in threads of their own; what one raises or how long it takes is told to its caller."""

import logging
import threading

import pytest

from gateway.isolation import threads
from gateway.isolation.guard import GUARD
from gateway.isolation.threads import PluginBusy, PluginLate, PluginQuit, PluginThread, call_once, note_slow_calls
from tests.conftest import wait_until


@pytest.fixture
def thread():
    thread = PluginThread("bad", "bad thread", most_waiting=3)
    yield thread
    thread.close()


def raises(error: BaseException):
    def call() -> None:
        raise error

    return call


@pytest.mark.parametrize(
    ("raised", "expected"),
    [(ValueError("no"), ValueError), (SystemExit(3), PluginQuit), (KeyboardInterrupt(), PluginQuit)],
)
def test_what_a_call_raises_reaches_its_caller_and_the_thread_goes_on(thread, raised, expected):
    with pytest.raises(expected):
        thread.call("take", raises(raised), seconds=5)
    assert thread.call("take", lambda: 7, seconds=5) == 7


def test_calls_run_in_order(thread):
    found = []
    futures = [thread.submit("take", found.append, number) for number in range(3)]
    for future in futures:
        future.result(5)
    assert found == [0, 1, 2]


def test_a_call_that_is_late_goes_on_and_its_caller_too(thread):
    proceed = threading.Event()
    with pytest.raises(PluginLate, match=r"take did not return within 0.01 s"):
        thread.call("take", proceed.wait, seconds=0.01)
    assert thread.busy[0] == "take"
    proceed.set()
    assert thread.call("take", lambda: 7, seconds=5) == 7


def test_more_calls_than_its_queue_takes_are_refused(thread):
    proceed = threading.Event()
    thread.submit("take", proceed.wait)
    wait_until(lambda: thread.busy is not None, "the first call runs")
    for _ in range(3):
        thread.submit("take", proceed.wait)
    with pytest.raises(PluginBusy, match="plugin 'bad' is too slow: 3 calls wait"):
        thread.submit("take", proceed.wait)
    proceed.set()


def test_a_call_that_hangs_is_left_to_its_thread_and_later_ones_run(thread):
    proceed, finished = threading.Event(), threading.Event()
    thread.submit("take", proceed.wait)
    wait_until(lambda: thread.busy is not None, "the call runs")
    waiting = thread.submit("take", lambda: 7)
    thread.abandon(finished.set)
    assert waiting.result(5) == 7
    assert thread.abandoned() == 1
    assert not finished.is_set()
    proceed.set()
    assert finished.wait(5)
    wait_until(lambda: thread.abandoned() == 0, "the call has returned")


def test_a_slow_call_is_named_once_and_until_it_returns(thread, monkeypatch, caplog):
    monkeypatch.setattr(threads, "SLOW_SECONDS", 0.0)
    proceed = threading.Event()
    thread.submit("on_segment", proceed.wait)
    wait_until(lambda: thread.busy is not None, "the call runs")
    with caplog.at_level(logging.INFO):
        note_slow_calls()
        note_slow_calls()
    (problem,) = [found for found in GUARD.problems.list() if found.plugin == "bad"]
    assert problem.reason.startswith("'on_segment' has not returned for ")
    assert caplog.text.count("plugin 'bad' is slow (plugin_slow)") == 1
    proceed.set()
    wait_until(lambda: thread.busy is None, "the call has returned")
    note_slow_calls()
    assert GUARD.problems.list() == []


def test_closing_gives_waiting_calls_their_time():
    thread, found = PluginThread("good", "good"), []
    for number in range(3):
        thread.submit("on_segment", found.append, number)
    thread.close(5)
    thread.close()
    assert found == [0, 1, 2]


def test_one_call_may_have_a_thread_of_its_own():
    assert call_once("good", "load", lambda a, b: a + b, 1, 2, seconds=5) == 3
