"""Plugins are asked whether their services are needed; one that fails or hangs has a service that is."""

import threading
from functools import partial

import pytest

from gateway.clock import FakeClock
from gateway.plugin_tasks import PluginService
from gateway.plugin_work.registrations import Registered
from tests.conftest import wait_until
from workers.plugins.needs import ASK_SECONDS, ServiceNeeds


class Asked:
    """Two plugins: `notes` with the services `send` and `plain`, `other` with `work`."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.answers: dict[str, object] = {"send": False, "work": False}
        self.proceed = threading.Event()
        self.calls: list[str] = []
        services = {name: PluginService(name, lambda stop: None, partial(self.answer, name)) for name in self.answers}
        notes = {"send": services["send"], "plain": PluginService("plain", lambda stop: None)}
        registered = {
            "notes": Registered("notes", services=notes),
            "other": Registered("other", services={"work": services["work"]}),
        }
        self.needs = ServiceNeeds(registered, self.clock)

    def answer(self, name: str) -> object:
        self.calls.append(name)
        answer = self.answers[name]
        if answer == "hang":
            self.proceed.wait(30)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def ask(self, *plugins: str, count: int) -> dict:
        self.clock.advance(ASK_SECONDS)
        found: dict = {}

        def turn() -> bool:
            found.update(self.needs.turn(plugins or ("notes", "other")))
            return len(found) >= count

        wait_until(turn, "the answers arrive")
        return found


@pytest.fixture
def asked():
    asked = Asked()
    yield asked
    asked.proceed.set()
    asked.needs.close()


def test_only_plugins_of_this_worker_are_asked_and_only_services_that_tell(asked):
    assert asked.ask("notes", count=1) == {("notes", "send"): False}
    asked.answers["send"] = True
    assert asked.needs.turn(("notes",)) == {}, "not before two seconds"
    assert asked.ask("notes", count=1) == {("notes", "send"): True}
    assert asked.calls == ["send", "send"]


def test_a_plugin_that_fails_has_a_service_that_is_needed(asked, caplog):
    for error in (ValueError("password=hunter2"), ValueError("password=hunter2"), SystemExit(3)):
        asked.answers["send"] = error
        assert asked.ask(count=2) == {("notes", "send"): True, ("other", "work"): False}
    assert caplog.text.count("notes/send counts as needed") == 2, "what stays the same is told once"
    assert "hunter2" not in caplog.text


def test_a_plugin_that_hangs_delays_no_other(asked):
    asked.answers["send"] = "hang"
    for _ in range(3):
        assert asked.ask(count=1) == {("other", "work"): False}
    assert asked.calls.count("send") == 1
    asked.answers["send"] = True
    asked.proceed.set()
    assert ("notes", "send") in asked.ask(count=2)
