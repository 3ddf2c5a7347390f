"""A service runs in a thread of its process, which ends when another worker has the service."""

import select
import threading

import pytest
import redis

from gateway.plugin_tasks import PluginService
from workers.plugins.service_process import LeaseWatch, ServiceRun


def run(function) -> ServiceRun:
    run = ServiceRun(PluginService("send", function))
    run.thread.start()
    run.thread.join(10)
    return run


def fail(_stop: threading.Event) -> None:
    raise ValueError("token=abcdefgh12345678 is wrong")


def leave(_stop: threading.Event) -> None:
    raise SystemExit(0)


def test_a_service_that_returns_has_no_error():
    assert run(lambda stop: None).error is None


@pytest.mark.parametrize(("function", "words"), [(fail, "ValueError: token=***"), (leave, "SystemExit: 0")])
def test_a_service_that_raises_is_told_without_secrets(function, words):
    assert words in run(function).error


class StubLeases:
    def __init__(self, holder) -> None:
        self._holder = holder

    def holder(self, kind, name):
        assert (kind, name) == ("service:notes", "send")
        if isinstance(self._holder, Exception):
            raise self._holder
        return self._holder


@pytest.mark.parametrize(
    ("holder", "ended"), [("mine", []), (None, []), (redis.ConnectionError(), []), ("another", [1])]
)
def test_only_another_holder_of_the_lease_ends_the_process(holder, ended):
    found = []
    LeaseWatch(StubLeases(holder), "service:notes", "send", "mine", found.append).look()
    assert found == ended


def test_the_end_of_a_run_can_be_waited_for():
    assert select.select([run(lambda stop: None).ended], [], [], 0)[0]
    assert select.select([run(leave).ended], [], [], 0)[0]
    waiting = ServiceRun(PluginService("send", lambda stop: None))
    assert not select.select([waiting.ended], [], [], 0)[0]
