"""One product for all end-to-end tests; every test is marked `e2e`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway import database
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.factories import make_config
from tests.playback import FootageFactory
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
    with Stack(retention_seconds=3) as stack:
        yield stack


@pytest.fixture
def add_footage(stack: Stack, add_device) -> Iterator[Callable[[], FootageFactory]]:
    """`add_footage()` returns a factory of footage for a new device that never runs, in the running product's own
    store."""

    def add() -> FootageFactory:
        device_id = add_device("rtsp://127.0.0.1:9/none", start_mode="manual")
        return FootageFactory(config, TenantScope(DEFAULT_TENANT_ID), device_id)

    config = make_config(
        database_url=stack.env["DATABASE_URL"],
        recordings_dir=stack.folder / "recordings",
        var_dir=stack.folder / "var",
    )
    database.connect(config)
    yield add
    database.close()
