"""The control connection to the SFU: one WebSocket per stream worker process, on the worker's asyncio loop.

It is retried without limit. After each connection the owner sends its complete state (`on_connected`), so that either
side may restart at any time.
"""

import asyncio
import contextlib
import itertools
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from gateway.plugin_api import VasError

log = logging.getLogger(__name__)

_REQUEST_SECONDS = 3.0
_MAX_PAUSE_SECONDS = 2.0
#: Worker and SFU are mostly started together: requests of this time after the start wait for the first connection.
_FIRST_SECONDS = 2.5
_MAX_MESSAGE_BYTES = 1 << 20


class SfuUnreachable(VasError):
    """The SFU does not answer."""

    reason = "sfu_unreachable"


class SfuRefused(VasError):
    """The SFU answered with an error; `reason` is its code."""


class SfuControl:
    """Requests to the SFU and notifications from it. Call all methods but `start` and `close` on the loop."""

    def __init__(
        self,
        url: str,
        key: str,
        owner: str,
        *,
        on_connected: Callable[[], Awaitable[None]],
        on_event: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._url = f"{url}/control"
        self._key = key
        self._owner = owner
        self._on_connected = on_connected
        self._on_event = on_event
        self._socket: ClientConnection | None = None
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future] = {}
        self._task: Any = None
        self._failures = 0
        self._started_at = 0.0
        self._was_connected = asyncio.Event()
        self.is_connected = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Connect, and reconnect until `close`; may be called from any thread."""
        self._started_at = time.monotonic()
        self._task = asyncio.run_coroutine_threadsafe(self._keep_connected(), loop)

    def close(self) -> None:
        """Close the connection; may be called from any thread, and twice."""
        if self._task is not None:
            self._task.cancel()

    async def wait_for_start(self) -> None:
        """Wait for the first connection; returns without it some seconds after `start`. No wait later on."""
        left = self._started_at + _FIRST_SECONDS - time.monotonic()
        if left > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._was_connected.wait(), left)

    async def request(self, method: str, data: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return its answer. Raises SfuUnreachable or SfuRefused within three seconds."""
        socket = self._socket
        if socket is None:
            raise SfuUnreachable("the SFU is not connected")
        number = next(self._ids)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                await socket.send(json.dumps({"id": number, "method": method, "data": data}))
                answer = await future
        except (TimeoutError, WebSocketException, OSError) as error:
            raise SfuUnreachable(f"the SFU does not answer to {method}") from error
        finally:
            self._waiting.pop(number, None)
        if not answer.get("ok"):
            problem = answer.get("error") or {}
            raise SfuRefused(
                f"the SFU refused {method}: {problem.get('message', 'no reason')}", reason=problem.get("code")
            )
        return answer.get("data") or {}

    async def _keep_connected(self) -> None:
        while True:
            try:
                async with connect(
                    self._url,
                    additional_headers={"Authorization": f"Bearer {self._key}"},
                    open_timeout=_REQUEST_SECONDS,
                    ping_interval=5,
                    ping_timeout=10,
                    close_timeout=1,
                    max_size=_MAX_MESSAGE_BYTES,
                    compression=None,
                    proxy=None,
                ) as socket:
                    await self._serve(socket)
            except (OSError, WebSocketException, TimeoutError, VasError) as error:
                if self._failures == 0:
                    log.warning("the SFU cannot be reached: %s", error)
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("the control connection failed")
            self._failures += 1
            pause = min(_MAX_PAUSE_SECONDS, 0.125 * 2 ** min(self._failures, 5))
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))

    async def _serve(self, socket: ClientConnection) -> None:
        self._socket = socket
        reader = asyncio.create_task(self._read(socket))
        try:
            await self.request("hello", {"owner": self._owner})
            await self._on_connected()
            self.is_connected = True
            self._was_connected.set()
            self._failures = 0
            log.info("connected to the SFU")
            await reader
            raise SfuUnreachable("it closed the connection")
        finally:
            self.is_connected = False
            self._socket = None
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketException, OSError):
                await reader
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError("the SFU closed the connection"))

    async def _read(self, socket: ClientConnection) -> None:
        async for text in socket:
            try:
                message = json.loads(text)
                number, event = message.get("id"), message.get("event")
            except (ValueError, AttributeError):
                log.warning("the SFU sent a message that is not JSON")
                continue
            if event is not None:
                try:
                    self._on_event(event, message.get("data") or {})
                except Exception:
                    log.exception("the SFU's event '%s' could not be handled", event)
            elif isinstance(number, int) and (future := self._waiting.get(number)) is not None and not future.done():
                future.set_result(message)
