"""The plugins worker: what it does with its keepers when options, migrations or other workers change."""

import types

import pytest
import redis

from gateway.clock import FakeClock
from gateway.database import DatabaseUnavailable
from gateway.isolation.guard import GUARD
from gateway.plugin_tasks import PluginService
from gateway.plugin_work.registrations import Registered
from gateway.plugin_work.services import ServiceState
from workers.plugins import supervisor
from workers.plugins.supervisor import PluginsWorker

RUNNING = ServiceState("running", "w1", 1)


class FakeKeeper:
    """Counts what is asked of it."""

    child = None

    def __init__(self) -> None:
        self.may_run = True
        self.needed_at = 0.0
        self.steps = self.again = self.closed = 0
        self.state = None

    def step(self) -> None:
        self.steps += 1

    def run_again(self) -> None:
        self.again += 1

    def view(self):
        return self.state

    def close(self) -> None:
        self.closed += 1


class FakeWorkers:
    def __init__(self) -> None:
        self.own: set[str] = set()
        self.reports: list[tuple] = []
        self.is_away = False

    def apart(self) -> set[str]:
        if self.is_away:
            raise redis.ConnectionError("away")
        return self.own

    def report(self, *values) -> None:
        self.reports.append(values)

    def withdraw(self, *values) -> None:
        self.reports.append(("withdrawn", *values))


class FakeStates:
    def __init__(self) -> None:
        self.known: dict[tuple[str, str], object] = {}

    def report(self, plugin, name, state) -> None:
        self.known[plugin, name] = state

    def withdraw(self, plugin, name, worker) -> None:
        del self.known[plugin, name]


@pytest.fixture
def missing(monkeypatch):
    missing: dict[str, str] = {}
    monkeypatch.setattr(supervisor, "missing_of_plugins", lambda registered: missing)
    return missing


@pytest.fixture
def world(missing):
    world = types.SimpleNamespace(clock=FakeClock(), workers=FakeWorkers(), states=FakeStates(), missing=missing)
    world.notes, world.other = FakeKeeper(), FakeKeeper()
    world.plugins = PluginsWorker(
        {"notes": Registered("notes"), "other": Registered("other")},
        frozenset(),
        keepers={("notes", "send"): world.notes, ("other", "send"): world.other},
        work=None,
        workers=world.workers,
        states=world.states,
        problems=types.SimpleNamespace(report=lambda *_: None),
        worker="w1",
        clock=world.clock,
        pause=lambda seconds: None,
    )

    def turn(seconds: float = 3.0) -> None:
        world.clock.advance(seconds)
        world.plugins.turn()

    world.turn = turn
    return world


def test_nothing_is_started_before_the_migrations_are_known(world, monkeypatch):
    def away(registered):
        raise DatabaseUnavailable("away")

    assert not world.notes.may_run
    with monkeypatch.context() as patch:
        patch.setattr(supervisor, "missing_of_plugins", away)
        world.turn()
        assert not world.notes.may_run
    world.turn()
    assert world.notes.may_run


def test_a_plugin_whose_migrations_are_missing_is_set_aside_alone(world, caplog):
    world.missing["notes"] = "its migration 1_create has not run"
    world.turn()
    world.turn()
    assert (world.notes.may_run, world.other.may_run) == (False, True)
    assert caplog.text.count("set aside") == 1
    assert [(one.plugin, one.state) for one in GUARD.problems.list()] == [("notes", "set_aside")]
    del world.missing["notes"]
    world.turn()
    assert world.notes.may_run
    assert GUARD.problems.list() == []


def test_a_plugin_with_a_worker_of_its_own_is_left_to_it(world):
    world.workers.own = {"notes"}
    world.turn()
    assert (world.notes.may_run, world.other.may_run) == (False, True)
    world.workers.is_away = True
    world.turn()
    assert (world.notes.may_run, world.other.may_run) == (False, True), "what was known still holds"
    world.workers.is_away, world.workers.own = False, set()
    world.turn()
    assert world.notes.may_run


def test_changed_options_start_the_services_of_the_plugin_again(world):
    world.plugins.options_changed("notes")
    world.turn(0.25)
    assert (world.notes.again, world.other.again) == (1, 0)
    world.turn(0.25)
    assert world.notes.again == 1


def test_states_are_reported_and_withdrawn(world):
    world.notes.state = RUNNING
    world.turn()
    assert world.states.known == {("notes", "send"): RUNNING}
    world.notes.state = None
    world.turn(0.25)
    assert world.states.known == {}, "a change is reported at once"
    world.other.state = RUNNING
    world.turn()
    world.plugins.stop()
    assert world.states.known == {}
    assert world.workers.reports[-1] == ("withdrawn", "w1", frozenset())
    assert (world.notes.closed, world.other.closed) == (1, 1)
    assert not world.notes.may_run


def test_a_defect_in_the_care_of_one_process_costs_that_one(world, monkeypatch, caplog):
    def fail() -> None:
        raise ChildProcessError("no child processes")

    monkeypatch.setattr(world.notes, "step", fail)
    monkeypatch.setattr(world.notes, "close", fail)
    world.turn()
    world.turn()
    assert world.other.steps == 2
    assert caplog.text.count("a step of the plugins worker failed") == 1
    world.plugins.stop()
    assert world.other.closed == 1
    assert world.workers.reports[-1] == ("withdrawn", "w1", frozenset())


def test_whether_a_service_is_needed_is_told_by_the_process_of_its_plugins(world):
    world.plugins.hear({"service": ["notes", "send"], "needed": False})
    assert world.notes.needed_at > world.clock.monotonic(), "for a while: the process may die"
    world.plugins.hear({"service": ["notes", "send"], "needed": True})
    assert world.notes.needed_at == 0.0
    for nonsense in ({"service": ["no", "such"], "needed": False}, {"service": 7}, {"service": ["notes"]}, {"beat": 1}):
        world.plugins.hear(nonsense)
    assert (world.notes.needed_at, world.other.needed_at) == (0.0, 0.0)


def test_a_service_that_tells_whether_it_is_needed_waits_for_the_first_answer(world):
    asking = Registered("notes", services={"send": PluginService("send", lambda stop: None, lambda: False)})
    keepers = {("notes", "send"): FakeKeeper(), ("other", "send"): FakeKeeper()}
    needed = [False]
    plugins = PluginsWorker(
        {"notes": asking, "other": Registered("other")},
        frozenset(),
        keepers=keepers,
        work=None,
        workers=world.workers,
        states=world.states,
        problems=types.SimpleNamespace(report=lambda *_: None),
        worker="w1",
        clock=world.clock,
        needs={("other", "send"): lambda: needed[0]},
    )
    assert keepers["notes", "send"].needed_at > world.clock.monotonic()
    plugins.turn()
    assert keepers["other", "send"].needed_at > world.clock.monotonic()
    needed[0] = True
    world.clock.advance(3.0)
    plugins.turn()
    assert keepers["other", "send"].needed_at == 0.0
