"""A worker that needs too much memory ends in order; the plugin is blamed only if it is the only one there."""

import pytest

from gateway.isolation.deaths import Deaths
from gateway.isolation.guard import FOLDER, GUARD, Guard
from workers.outputs import memory
from workers.outputs.memory import MemoryLimit, read_memory


@pytest.mark.parametrize(("plugins", "blamed"), [({"leaking"}, True), ({"leaking", "good"}, False), (set(), False)])
def test_a_worker_over_its_limit_ends_once(tmp_path, plugins, blamed, monkeypatch, caplog):
    guard = Guard()
    guard.watch(tmp_path)
    monkeypatch.setattr(memory, "GUARD", guard)
    stops = []
    for number in range(1, 4):
        limit = MemoryLimit("outputs", 100, lambda: plugins, read=lambda: 101, stop=lambda: stops.append(1))
        limit.check()
        limit.check()
        assert len(stops) == number
    assert (Deaths(tmp_path / FOLDER).aside("leaking") is not None) is blamed
    assert "OUTPUT_MEMORY_MB" in caplog.text


def test_a_worker_below_its_limit_goes_on():
    MemoryLimit("outputs", 100, lambda: {"one"}, read=lambda: 100, stop=lambda: pytest.fail("it stopped")).check()


def test_the_memory_of_this_process_is_known():
    assert read_memory() > 1 << 20
    assert GUARD.aside("one") is None
