"""Several processes of a worker: the death of one is the business of its own devices only, and it comes back."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.cameras import CounterCamera
from tests.faults.conftest import BUS_SECONDS
from tests.faults.recorded import Fault, Recorded, start_recording
from tests.stack import Stack

NAMES = ("One", "Two")


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Stack, dict[str, Recorded]]]:
    """Two recorded devices; each worker process has room for one, so each device has processes of its own."""
    with (
        Stack(stream_slots=1, record_slots=1, bus_window_seconds=BUS_SECONDS) as stack,
        CounterCamera() as first,
        CounterCamera() as second,
    ):
        for kind in ("stream", "record"):
            stack.start_extra(kind)
        yield (
            stack,
            {name: start_recording(stack, camera, name) for name, camera in zip(NAMES, (first, second), strict=True)},
        )


@pytest.fixture
def stack(pair) -> Stack:
    return pair[0]


@pytest.fixture
def devices(pair) -> dict[str, Recorded]:
    for recorded in pair[1].values():
        pair[0].wait_for_state(recorded.device_id, "running", 20)
    return pair[1]


def owner(stack: Stack, recorded: Recorded) -> str:
    """The name of the stream worker that owns the device; empty if the owner is dead."""
    pid = int(stack.stream(recorded.device_id)["worker"].rpartition(":")[2])
    return next((name for name in ("stream", "stream.2") if stack.process(name).pid == pid), "")


def test_a_killed_stream_worker_leaves_the_cameras_of_the_others_untouched(stack, devices, report):
    killed, other = (devices[name] for name in NAMES)
    worker, untouched = owner(stack, killed), stack.ffmpeg_pids(other.device_id)
    assert owner(stack, other) != worker
    with Fault(other, report, "kill -9 of another camera's stream worker"):
        old = stack.kill(worker)
        stack.wait_until(lambda: stack.process(worker).pid not in (None, old), 15, "the worker is back")
        stack.wait_until(lambda: owner(stack, killed) == worker, 20, "it has its device again")
        stack.wait_for_state(killed.device_id, "running", 20)
    assert stack.ffmpeg_pids(other.device_id) == untouched


def test_a_killed_record_worker_leaves_the_recordings_of_the_others_untouched(stack, devices, report):
    killed, other = (devices[name] for name in NAMES)
    keeper, token, killed_token = other.owner_pid(), other.store.fencing_token, killed.store.fencing_token
    with (
        Fault(other, report, "kill -9 of another camera's record worker"),
        Fault(killed, report, "kill -9 of one of two record workers"),
    ):
        os.kill(killed.owner_pid(), signal.SIGKILL)
        stack.wait_until(lambda: killed.store.fencing_token > killed_token, 20, "it is recorded again")
    assert (other.owner_pid(), other.store.fencing_token) == (keeper, token)
