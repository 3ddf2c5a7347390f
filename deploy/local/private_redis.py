"""The private Redis servers of `make run`. No other user of the machine can reach them: they have no TCP port."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from gateway.private_redis import MEDIA_MEMORY, QUEUES, socket_path


class RedisError(Exception):
    """A private Redis cannot be started; the text is a sentence with the remedy."""


@dataclass(frozen=True)
class PrivateRedis:
    """One server, with its files and its socket in folders of its own."""

    name: str
    var_dir: Path

    @property
    def socket(self) -> Path:
        return socket_path(self.var_dir, self.name)

    def build_command(self) -> str:
        """Return the command line, and create the folders. Raises RedisError."""
        server = shutil.which("redis-server")
        if server is None:
            raise RedisError("redis-server is not installed; install it, or set REDIS_URL to a Redis of yours")
        folder = Path(os.path.abspath(self.var_dir)) / self.name
        for path in (folder, self.socket.parent):
            make_private_folder(path)
        durable = "--appendonly yes --appendfsync everysec" if self.name == QUEUES else "--appendonly no"
        return (
            f"{server} --port 0 --unixsocket {shlex.quote(str(self.socket))} --unixsocketperm 700 "
            f"--dir {shlex.quote(str(folder))} --save '' {durable} --daemonize no "
            f"--logfile {shlex.quote(str(folder / 'redis.log'))} --maxmemory-policy noeviction"
        )

    @property
    def variables(self) -> dict[str, str]:
        """The variables of its environment, which those of the user precede."""
        return {} if self.name == QUEUES else MEDIA_MEMORY

    def is_running(self) -> bool:
        """Whether a server listens. Redis itself takes over the socket of a living one, and its files with it."""
        return self._ask(b"") is not None

    def answers(self) -> bool:
        return (self._ask(b"PING\r\n") or b"").startswith(b"+PONG")

    def _ask(self, request: bytes) -> bytes | None:
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self.socket))
                if not request:
                    return b""
                connection.sendall(request)
                return connection.recv(16)
            except OSError:
                return None


def make_private_folder(path: Path) -> None:
    """Create a folder that only this user may enter, or make it so. Raises RedisError for another user's folder."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise RedisError(f"{path} must be a folder of the user who runs this; remove it, or set VAR_DIR to another one")
    path.chmod(0o700)
