"""Fixtures of the gateway's tests."""

import pytest

from gateway.redis_client import connect_redis


@pytest.fixture
def client(redis_url):
    client = connect_redis(redis_url)
    yield client
    client.close()
