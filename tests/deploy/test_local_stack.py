"""`make run`: which camera's page a newcomer is sent to."""

import importlib.util
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


@pytest.mark.parametrize(("running_since", "chosen"), [
    ({"Lighthouse": 1, "Valley Railway": 2, "Harbour": 4}, "Harbour"),
    ({"Lighthouse": 0, "Promenade": 8, "Harbour": 9}, "Promenade"),
    ({"Lighthouse": 0, "My own": 3}, "My own"),
    ({"Lighthouse": 0}, "Lighthouse"),
    ({}, None),
], ids=["the first soon", "another that stays", "one of the person's own", "the one that drops out", "none"])
def test_the_page_shown_first_is_that_of_a_camera_that_stays(stack, monkeypatch, running_since, chosen):
    def streams(_url):
        now = stack.time.monotonic()
        return [
            {"device_name": name, "device_id": name, "observed": "running" if now >= since else "starting"}
            for name, since in running_since.items()
        ]

    monkeypatch.setattr(stack, "get_json", streams)
    assert stack.wait_for_picture("http://127.0.0.1:1", SimpleNamespace(check=lambda: None)) == chosen
