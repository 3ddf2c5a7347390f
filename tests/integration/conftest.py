"""Real cameras, and a Redis that tests can empty and stop; every test is marked `integration`."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.media import Part
from gateway.redis_client import connect_redis
from tests.cameras import CameraServer
from tests.stack.services import Redis

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="package")
def cameras() -> Iterator[CameraServer]:
    """A server of real cameras; each test adds its own cameras."""
    with CameraServer() as server:
        yield server


@pytest.fixture(scope="package")
def redis_of_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def store(redis_of_package: Redis) -> Iterator[Redis]:
    """An empty Redis that a test may stop, start and restart."""
    client = redis_of_package.client()
    client.flushall()
    client.close()
    yield redis_of_package
    redis_of_package.stop()
    redis_of_package.start()


@pytest.fixture
def client(store: Redis):
    """A connection to it as the product makes it."""
    client = connect_redis(store.url)
    yield client
    client.close()


@pytest.fixture
def make_part() -> Callable[..., Part]:
    """`make_part(run=1, is_key=False)` returns the next part of half a second of a device `d1`."""
    numbers = itertools.count(1)

    def make(run: int = 1, *, is_key: bool = False, size: int = 1000, sequence: int | None = None) -> Part:
        number = next(numbers)
        return Part("d1", run, sequence or number, 1000 + number * 0.5, 0.5, is_key, 12, bytes([number % 256]) * size)

    return make
