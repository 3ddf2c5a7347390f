"""One connection of a client: gunicorn's own HTTP protocol, with time limits and errors as JSON."""

import asyncio
import contextlib
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol

from gateway.web.replies import error_reply, phrase_of

_MESSAGES = {
    400: "the request is malformed",
    414: "the target of the request is too long",
    431: "a header of the request is too long, or there are too many",
    501: "this Transfer-Encoding is not supported",
}


class Connection(ASGIProtocol):
    """Adds to gunicorn's protocol what it leaves to the application: limits for clients that send or read slowly."""

    def __init__(self, worker: Any) -> None:
        """`worker` is the WebWorker."""
        super().__init__(worker)
        self.app = self._answer
        self._loop = worker.loop
        #: Whether a request is being answered.
        self.is_busy = False
        self._is_new = True
        self._has_received = False
        self._since = self._loop.time()
        self._unsent = 0
        self._has_sent = False
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.worker.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.worker.remove(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self._has_received = True
        super().data_received(data)

    def resume_writing(self) -> None:
        self._has_sent = True
        super().resume_writing()

    def check(self, now: float, *, read_seconds: float, write_seconds: float) -> None:
        """Close the connection if its time is over; called every second."""
        if self._is_new and not self.is_busy and now - self._since > read_seconds:
            # gunicorn's keep-alive timer covers every head but the first.
            if self._has_received:
                self._send_error_response(408, "the head of the request did not arrive in time")
            self.drop()
            return
        left = self.transport.get_write_buffer_size()
        if not left or left < self._unsent or self._has_sent or not self._unsent:
            self._sent_at = now
        self._unsent, self._has_sent = left, False
        if self.stalled_seconds(now) > write_seconds:
            self.drop()

    def stalled_seconds(self, now: float) -> float:
        """For how long the client has taken nothing of what is to be sent, as of the last check."""
        return now - self._sent_at if self._unsent else 0.0

    def refuse(self) -> None:
        """Answer that there are too many connections, and close."""
        self._send_error_response(503, "there are too many connections: try again in a few seconds")
        self.drop()

    def drop(self) -> None:
        """Close the connection; what can be sent at once has been sent."""
        self._closed = True
        self.transport.abort()

    async def _answer(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.is_busy, self._is_new = True, False
        self.worker.idle.pop(self, None)
        if scope["http_version"] == "1.0":
            # A reply without a length ends with its connection, also where the client asked to keep it.
            self._current_request.must_close = True
        try:
            await self.worker.front(scope, receive, send)
        finally:
            self.is_busy = False
            if self in self.worker.connections:
                self.worker.idle[self] = None

    def _send_error_response(self, status: int, message: str, extra_headers: Any = ()) -> None:
        """Send an error of the parser, or of this class, as JSON."""
        text = _MESSAGES.get(status, message)
        _, fields, body = error_reply(status, text)
        fields += [(b"connection", b"close")]
        fields += [(str(name).encode("latin-1"), str(value).encode("latin-1")) for name, value in extra_headers]
        head = [f"HTTP/1.1 {status} {phrase_of(status)}".encode(), *(b": ".join(pair) for pair in fields)]
        with contextlib.suppress(RuntimeError, OSError):
            self.transport.write(b"\r\n".join([*head, b"", body]))
