"""The process of a plugin's direct outputs and sources, seen from the stream worker: started when it is needed, asked,
and started again after a pause that grows when it has died."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from gateway.errors import PluginError
from gateway.isolation.guard import GUARD
from workers.backoff import Backoff
from workers.exit_codes import describe_code
from workers.orphans import kill_marked
from workers.streams.apart.channel import Channel, ChannelClosed, Handler
from workers.streams.source_threads import SourceThread

log = logging.getLogger(__name__)

#: Environment variable by which the processes that it has left are found.
MARK = "VAS_APART_PROCESS"
_MODULE = "workers.streams.apart.host"
#: Loading and registering have deadlines of their own (30 s and 10 s).
_START_SECONDS = 60.0
_CLOSE_SECONDS = 3.0
_HEALTHY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Offer:
    """What the plugin has registered: the names of its direct outputs; for each source its class ("session" or
    "address"), schemes and default ports."""

    outputs: tuple[str, ...]
    sources: tuple[tuple[str, tuple[str, ...], dict[str, int]], ...]

    @classmethod
    def parse(cls, text: str) -> "Offer":
        """Raises ValueError."""
        try:
            values = json.loads(text)
            sources = tuple((str(kind), tuple(schemes), dict(ports)) for kind, schemes, ports in values["sources"])
            return cls(tuple(str(name) for name in values["outputs"]), sources)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an offer: {error}") from error


class ApartProcess:
    """The process of one plugin. All coroutines run on the loop of `thread`, in which nothing else does.

    `handlers`: those of the posts and calls of that process (`Channel`). `generation` grows with each start.
    """

    def __init__(
        self,
        plugin: str,
        worker: str,
        thread: SourceThread,
        *,
        spawn: Callable[[str, str, socket.socket, str], subprocess.Popen] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.plugin = plugin
        self.generation = 0
        self.handlers: dict[str, Handler] = {"offer": self._take_offer}
        self._worker = worker
        self._thread = thread
        self._spawn = spawn or _spawn
        self._monotonic = monotonic
        self._channel: Channel | None = None
        self._process: subprocess.Popen | None = None
        self._serving: asyncio.Task | None = None
        self._starting: asyncio.Task | None = None
        self._started_at = 0.0
        self._next_start = float("-inf")
        self._last_end = ""
        self._backoff = Backoff(max_seconds=60, forgive_seconds=_HEALTHY_SECONDS, first_seconds=1.0)
        self._is_closing = False
        self._offer: asyncio.Future | None = None

    # From any thread but the loop's.

    def wait_offer(self, seconds: float) -> Offer:
        """Start it, and wait for what it registers. Raises PluginError."""
        try:
            return self._run(self.ensure(), seconds)
        except TimeoutError:
            raise PluginError(f"it did not register within {seconds:g} s") from None

    def ask(self, method: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Call it and wait. Raises PluginError and what the call raises."""
        return self._run(self.call(method, *arguments, seconds=seconds), None)

    def tell(self, method: str, *arguments: Any, body: bytes = b"") -> None:
        """Tell it, if it runs."""
        with contextlib.suppress(RuntimeError):
            self._thread.loop.call_soon_threadsafe(self._post, method, arguments, body)

    def close(self) -> None:
        """End it in order within some seconds. May be called twice."""
        self._is_closing = True
        with contextlib.suppress(Exception):
            self._run(self._end(), _CLOSE_SECONDS + 2)

    # On the loop.

    async def ensure(self) -> Offer:
        """Start the process if it does not run. Raises PluginError while it may not be started."""
        if self._offer is not None and self._offer.done() and self._channel is not None:
            if self._monotonic() - self._started_at >= _HEALTHY_SECONDS:
                GUARD.problems.clear(self.plugin, "apart")
            return self._offer.result()
        if self._starting is None or self._starting.done():
            self._starting = asyncio.ensure_future(self._start())
        return await asyncio.shield(self._starting)

    async def call(self, method: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Call it. Raises PluginError, TimeoutError, and what the call raises."""
        await self.ensure()
        if self._channel is None:
            raise ChannelClosed(self._last_end or "its process has ended")
        try:
            return await self._channel.call(method, *arguments, seconds=seconds)
        except ChannelClosed:
            # Its end may be reaped a moment later, and says why.
            if self._serving is not None:
                await asyncio.wait([self._serving], timeout=2)
            raise ChannelClosed(self._last_end or "its process has ended") from None

    def _post(self, method: str, arguments: tuple, body: bytes) -> None:
        if self._channel is not None:
            self._channel.post(method, *arguments, body=body, may_drop=bool(body))

    def _refuse(self) -> None:
        if self._is_closing:
            raise PluginError("the worker ends")
        if (aside := GUARD.aside(self.plugin)) is not None:
            raise PluginError(f"set aside: {aside.describe()}")
        left = self._next_start - self._monotonic()
        if left > 0:
            raise PluginError(f"{self._last_end}; it is started again in {left:.0f} s")

    async def _start(self) -> Offer:
        loop = asyncio.get_running_loop()
        if self._serving is not None:
            # Until the one before is reaped, and it is known when this one may begin.
            await asyncio.wait([self._serving])
        self._refuse()
        mark = f"{self.plugin}@{self._worker}"
        own, its = socket.socketpair()
        self._offer = loop.create_future()
        try:
            self._process = await loop.run_in_executor(None, self._spawn, self.plugin, self._worker, its, mark)
        except OSError as error:
            own.close()
            self._note_end(f"its process cannot be started: {error}")
            raise PluginError(self._last_end) from error
        finally:
            its.close()
        self.generation += 1
        self._started_at = self._monotonic()
        self._channel = await Channel.open(own, self.handlers)
        self._serving = asyncio.ensure_future(self._serve(self._channel, self._process, mark))
        try:
            async with asyncio.timeout(_START_SECONDS):
                return await asyncio.shield(self._offer)
        except TimeoutError:
            self._channel.close()
            raise PluginError(f"it did not register within {_START_SECONDS:g} s") from None

    def _take_offer(self, text: str, problem: str) -> None:
        if self._offer is None or self._offer.done():
            return
        if problem:
            self._offer.set_exception(PluginError(problem))
            return
        self._offer.set_result(Offer.parse(text))

    async def _serve(self, channel: Channel, process: subprocess.Popen, mark: str) -> None:
        await channel.serve()
        self._channel = None
        loop = asyncio.get_running_loop()
        code = await loop.run_in_executor(None, _reap, process, mark)
        self._note_end(describe_code(code))
        if self._offer is not None and not self._offer.done():
            self._offer.set_exception(PluginError(self._last_end))
            # Nobody may be waiting any more.
            self._offer.exception()

    def _note_end(self, words: str) -> None:
        self._last_end = words
        if self._is_closing:
            return
        ran = self._monotonic() - self._started_at
        pause = self._backoff.after(ran if ran >= _HEALTHY_SECONDS else 0.0)
        self._next_start = self._monotonic() + pause
        log.warning("plugin '%s': %s, after %.1f s; started again in %.0f s", self.plugin, words, ran, pause)
        GUARD.problems.note(self.plugin, "apart", f"outputs and sources: {words}")

    async def _end(self) -> None:
        if self._channel is None:
            return
        self._channel.post("end")
        if self._serving is not None:
            await asyncio.wait([self._serving], timeout=_CLOSE_SECONDS)
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def _run(self, coroutine: Coroutine[Any, Any, Any], seconds: float | None) -> Any:
        return self._thread.run(coroutine).result(seconds)


def _spawn(plugin: str, worker: str, its: socket.socket, mark: str) -> subprocess.Popen:
    if left := kill_marked(MARK, mark):
        log.warning("killed processes %s that an earlier one left", left)
    return subprocess.Popen(
        [sys.executable, "-m", _MODULE, plugin, worker, str(its.fileno())],
        stdin=subprocess.DEVNULL,
        env={**os.environ, MARK: mark},
        pass_fds=(its.fileno(),),
        start_new_session=True,
    )


def _reap(process: subprocess.Popen, mark: str) -> int:
    """The exit code of a process whose connection has ended; what it has started ends with it."""
    try:
        code = process.wait(_CLOSE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    kill_marked(MARK, mark)
    return code
