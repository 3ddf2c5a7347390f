"""Redis and PostgreSQL of one stack: the servers of the test suites, which tests can stop and start again."""

import os
import signal
from pathlib import Path

import psycopg
import redis

from gateway.testing.ports import free_port
from gateway.testing.redis_server import RedisServer
from tests.conftest import PostgresServer


class Redis(RedisServer):
    """A Redis without persistence: after `restart` it is empty."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder)

    def client(self) -> redis.Redis:
        """A connection for the test."""
        return redis.Redis.from_url(self.url)

    def kill(self) -> None:
        """Kill it at once; `start` brings it back."""
        self.stop()

    def restart(self) -> None:
        """Kill it and start it again at once, empty."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        os.kill(self._process.pid, signal.SIGCONT)


class Postgres(PostgresServer):
    """A cluster with one empty database, `vas`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()

    def create(self) -> None:
        """Create the cluster and its database; it runs afterwards."""
        self.folder.mkdir(parents=True, exist_ok=True)
        super().create()
        self.start()
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE vas")

    def restart(self) -> None:
        """Stop it immediately, closing all connections, and start it again."""
        self.stop()
        self.start()
