"""One product on PostgreSQL for all fault tests, watched in Chromium; every test is marked `faults`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.cameras import CameraServer
from tests.faults.report import RecoveryReport
from tests.faults.watched import Watched
from tests.stack import BrowserViewer, Stack
from tests.stack.fixtures import add_camera, add_device, browser, cameras, watch

__all__ = ["add_camera", "add_device", "browser", "cameras", "watch"]

HERE = Path(__file__).parent
STALL_SECONDS = 3
#: The bus reaches further back than a process takes to start, even if another suite runs on the machine.
BUS_SECONDS = 60


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.faults)


@pytest.fixture
def report(capsys, request: pytest.FixtureRequest) -> Iterator[RecoveryReport]:
    """Notes recoveries; they are printed at once and as a table at the end."""
    with capsys.disabled():
        yield RecoveryReport(request.node)


@pytest.fixture(scope="package")
def shared_stack() -> Iterator[Stack]:
    with Stack(database="postgresql", stall_seconds=STALL_SECONDS, bus_window_seconds=BUS_SECONDS) as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: Stack) -> Iterator[Stack]:
    """The product, healthy before and after each test."""
    shared_stack.wait_until(shared_stack.is_ready, 30, "the product is healthy")
    yield shared_stack
    shared_stack.wait_until(shared_stack.is_ready, 30, "the product is healthy again after the test")


@pytest.fixture(scope="package")
def shared_watched(shared_stack: Stack, cameras: CameraServer, browser: Browser) -> Iterator[Watched]:
    url = cameras.add("/watched", width=640, height=360, fps=15, bitrate_kbps=600, key_frame_seconds=1)
    device = shared_stack.add_device("Watched", url)
    shared_stack.wait_for_state(device["id"], "running")
    with BrowserViewer(browser, shared_stack.url, device["id"]) as viewer:
        viewer.wait_live()
        yield Watched(shared_stack, device["id"], viewer)
    shared_stack.delete_device(device["id"])


@pytest.fixture
def watched(stack: Stack, shared_watched: Watched) -> Watched:
    """A device that has been watched since before the first fault, in a page that is never reloaded."""
    assert shared_watched.viewer.has_continued
    stack.wait_for_state(shared_watched.device_id, "running", 20)
    stack.wait_until(shared_watched.viewer.is_flowing, 20, "pictures flow in the page")
    return shared_watched


def start_watching(stack: Stack, device_id: str, watch: Callable) -> Watched:
    """Open the page of a device and wait until it is live."""
    stack.wait_for_state(device_id, "running")
    watched = Watched(stack, device_id, watch(device_id))
    watched.viewer.wait_live()
    return watched


@pytest.fixture
def second_worker(stack: Stack) -> Iterator[str]:
    """A second stream worker; it ends after the test."""

    def workers() -> int:
        return stack.api.get("/health")["components"]["stream_slots"]["detail"]["workers"]

    name = stack.start_extra("stream")
    stack.wait_until(lambda: workers() == 2, 15, "two workers offer slots")
    yield name
    stack.stop(name)
