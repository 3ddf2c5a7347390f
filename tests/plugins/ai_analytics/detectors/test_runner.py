"""A detector that fails costs its own answers alone: it is named, and started again after a pause that grows."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.detectors import Detection, Frame
from plugins.ai_analytics.detectors.runner import DetectorRunner

CHILD = str(Path(__file__).with_name("fake_child.py"))
BOX = Detection("person", 0.9, 0.1, 0.2, 0.3, 0.4)


def until(condition: Callable[[], object], what: str, seconds: float = 20) -> object:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.01)
    return found


@pytest.fixture
def run():
    runners = []

    def start(behaviour: str, **options) -> DetectorRunner:
        def command(name: str) -> list[str]:
            return [sys.executable, CHILD, behaviour]

        runners.append(DetectorRunner("fake", {}, command=command, **options))
        return runners[-1]

    yield start
    for runner in runners:
        runner.close()


def frame(device_id: str = "d1", at_ms: int = 1000) -> Frame:
    return Frame(device_id, at_ms, 300, 300, bytes(300 * 300 * 3))


def ask(runner: DetectorRunner, device_id: str = "d1", at_ms: int = 1000):
    until(lambda: runner.offer(device_id, frame(device_id, at_ms)), "a free detector")
    return until(lambda: runner.take(device_id), "an answer")


def test_each_picture_is_answered_with_its_time(run):
    runner = run("good")
    for at_ms in (1000, 1200):
        (answer,) = ask(runner, at_ms=at_ms)
        assert answer.at_ms == at_ms
        assert [one.label for one in answer.detections] == [BOX.label]
    figures = runner.figures()
    assert (figures["name"], figures["starts"], figures["problem"]) == ("fake", 1, None)
    assert figures["cpu_ms_per_picture"] == 1.5
    assert figures["memory_mb"] > 1


def test_devices_take_turns(run):
    runner = run("good")
    for number in range(5):
        runner.offer(f"d{number}", frame(f"d{number}"))
    for number in range(5):
        assert until(lambda n=number: runner.take(f"d{n}"), "an answer for each device")


def test_a_hanging_detector_is_ended_named_and_started_again(run):
    runner = run("hangs", answer_seconds=0.3)
    ask(runner)
    runner.offer("d1", frame())
    until(lambda: runner.problem, "the problem")
    assert "did not answer" in runner.problem
    assert runner.is_free("d1") is False
    ask(runner)
    assert runner.figures()["starts"] == 2


def test_a_detector_that_crashes_is_named_by_its_signal(run):
    runner = run("dies")
    ask(runner)
    runner.offer("d1", frame())
    until(lambda: runner.problem, "the problem")
    assert "signal 11" in runner.problem


def test_a_detector_that_grows_is_ended(run):
    runner = run("leaks", memory_mb=200)
    for number in range(3):
        if runner.problem is None:
            runner.offer("d1", frame(at_ms=number))
            until(lambda: runner.take("d1") or runner.problem, "an answer or the end")
    until(lambda: runner.problem, "the problem")
    assert "more than its limit of 200 MB" in runner.problem


@pytest.mark.parametrize(
    ("behaviour", "part"),
    [("garbage", "the model is garbage"), ("exits", "status 3"), ("babbles", "no message")],
)
def test_what_cannot_be_opened_or_understood_is_named(run, behaviour, part):
    runner = run(behaviour)
    runner.offer("d1", frame())
    until(lambda: runner.problem, "the problem")
    assert part in runner.problem


def test_nonsense_and_exceptions_cost_their_boxes_and_no_start(run):
    runner = run("nonsense")
    (answer,) = ask(runner)
    assert len(answer.detections) == 1
    assert "score" in runner.problem
    runner = run("raises")
    (answer,) = ask(runner)
    assert (answer.detections, runner.problem) == ([], "division by zero")
    ask(runner)
    assert runner.figures()["starts"] == 1


def test_closing_ends_a_hanging_process_at_once(run):
    runner = run("hangs")
    ask(runner)
    runner.offer("d1", frame())
    pid = runner._process.pid
    runner.close()
    runner.close()
    assert not Path(f"/proc/{pid}/status").exists()
    assert runner.offer("d1", frame()) is False


def test_a_device_that_is_gone_leaves_nothing(run):
    runner = run("good")
    runner.offer("d1", frame())
    runner.forget("d1")
    ask(runner, "d2")
    assert runner.take("d1") == []
