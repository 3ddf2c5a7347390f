"""Fixtures shared by the suites with a running product; a suite's conftest imports the ones it needs.

Package scope: Playwright keeps an event loop running in its thread, which must end before another suite begins.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.cameras import CameraServer

from .stack import Stack
from .viewer import BrowserViewer, launch_browser


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with sync_playwright() as playwright:
        browser = launch_browser(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def cameras() -> Iterator[CameraServer]:
    """A server of real cameras; each test adds its own cameras."""
    with CameraServer() as server:
        yield server


@pytest.fixture
def add_camera(cameras: CameraServer, request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """`add_camera(name="main", **settings)` returns the URL of a new camera, which is removed after the test."""
    paths = []

    def add(name: str = "main", **settings: Any) -> str:
        path = f"/{request.node.originalname}-{name}".replace("_", "-")
        # Small pictures: these tests are not about the machine's encoding capacity.
        url = cameras.add(path, **({"width": 640, "height": 360, "fps": 15, "bitrate_kbps": 600} | settings))
        paths.append(path)
        return url

    yield add
    for path in paths:
        cameras.remove(path)


@pytest.fixture
def add_device(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Callable[..., str]]:
    """`add_device(url, **fields)` returns the id of a new device, which is deleted after the test."""
    ids = []

    def add(url: str, **fields: Any) -> str:
        name = fields.pop("name", f"{request.node.name} {len(ids) + 1}")
        ids.append(stack.add_device(name, url, **fields)["id"])
        return ids[-1]

    yield add
    for device_id in ids:
        stack.delete_device(device_id)


@pytest.fixture
def watch(stack: Stack, browser: Browser) -> Iterator[Callable[[str], BrowserViewer]]:
    """`watch(device_id)` opens the device's page in the browser and returns the viewer, which leaves after the test."""
    viewers = []

    def open_page(device_id: str) -> BrowserViewer:
        viewers.append(BrowserViewer(browser, stack.url, device_id))
        return viewers[-1]

    yield open_page
    for viewer in viewers:
        viewer.close()
