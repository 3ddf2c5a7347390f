"""The sockets of the private Redis servers: found by every process, and short enough for the kernel."""

import os
import socket
from pathlib import Path

import pytest

from gateway.config import Config
from gateway.private_redis import MEDIA, QUEUES, socket_path
from gateway.redis_client import connect_redis
from tests.factories import SECRET_KEY, SFU_SECRET

ENVIRONMENT = {"SECRET_KEY": SECRET_KEY, "SFU_SECRET": SFU_SECRET}


def socket_of(url: str) -> str:
    """The path that a client of the URL connects to."""
    return connect_redis(url).connection_pool.connection_kwargs["path"]


def test_without_a_redis_url_the_private_servers_are_used(tmp_path):
    config = Config.from_environment(ENVIRONMENT | {"VAR_DIR": str(tmp_path / "a b%?#")})
    assert socket_of(config.redis_url) == str(tmp_path / "a b%?#/redis/redis.sock")
    assert socket_of(config.bus_redis_url) == str(tmp_path / "a b%?#/redis-media/redis.sock")


def test_a_redis_url_serves_the_bus_as_well(tmp_path):
    url = "redis://redis.example:6379/0"
    config = Config.from_environment(ENVIRONMENT | {"VAR_DIR": str(tmp_path), "REDIS_URL": url})
    assert (config.redis_url, config.bus_redis_url) == (url, url)


def test_a_bus_of_its_own_keeps_the_private_server_for_the_queues(tmp_path):
    url = "redis://redis.example:6379/0"
    config = Config.from_environment(ENVIRONMENT | {"VAR_DIR": str(tmp_path), "MEDIA_REDIS_URL": url})
    assert socket_of(config.redis_url) == str(tmp_path / "redis/redis.sock")
    assert config.bus_redis_url == url


@pytest.mark.parametrize("length", [60, 150, 3000])
def test_a_socket_can_listen_at_the_path_whatever_the_length_of_var_dir(length):
    var_dir = Path("/nowhere") / "/".join(["d" * 50] * (length // 50))
    paths = {socket_path(var_dir, name) for name in (QUEUES, MEDIA)}
    assert len(paths) == 2
    for path in paths:
        # Not "AF_UNIX path too long": only the folder is missing.
        with socket.socket(socket.AF_UNIX) as listener, pytest.raises(FileNotFoundError):
            listener.bind(os.fspath(path))
