"""Redis and PostgreSQL of one stack: the servers of the test suites, which can also be taken away and come back."""

import os
import signal
from pathlib import Path

import psycopg
import redis

from tests.conftest import PostgresServer, RedisServer

from .ports import free_port


class Redis(RedisServer):
    """A Redis that keeps nothing: after `restart` it is empty."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """A connection of the test's own."""
        return redis.Redis.from_url(self.url)

    def kill(self) -> None:
        """Away at once, until `start`."""
        self.stop()

    def restart(self) -> None:
        """Gone and back at once, with nothing in it."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stand and nothing answers."""
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
        """Make the cluster and its database; it runs afterwards."""
        self.folder.mkdir(parents=True, exist_ok=True)
        super().create()
        self.start()
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE vas")

    def restart(self) -> None:
        """Gone without a goodbye, and back."""
        self.stop()
        self.start()
