"""Children are forks of the zygote, which differ from started ones in nothing but their memory."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import wait_until
from tests.contracts.repository import ROOT
from tests.stack import procfs
from workers.plugins.marks import CHILD_MARK, WORKER_MARK, make_room, with_room, write_marks

MODULE = "tests.workers.plugins.zygote_trial"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the zygote needs Linux"),
]


def play(scene: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", MODULE, scene],
        cwd=ROOT, env={**os.environ, "TRIAL": "yes", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_a_fork_is_as_a_process_that_a_command_has_started():
    scene = play("forks")
    for one, mark in zip(scene["seen"], ("trial/fork@home", "trial/other@home"), strict=True):
        assert one["parent"] == scene["worker"], "its end is seen by the worker, and it ends with it"
        assert one["session"] == one["pid"]
        assert one["descriptors"] == sorted({0, 1, 2, one["pipe"]})
        assert (one["input"], one["threads"], one["term"]) == ("/dev/null", 1, True)
        assert one["marks"] == [mark, scene["mark"]]
        assert one["seen"] == [f"{CHILD_MARK}={mark}", f"{WORKER_MARK}={scene['mark']}"], "found by others"
        assert one["inherited"], "the rest of its environment is there"
        assert one["command"].startswith(f"python -m {MODULE} wait")
        assert one["plugins"] == [], "no module of a plugin"
        assert one["private"] * 2 < one["resident"], "most of its memory is shared"
    first, second = scene["seen"]
    assert first["number"] != second["number"]
    assert scene["codes"] == [-15, 7, 1]
    assert MODULE in scene["long"], "a mark without room: it is started by a command"


def test_what_a_child_has_started_is_killed_and_reaped_after_its_end():
    assert play("leftovers")["left"] is False


def test_what_a_child_has_started_does_not_outlive_the_worker():
    scene = play("killed_worker")

    def alive() -> list[int]:
        return procfs.find_by_environment(WORKER_MARK, scene["mark"])

    wait_until(lambda: not alive(), "nothing of the worker is alive", 10)
    assert not procfs.is_alive(scene["left"])


def test_a_zygote_that_dies_or_hangs_delays_nothing_and_is_replaced():
    scene = play("dead_zygote")
    assert scene["marks"] == [["trial/fork@home", scene["mark"]]] * 2
    assert scene["last"]["private"] * 2 < scene["last"]["resident"], "a fork again"
    assert scene["last"]["parent"] == scene["worker"]


def test_marks_need_room_in_the_environment(monkeypatch):
    with pytest.raises(ValueError, match="no room for marks"):
        write_marks({CHILD_MARK: "a"}, "title")
    started = []
    monkeypatch.setattr(os, "execve", lambda *arguments: started.append(arguments))
    monkeypatch.delenv(CHILD_MARK, raising=False)
    make_room()
    ((program, _, environment),) = started
    assert program == sys.executable
    assert next(iter(environment)) == CHILD_MARK
    monkeypatch.setenv(CHILD_MARK, environment[CHILD_MARK])
    make_room()
    assert len(started) == 1, "once is enough"
    assert CHILD_MARK not in os.environ
    assert list(with_room({"A": "b", CHILD_MARK: "c"})) == [CHILD_MARK, "A"]
