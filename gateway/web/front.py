"""The ASGI application around the WSGI application: reads requests, lends threads, waits and sends replies.

One call serves one request, and is cancelled when its client goes away.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from gateway.web.calls import Call, Reply
from gateway.web.environ import InvalidTarget, build_environ, header_of
from gateway.web.lanes import Lanes, Overloaded
from gateway.web.limits import FILES, HEALTH, SHORT, WebLimits
from gateway.web.push import PushSource
from gateway.web.replies import error_reply

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: Memory for all bodies that are being received; when it is exceeded, the oldest one is refused.
_MAX_BODIES_BYTES = 128 << 20
#: After the reply to a body that is too large, this much of it is read, or else the client would not see the reply.
_LINGER_BYTES, _LINGER_SECONDS = 16 << 20, 2.0
#: Threads for requests that ask for the health of the service.
_HEALTH_THREADS = 2

_CLOSE = (b"connection", b"close")


class _Refused(Exception):
    """The front answers itself."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Front:
    """The application as ASGI. To be used from one event loop only."""

    def __init__(self, app: WsgiApp, limits: WebLimits) -> None:
        self._app = app
        self._limits = limits
        self._lanes = Lanes(limits.threads, limits.lane_sizes())
        self._health = Lanes(_HEALTH_THREADS, {HEALTH: _HEALTH_THREADS}, name="health")
        self._waits: set[asyncio.Future] = set()
        #: Set to end a reply that goes on.
        self._pushes: set[asyncio.Event] = set()
        #: The bytes of the bodies that are being received, oldest first.
        self._bodies: dict[asyncio.Timeout, int] = {}
        self._closing: set[asyncio.Task] = set()
        self._is_stopping = False

    def stop(self) -> None:
        """End all waits now, and each later one at once: the views answer with what there is."""
        self._is_stopping = True
        for wait in self._waits:
            if not wait.done():
                wait.set_result(None)
        for woken in self._pushes:
            woken.set()

    def close(self) -> None:
        """Start no further work. May be called twice."""
        self._lanes.close()
        self._health.close()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # WebSockets are the SFU's: the server answers 403.
            await send({"type": "websocket.close"})
            return
        try:
            environ = build_environ(scope, await self._read_body(scope, receive))
        except InvalidTarget as error:
            await _send_error(send, 400, error.message, _CLOSE)
            return
        except _Refused as refused:
            await _send_error(send, refused.code, refused.message, _CLOSE)
            if refused.code == 413:
                await _linger(receive)
            return
        lane = self._limits.lane_of(scope["path"])
        call = Call(self._app, environ)
        try:
            await self._serve(call, lane, send)
        finally:
            if call.is_open:
                # Files and places are given back in a thread: closing may take time.
                task = asyncio.ensure_future(self._insist(lane, call.close))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def _serve(self, call: Call, lane: str, send: Send) -> None:
        try:
            reply = await self._run(lane, call.begin)
            while reply is None:
                await self._wait_for(call)
                reply = await self._run(lane, call.resume)
        except Overloaded:
            await _send_error(send, 503, "too many requests are waiting: try again in a few seconds")
        except Exception:
            logger.exception("a request failed outside the application")
            await _send_error(send, 500, "unexpected error: the log of the web process has the details")
        else:
            await self._send(reply, send)

    async def _wait_for(self, call: Call) -> None:
        """Until what the view waits for is there, or its time is over, or the process stops."""
        if self._is_stopping:
            return
        loop = asyncio.get_running_loop()
        wait = loop.create_future()

        def wake(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(lambda: wait.done() or wait.set_result(None))

        self._waits.add(wait)
        try:
            call.deferral.future.add_done_callback(wake)
            async with asyncio.timeout(call.deferral.seconds):
                await wait
        except TimeoutError:
            pass
        finally:
            self._waits.discard(wait)

    async def _send(self, reply: Reply, send: Send) -> None:
        """Send the reply at the pace of its client: the next piece is taken when the last one has been sent."""
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
        body = reply.body
        while not body.is_exhausted:
            if not body.has_piece:
                try:
                    await self._insist(FILES, body.pull)
                except Exception:
                    # The client sees the end of the connection before the end of the body.
                    logger.exception("a reply ended early")
                    return
            else:
                await send({"type": "http.response.body", "body": body.take(), "more_body": True})
        if reply.push is not None:
            await self._push(reply.push, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _push(self, source: PushSource, send: Send) -> None:
        """Send what comes until the source ends or the process stops."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)

        self._pushes.add(woken)
        try:
            source.listen(wake)
            while not self._is_stopping:
                woken.clear()
                if source.must_pull:
                    await self._insist(SHORT, source.pull)
                piece = source.take()
                if piece is None:
                    return
                if not piece:
                    if source.must_pull:
                        continue
                    try:
                        async with asyncio.timeout(source.heartbeat_seconds):
                            await woken.wait()
                        continue
                    except TimeoutError:
                        piece = source.heartbeat()
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except Exception:
            # The client sees the end of the connection, and comes again.
            logger.exception("a reply that goes on ended early")
        finally:
            self._pushes.discard(woken)
            source.close()

    async def _run(self, lane: str, function: Callable[[], Any]) -> Any:
        return await (self._health if lane == HEALTH else self._lanes).run(lane, function)

    async def _insist(self, lane: str, function: Callable[[], None]) -> None:
        """Run what must not be left out: a slow disk delays a download, and does not end it."""
        while True:
            try:
                return await self._run(lane, function)
            except Overloaded:
                continue

    async def _read_body(self, scope: dict[str, Any], receive: Receive) -> bytes:
        """The complete body. Raises _Refused."""
        length = header_of(scope, b"content-length")
        is_chunked = header_of(scope, b"transfer-encoding") is not None
        if not is_chunked and (length is None or length == b"0"):
            return b""
        limit = self._limits.max_body_bytes
        too_large = _Refused(413, f"the request body must have at most {limit} bytes")
        if length is not None and int(length) > limit:
            raise too_large
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(self._limits.read_seconds) as deadline:
                try:
                    self._bodies[deadline] = 0
                    while True:
                        message = await receive()
                        if message["type"] != "http.request":
                            raise TimeoutError  # the server has waited for long enough, or the client has gone
                        parts.append(message["body"])
                        self._bodies[deadline] += len(message["body"])
                        if self._bodies[deadline] > limit:
                            raise too_large
                        if not message["more_body"]:
                            return b"".join(parts)
                        self._make_room()
                finally:
                    del self._bodies[deadline]
        except TimeoutError:
            raise _Refused(408, "the request body did not arrive in time") from None

    def _make_room(self) -> None:
        if sum(self._bodies.values()) > _MAX_BODIES_BYTES:
            next(iter(self._bodies)).reschedule(asyncio.get_running_loop().time())


async def _send_error(send: Send, code: int, message: str, *headers: tuple[bytes, bytes]) -> None:
    status, fields, body = error_reply(code, message)
    await send({"type": "http.response.start", "status": status, "headers": [*fields, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _linger(receive: Receive) -> None:
    left = _LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while left > 0 and (message := await receive())["type"] == "http.request" and message["more_body"]:
                left -= len(message["body"])
    except TimeoutError:
        pass
