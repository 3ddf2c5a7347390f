"""A restart of `make run`, as for a change of settings, costs each camera one short hole in its footage."""

import time

import pytest

from tests.faults.report import Loss
from tests.stack.local_stack import LocalStack

BUDGET_SECONDS = 8
#: Starting six interpreters takes several times as long while another suite runs.
MARGIN_SECONDS = 30
#: One of the four drops out by itself.
STEADY = ("Harbour", "Promenade", "Valley Railway")


@pytest.fixture
def local_stack():
    with LocalStack() as stack:
        stack.start()
        stack.wait_recorded(len(STEADY), time.time() + 1)
        yield stack


def position(stack: LocalStack, since: int, *words: str) -> int:
    """The number of the first line of the output that contains all words."""
    return next(n for n in range(since, len(stack.lines)) if all(word in stack.lines[n][1] for word in words))


def test_a_restart_stops_cameras_last_starts_them_first_and_starts_each_once(local_stack, report):
    stack, since, first = local_stack, time.time(), len(local_stack.lines)
    stack.stop()
    stack.start()
    stack.wait_recorded(len(STEADY), time.time() + 0.5)
    ready = time.time()
    # A second start of a stream, for an output that came too late, would follow at its next check.
    stack.wait_recorded(len(STEADY), ready + 12)
    holes = {name: stack.holes(since)[name] for name in STEADY}
    for name, found in holes.items():
        lost = sum(hole.seconds for hole in found)
        report.add_loss(Loss(f"restart of make run: {name}", lost, BUDGET_SECONDS, ready - since))
        assert len(found) == 1, found
        assert lost < BUDGET_SECONDS + MARGIN_SECONDS
    clock_stopped = position(stack, first, "clock", "clock stopped")
    stream_stopping = position(stack, first, "stream", "Worker shutdown notification")
    record_stopping = position(stack, first, "record", "Worker shutdown notification")
    assert clock_stopped < stream_stopping < record_stopping
    assert position(stack, record_stopping, "stream worker") < position(stack, record_stopping, "web", "Listening at")
