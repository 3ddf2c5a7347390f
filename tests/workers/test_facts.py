"""A process loads its plugins once, at the first fact, and reports every fact to all of them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.hookspecs import hookimpl
from gateway.media import SnapshotFact
from tests.factories import no_plugins
from workers import facts


@pytest.fixture(autouse=True)
def without_loaded_plugins():
    facts._plugins.cache_clear()
    yield
    facts._plugins.cache_clear()


def test_plugins_are_loaded_once_and_get_every_fact(monkeypatch):
    loaded, reported = [], []

    class Plugin:
        @hookimpl
        def on_snapshot(self, device_id: str, snapshot: SnapshotFact) -> None:
            reported.append((device_id, snapshot.id))

    def load(_config):
        loaded.append(1)
        manager = no_plugins()
        manager.register(Plugin())
        return manager

    monkeypatch.setattr(facts, "load_plugins", load)
    made = [SnapshotFact(str(number), "live", 1, 2, 3, 4) for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda fact: facts.report_fact("on_snapshot", device_id="d1", snapshot=fact), made))
    assert loaded == [1]
    assert sorted(reported) == [("d1", fact.id) for fact in made]


def test_plugins_that_could_not_be_loaded_are_loaded_at_the_next_fact(monkeypatch):
    managers = iter([RuntimeError("a broken plugin"), no_plugins()])

    def load(_config):
        found = next(managers)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(facts, "load_plugins", load)
    with pytest.raises(RuntimeError, match="a broken plugin"):
        facts.report_fact("on_clip", device_id="d1", clip=None)
    facts.report_fact("on_clip", device_id="d1", clip=None)
