"""One product for all end-to-end tests; every test is marked `e2e`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import Stack
from tests.stack.fixtures import add_camera, add_device, browser, cameras, watch

__all__ = ["add_camera", "add_device", "browser", "cameras", "watch"]

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    with Stack() as stack:
        yield stack
