"""gunicorn's worker with the front: `gunicorn --worker-class gateway.web.worker.WebWorker 'gateway.app:create_app()'`.

The application is an ordinary WSGI application, and any other worker class serves it, too; then views wait in threads.
"""

import asyncio
import contextlib
import os
import resource
import sys
from typing import Any

from gunicorn.workers.gasgi import ASGIWorker

from gateway.web.connection import Connection
from gateway.web.front import Front
from gateway.web.limits import LIMITS

#: Longest request line: 200 documented `device_id`s fit. gunicorn's own option ends at 8190.
_MAX_LINE_BYTES = 16_384
#: The interpreter's lock changes hands after this time. With Python's 5 ms, each step of a short request waits that
#: long behind every thread that computes.
_SWITCH_SECONDS = 0.001
#: Open files for everything but connections.
_SPARE_FILES = 256
#: A client that has taken nothing for this long makes room for a new connection when there are too many.
_EVICT_SECONDS = 2.0
#: The worker ends this much before gunicorn would kill it.
_MARGIN_SECONDS = 0.5


class WebWorker(ASGIWorker):
    """Serves connections with one event loop; the application runs in the threads of the front."""

    front: Front

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.connections: set[Connection] = set()
        #: Connections without a request, the oldest first.
        self.idle: dict[Connection, None] = {}
        self._stopped: asyncio.Event | None = None

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self._limits = self.asgi.extensions[LIMITS]
        self.front = Front(self.asgi, self._limits)
        sys.setswitchinterval(_SWITCH_SECONDS)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._max_connections = min(self._limits.max_connections, max(files - _SPARE_FILES, files // 2))
        self.cfg.set("keepalive", max(1, round(self._limits.idle_seconds)))
        # TRUSTED_PROXIES decides whose headers are believed, not gunicorn, which believes this machine.
        self.cfg.set("forwarded_allow_ips", "")
        # A client that has gone away ends its request at once.
        self.cfg.set("asgi_disconnect_grace_period", 0)
        self.cfg.settings["limit_request_line"].value = _MAX_LINE_BYTES

    def add(self, connection: Connection) -> None:
        """Count a new connection; if there are too many, the one that does least is closed."""
        self.connections.add(connection)
        self.idle[connection] = None
        if len(self.connections) > self._max_connections:
            self._make_room(connection)

    def remove(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self.idle.pop(connection, None)

    def handle_exit_signal(self) -> None:
        """Stop gracefully: end the waits, finish the replies."""
        super().handle_exit_signal()
        self._begin_stop()

    def handle_quit_signal(self) -> None:
        super().handle_quit_signal()
        self._begin_stop()

    async def _serve(self) -> None:
        self._stopped = asyncio.Event()
        for listener in self.sockets:
            self.servers.append(
                await self.loop.create_server(
                    lambda: Connection(self), sock=listener.sock, ssl=self._get_ssl_context(), backlog=self.cfg.backlog
                )
            )
        while self.alive and self.ppid == os.getppid():
            self.notify()
            self._check_connections()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), 1.0)
        await self._shutdown()

    async def _shutdown(self) -> None:
        for server in self.servers:
            server.close()
        self._begin_stop()
        deadline = self.loop.time() + max(0.0, self.cfg.graceful_timeout - _MARGIN_SECONDS)
        while self.connections and not self._quick_shutdown and self.loop.time() < deadline:
            self.notify()
            await asyncio.sleep(0.02)
        for connection in list(self.connections):
            connection.drop()
        await asyncio.sleep(0)
        self.front.close()

    def _begin_stop(self) -> None:
        self.alive = False
        self.front.stop()
        for connection in list(self.idle):
            connection.drop()
        if self._stopped is not None:
            self._stopped.set()

    def _check_connections(self) -> None:
        now = self.loop.time()
        for connection in list(self.connections):
            connection.check(now, read_seconds=self._limits.read_seconds, write_seconds=self._limits.write_seconds)

    def _make_room(self, newest: Connection) -> None:
        victim = next(iter(self.idle))
        if victim is newest:
            now = self.loop.time()
            stalled = {each: each.stalled_seconds(now) for each in self.connections if each.is_busy}
            victim = max(stalled, key=stalled.__getitem__, default=newest)
            if stalled.get(victim, 0) < _EVICT_SECONDS:
                newest.refuse()
                return
        victim.drop()
