"""One way to connect to Redis, over TCP or a Unix socket."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dramatiq
import pytest

from gateway.app import create_app
from gateway.config import Config
from gateway.redis_client import connect_redis
from gateway.streams.bus import BusWriter, MediaBus
from gateway.streams.messages import Messages
from tests.conftest import START_SECONDS, wait_until
from tests.factories import make_config, no_plugins


class SocketRedis:
    """A private redis-server that listens on a Unix socket alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder}/redis.sock"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program, "redis-server is missing: apt-get install redis-server"
        socket = self.folder / "redis.sock"
        self._process = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(socket.exists, "redis-server listens", START_SECONDS)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@pytest.fixture
def server() -> Iterator[SocketRedis]:
    # A socket's path has at most 107 bytes, which pytest's own folder may exceed.
    with tempfile.TemporaryDirectory(prefix="vas-redis-", dir="/tmp") as folder:
        server = SocketRedis(Path(folder))
        server.start()
        yield server
        server.stop()


def configured(url: str) -> Config:
    return Config.from_environment({"SECRET_KEY": "k" * 16, "SFU_SECRET": "s" * 16, "REDIS_URL": url})


@pytest.mark.integration
def test_a_unix_socket_serves_queue_bus_and_health(server, bound_database, tmp_path):
    config = configured(server.url)
    assert Messages.connect(config).start_stream("d1")
    client = connect_redis(config.redis_url)
    (data,) = client.hvals("dramatiq:stream.msgs")
    assert dramatiq.Message.decode(data).args == ("d1",)
    bus = MediaBus(connect_redis(config.bus_redis_url))
    BusWriter(client, "d1", window_seconds=60, max_bytes=1 << 20).open_run(1, b"init 1")
    assert bus.init_segment("d1", 1) == b"init 1"
    assert bus.read("d1", None, wait_seconds=0.05) == [], "a blocking read ends by itself"
    app = create_app(
        make_config(database_url=bound_database, redis_url=config.redis_url, var_dir=tmp_path), no_plugins()
    )
    components = app.test_client().get("/api/v1/health").json["components"]
    assert [components[name]["status"] for name in ("redis", "media_bus")] == ["ok", "ok"]


@pytest.mark.integration
def test_a_unix_socket_selects_the_database_of_its_url(server):
    connect_redis(f"{server.url}?db=3").set("where", "three")
    assert connect_redis(server.url).get("where") is None
    assert connect_redis(f"{server.url}?db=3").get("where") == b"three"


@pytest.mark.integration
def test_a_client_of_a_unix_socket_reconnects_after_a_restart(server):
    client = connect_redis(server.url)
    assert client.ping()
    server.stop()
    server.start()
    assert client.ping()


def test_as_many_threads_as_a_worker_has_slots_use_one_client(redis_url):
    """A pool smaller than the number of threads would fail calls: a blocking read occupies its connection."""
    client, threads = connect_redis(redis_url), 200
    with ThreadPoolExecutor(threads) as pool:
        assert list(pool.map(lambda number: client.blpop(f"list-{number}", 1), range(threads))) == [None] * threads
    client.close()
