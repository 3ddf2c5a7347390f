"""`make run`: which camera's page a newcomer is sent to; one run at a time, and the one after a run that was killed."""

import importlib.util
import socket
import sys
from types import SimpleNamespace

import pytest

from tests.contracts.repository import ROOT


@pytest.fixture
def stack(monkeypatch):
    """deploy/local/stack.py, on a clock that only its own waiting moves."""
    folder = ROOT / "deploy/local"
    monkeypatch.syspath_prepend(folder)
    spec = importlib.util.spec_from_file_location("local_stack", folder / "stack.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(module, "time", clock)
    return module


@pytest.mark.parametrize(
    ("running_since", "chosen"),
    [
        ({"Lighthouse": 1, "Valley Railway": 2, "Harbour": 4}, "Harbour"),
        ({"Lighthouse": 0, "Promenade": 8, "Harbour": 9}, "Promenade"),
        ({"Lighthouse": 0, "My own": 3}, "My own"),
        ({"Lighthouse": 0}, "Lighthouse"),
        ({}, None),
    ],
    ids=["the first soon", "another that stays", "one of the person's own", "the one that drops out", "none"],
)
def test_the_page_shown_first_is_that_of_a_camera_that_stays(stack, monkeypatch, running_since, chosen):
    def streams(_url):
        now = stack.time.monotonic()
        return [
            {"device_name": name, "device_id": name, "observed": "running" if now >= since else "starting"}
            for name, since in running_since.items()
        ]

    monkeypatch.setattr(stack, "get_json", streams)
    assert stack.wait_for_picture("http://127.0.0.1:1", SimpleNamespace(check=lambda: None)) == chosen


def test_a_second_run_is_told_of_the_first(stack, tmp_path):
    with stack.run_lock(tmp_path / "run.lock") as lock:
        with pytest.raises(stack.StackError, match="just starting"):
            stack.run_lock(tmp_path / "run.lock")
        stack.note_run(lock, "process 7, http://127.0.0.1:8000/")
        with pytest.raises(stack.StackError, match=r"process 7, http://127\.0\.0\.1:8000/"):
            stack.run_lock(tmp_path / "run.lock")
    stack.run_lock(tmp_path / "run.lock").close()


def test_a_run_that_was_killed_is_known_by_what_it_could_not_take_back(stack, tmp_path):
    for ends, was_cut_off in ((True, False), (False, False), (True, True), (True, False)):
        with stack.run_lock(tmp_path / "run.lock") as lock:
            assert stack.note_run(lock, "process 7") == was_cut_off
            if ends:
                stack.note_run(lock, "")


def test_ports_that_a_killed_run_still_holds_are_waited_for_and_those_of_others_named(stack, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = stack.Port("PORT", "127.0.0.1", held.getsockname()[1], "web")
        with pytest.raises(stack.StackError, match=f"port {port.number} .* is taken"):
            stack.check_ports([port])
        assert stack.time.monotonic() == 0
        with pytest.raises(stack.StackError, match=f"port {port.number} .* is taken"):
            stack.check_ports([port], 15)
        assert 15 <= stack.time.monotonic() < 16
        monkeypatch.setattr(stack.time, "sleep", lambda _seconds: held.close())
        stack.check_ports([port], 15)
