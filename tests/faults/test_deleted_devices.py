"""A device that goes leaves no room at the SFU: deleted or disabled, whatever is away meanwhile."""

import signal
from collections.abc import Iterator

import pytest

from tests.cameras import CameraServer
from tests.stack import Stack

#: A room is closed by the next request for all rooms of a worker process, or once a dead process is given up.
SOON_SECONDS = 25
GRACE_SECONDS = 75


@pytest.fixture(scope="module")
def lone_stack() -> Iterator[Stack]:
    with Stack(stall_seconds=3, recording_mode="off") as stack:
        yield stack


@pytest.fixture(scope="module")
def url(cameras: CameraServer) -> str:
    return cameras.add("/going", width=320, height=240, fps=10, bitrate_kbps=200)


@pytest.fixture
def running(lone_stack: Stack, url: str) -> str:
    device = lone_stack.add_device("Going", url)
    lone_stack.wait_for_state(device["id"], "running", 30)
    lone_stack.wait_until(lambda: rooms(lone_stack) == 1, 15, "its room is open")
    return device["id"]


def rooms(stack: Stack) -> int:
    return stack.sfu_status()["rooms"]


def wait_empty(stack: Stack, seconds: float) -> None:
    stack.wait_until(lambda: rooms(stack) == 0, seconds, "no room is left")
    stack.wait_until(lambda: stack.sfu_status()["ports_in_use"] == 0, 5, "no port is taken")


def test_a_device_that_is_deleted_while_it_runs_leaves_no_room(lone_stack, running):
    lone_stack.delete_device(running)
    wait_empty(lone_stack, 5)


def test_a_device_that_is_disabled_while_it_runs_leaves_no_room(lone_stack, running):
    shown = lone_stack.api.get(f"/devices/{running}")
    body = {"name": shown["name"], "source_url": shown["source_url"], "enabled": False}
    lone_stack.api.put(f"/devices/{running}", body)
    wait_empty(lone_stack, 10)
    lone_stack.delete_device(running)


def test_a_device_that_is_deleted_while_the_sfu_stands_still_leaves_no_room(lone_stack, running):
    lone_stack.kill("sfu", signal.SIGSTOP)
    try:
        lone_stack.delete_device(running)
    finally:
        lone_stack.kill("sfu", signal.SIGCONT)
    wait_empty(lone_stack, SOON_SECONDS)


def test_a_device_that_is_deleted_while_the_sfu_restarts_leaves_no_room(lone_stack, running):
    lone_stack.kill("sfu")
    lone_stack.delete_device(running)
    lone_stack.wait_until(lone_stack.is_ready, 30, "the SFU is back")
    wait_empty(lone_stack, SOON_SECONDS)


def test_a_device_that_is_deleted_while_its_worker_is_dead_leaves_no_room(lone_stack, running):
    lone_stack.stop("stream", 20)
    lone_stack.delete_device(running)
    lone_stack.resume("stream")
    lone_stack.wait_until(lone_stack.is_ready, 30, "the stream worker is back")
    wait_empty(lone_stack, GRACE_SECONDS)
