"""Finds threads that a test file has left running: they would use the database of later tests."""

import threading
import time
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import pytest

from tests.findings import note_finding

#: Threads that end by themselves soon are waited for.
_PATIENCE_SECONDS = 5.0
#: The first words of the names of threads that the product starts once and keeps until its process ends.
_KEPT = ("archive ", "asyncio_", "console", "source-", "wanted ")


class ThreadsLeft(AssertionError):
    """A test file has left threads running."""


class Leftovers:
    """A pytest plugin: knows which test started a thread; at the end of a file, none of them may be running.

    Threads of fixtures of a package or of the session go on.
    """

    def __init__(self, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self.item = ""
        self.wide = 0
        self._start = threading.Thread.start
        #: The tests of threads, "" for one of a fixture that outlives the file.
        self._tests: WeakKeyDictionary[threading.Thread, str] = WeakKeyDictionary()

    def pytest_sessionstart(self) -> None:
        plugin, start = self, self._start

        def noted_start(thread: threading.Thread) -> None:
            # A thread of a thread belongs to the same test.
            own = "" if plugin.wide else plugin.item
            plugin._tests[thread] = plugin._tests.get(threading.current_thread(), own)
            start(thread)

        threading.Thread.start = noted_start

    def pytest_sessionfinish(self) -> None:
        threading.Thread.start = self._start

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef) -> Iterator[None]:
        is_wide = fixturedef.scope in {"session", "package"}
        self.wide += is_wide
        try:
            return (yield)
        finally:
            self.wide -= is_wide

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.item = item.nodeid
        try:
            return (yield)
        finally:
            self.item = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
        yield
        if nextitem is None or nextitem.path != item.path:
            try:
                self.check()
            except ThreadsLeft as error:
                # Those of tests with services are only named, at the end of the run.
                if not _has_services(item):
                    raise
                note_finding(item, str(error))

    def check(self) -> None:
        """Raise ThreadsLeft if threads of a test are running."""
        deadline = time.monotonic() + self._patience_seconds
        while left := [thread for thread in threading.enumerate() if self._is_of_a_test(thread)]:
            if time.monotonic() >= deadline:
                named = ", ".join(sorted(f"'{thread.name}' of {self._tests[thread]}" for thread in left))
                # Not to be reported again.
                self._tests.update(dict.fromkeys(left, ""))
                raise ThreadsLeft(f"threads are running that tests have started: {named}")
            time.sleep(0.02)

    def _is_of_a_test(self, thread: threading.Thread) -> bool:
        return bool(self._tests.get(thread)) and not thread.name.startswith(_KEPT)


def _has_services(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("integration", "e2e", "faults"))
