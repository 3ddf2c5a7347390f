"""An output that hangs or fails when it is asked for its devices is named; its last answer counts, others go on."""

import threading

import pytest

from gateway.isolation.guard import GUARD
from gateway.outputs import ConsumerOutput
from tests.conftest import wait_until
from workers.outputs import wanted
from workers.outputs.wanted import WantedDevices


class FakeOutput(ConsumerOutput):
    def __init__(self, name: str) -> None:
        self.name = self.plugin = name
        self.answer: object = ["d1"]
        self.proceed = threading.Event()
        self.proceed.set()
        self.calls = 0

    def wanted(self):
        self.calls += 1
        self.proceed.wait()
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def attach(self, device):
        raise AssertionError("the clock process attaches nothing")


@pytest.fixture
def outputs(monkeypatch):
    monkeypatch.setattr(wanted, "ANSWER_SECONDS", 0.05)
    made = [FakeOutput("bad"), FakeOutput("good")]
    yield made
    for output in made:
        output.proceed.set()


def problems() -> list[str]:
    return [f"{found.plugin}: {found.reason}" for found in GUARD.problems.list()]


def test_while_an_output_hangs_its_last_answer_counts_and_it_is_asked_once(outputs):
    bad, good = outputs
    devices = WantedDevices(outputs)
    assert devices.read() == {"bad": ["d1"], "good": ["d1"]}
    bad.proceed.clear()
    good.answer = ["d2"]
    for _ in range(3):
        assert devices.read() == {"bad": ["d1"], "good": ["d2"]}
    assert bad.calls == 2
    assert problems() == ["bad: output 'bad' does not say which devices it wants: its last answer counts"]
    bad.answer = ["d3"]
    bad.proceed.set()
    wait_until(lambda: devices.read()["bad"] == ["d3"], "it answers again")
    assert problems() == []


@pytest.mark.parametrize("wrong", [RuntimeError("no"), SystemExit(3), None, 7, [7], ["../etc"], ["d1"] * 100_001])
def test_an_output_that_fails_is_named_and_its_last_answer_counts(outputs, wrong, caplog):
    devices = WantedDevices(outputs)
    devices.read()
    outputs[0].answer = wrong
    assert devices.read() == {"bad": ["d1"], "good": ["d1"]}
    assert devices.read()["good"] == ["d1"]
    assert caplog.text.count("output 'bad' failed to list the devices it wants") == 1
