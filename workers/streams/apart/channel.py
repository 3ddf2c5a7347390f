"""The connection of a stream worker with the process of a plugin: calls with replies, and posts without, both ways."""

import asyncio
import contextlib
import json
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.errors import PluginError
from gateway.sources.tracks import SourceError
from gateway.states import REASONS
from workers.streams.apart.values import pack, unpack

log = logging.getLogger(__name__)

_LENGTHS = struct.Struct("<II")
_MAX_HEAD, _MAX_BODY = 4 << 20, 64 << 20
#: Media that wait for the other process; further ones are dropped.
_MAX_WAITING_BYTES = 32 << 20
_MAX_TEXT = 500


class ChannelClosed(PluginError):
    """The other process is gone."""


#: Takes the arguments and the bytes of a post or call.
Handler = Callable[..., Any]


class Channel:
    """One side of the connection; to be used on the loop on which it was opened, but for `post_from_thread`.

    `handlers`: by the names of posts (functions) and calls (coroutine functions), with the arguments; a post may have
    `body`.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handlers: dict[str, Handler]
    ) -> None:
        self._reader, self._writer = reader, writer
        self._handlers = handlers
        self._loop = asyncio.get_running_loop()
        self._calls: dict[int, asyncio.Future] = {}
        self._number = 0
        self._tasks: set[asyncio.Task] = set()
        self.is_closed = False

    @classmethod
    async def open(cls, own: socket.socket, handlers: dict[str, Handler]) -> "Channel":
        """The side with this socket; `serve` has to run for it."""
        reader, writer = await asyncio.open_connection(sock=own, limit=1 << 20)
        return cls(reader, writer, handlers)

    async def serve(self) -> None:
        """Take what the other side sends, until it ends or sends what cannot be."""
        try:
            while True:
                head, body = await self._read()
                self._take(head, body)
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            pass
        except (ValueError, TypeError, KeyError) as error:
            log.warning("the process of a plugin sent what cannot be: %s", error)
        finally:
            self.close()

    def close(self) -> None:
        """End the connection; calls that wait fail. May be called twice."""
        if self.is_closed:
            return
        self.is_closed = True
        for future in self._calls.values():
            if not future.done():
                future.set_exception(ChannelClosed("its process has ended"))
        self._calls.clear()
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(RuntimeError):
            self._writer.transport.abort()

    async def call(self, method: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Ask the other side. Raises what it answers: SourceError or PluginError; ChannelClosed; TimeoutError."""
        if self.is_closed:
            raise ChannelClosed("its process has ended")
        self._number += 1
        number, future = self._number, self._loop.create_future()
        self._calls[number] = future
        try:
            self._send({"call": number, "method": method, "arguments": pack(list(arguments))})
            async with asyncio.timeout(seconds):
                return await future
        finally:
            self._calls.pop(number, None)

    def post(self, method: str, *arguments: Any, body: bytes = b"", may_drop: bool = False) -> bool:
        """Tell the other side; with `may_drop` nothing is sent, and False returned, while too much waits."""
        if self.is_closed or (may_drop and self._writer.transport.get_write_buffer_size() > _MAX_WAITING_BYTES):
            return False
        self._send({"post": method, "arguments": pack(list(arguments))}, body)
        return True

    def post_from_thread(self, method: str, *arguments: Any) -> None:
        """As `post`, from any thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.post, method, *arguments)

    def _send(self, head: dict[str, Any], body: bytes = b"") -> None:
        text = json.dumps(head).encode()
        if len(text) > _MAX_HEAD or len(body) > _MAX_BODY:
            raise ValueError("too large for the other process")
        self._writer.write(_LENGTHS.pack(len(text), len(body)) + text)
        if body:
            self._writer.write(body)

    async def _read(self) -> tuple[dict[str, Any], bytes]:
        lengths = _LENGTHS.unpack(await self._reader.readexactly(_LENGTHS.size))
        if lengths[0] > _MAX_HEAD or lengths[1] > _MAX_BODY:
            raise ValueError("a message is too large")
        head = json.loads(await self._reader.readexactly(lengths[0]))
        if not isinstance(head, dict):
            raise TypeError("a message is no object")
        return head, await self._reader.readexactly(lengths[1])

    def _take(self, head: dict[str, Any], body: bytes) -> None:
        if "reply" in head:
            self._take_reply(head)
            return
        arguments = unpack(head["arguments"])
        if "post" in head:
            handler = self._handlers.get(head["post"])
            if handler is None:
                raise ValueError(f"a post {head['post']!r:.40} is not known")
            handler(*arguments, **({"body": body} if body else {}))
            return
        task = asyncio.ensure_future(self._answer(head["call"], str(head["method"]), arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take_reply(self, head: dict[str, Any]) -> None:
        future = self._calls.get(head["reply"])
        if future is None or future.done():
            return
        if "error" not in head:
            future.set_result(unpack(head["value"]))
            return
        reason, message = (str(text)[:_MAX_TEXT] for text in head["error"])
        future.set_exception(SourceError(reason, message) if reason in REASONS else PluginError(message))

    async def _answer(self, number: int, method: str, arguments: list[Any]) -> None:
        reply: dict[str, Any] = {"reply": number}
        try:
            handler: Callable[..., Awaitable[Any]] = self._handlers[method]
            reply["value"] = pack(await handler(*arguments))
        except SourceError as error:
            reply["error"] = [error.reason, error.message]
        except Exception as error:
            log.debug("a call of '%s' failed", method, exc_info=True)
            text = error.message if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            reply["error"] = ["", text[:_MAX_TEXT]]
        if not self.is_closed:
            self._send(reply)
