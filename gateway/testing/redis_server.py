"""A private Redis for a test: on a free loopback port, without persistence."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import redis

from gateway.testing.ports import free_port

START_SECONDS = 20.0


class RedisServer:
    """A private redis-server that can be stopped and started again; it is empty then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen | None = None
        self._client = redis.Redis.from_url(self.url)

    def start(self) -> None:
        """Start it; returns when it answers."""
        program = shutil.which("redis-server")
        assert program, "redis-server is missing: apt-get install redis-server"
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self.folder}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self._client):
            assert time.monotonic() < deadline, f"redis-server does not answer within {START_SECONDS:g} s"
            time.sleep(0.02)

    def empty(self) -> None:
        """Delete everything."""
        self._client.flushall()

    def freeze(self) -> None:
        """Stop answering without closing a connection."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill it. May be called twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
            self._client.close()


def _answers(client: redis.Redis) -> bool:
    try:
        return client.ping()
    except redis.RedisError:
        return False
