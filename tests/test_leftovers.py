"""Threads that a test has started must have ended with its file."""

import threading
from collections.abc import Iterator

import pytest

from tests.leftovers import Leftovers, ThreadsLeft


@pytest.fixture
def leftovers() -> Iterator[Leftovers]:
    leftovers = Leftovers(patience_seconds=0)
    leftovers.pytest_sessionstart()
    yield leftovers
    leftovers.pytest_sessionfinish()


@pytest.fixture
def start() -> Iterator:
    ended = threading.Event()
    threads = []

    def start(name: str, run=ended.wait) -> threading.Thread:
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        threads.append(thread)
        return thread

    yield start
    ended.set()
    for thread in threads:
        thread.join()


def test_a_thread_that_a_test_has_left_is_named_once_with_its_test(leftovers, start):
    leftovers.item = "tests/test_a.py::test_it"
    start("busy")
    with pytest.raises(ThreadsLeft, match=r"'busy' of tests/test_a.py::test_it"):
        leftovers.check()
    leftovers.check()


def test_a_thread_belongs_to_the_test_of_the_thread_that_started_it(leftovers, start):
    leftovers.item = "tests/test_a.py::test_it"
    outer = start("outer", lambda: start("inner"))
    leftovers.item = "tests/test_b.py::test_other"
    outer.join()
    with pytest.raises(ThreadsLeft, match=r"'inner' of tests/test_a.py::test_it$"):
        leftovers.check()


def test_threads_of_fixtures_of_the_session_and_those_that_have_ended_are_no_leftovers(leftovers, start):
    leftovers.item = "tests/test_a.py::test_it"
    start("short", lambda: None).join()
    leftovers.wide = 1
    start("server")
    leftovers.check()
