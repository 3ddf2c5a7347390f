"""A small RTSP server on asyncio, in a thread of its own: the base of FaultyCamera and the load cameras.

It speaks RTP over the RTSP connection (TCP) only, and answers 461 to a SETUP that wants UDP.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

REASONS = {
    200: "OK",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    454: "Session Not Found",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Request:
    """One RTSP request; header names in lower case."""

    method: str
    url: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        """The path of the URL."""
        return urlsplit(self.url).path


@dataclass
class Reply:
    """One RTSP answer; CSeq and Content-Length are added to it. A list is a header that stands there several times."""

    status: int = 200
    headers: dict[str, str | list[str]] = field(default_factory=dict)
    body: str = ""


@dataclass(eq=False)
class Connection:
    """One TCP connection of a client. `channels`: track name to interleaved channel, from SETUP."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    path: str = ""
    channels: dict[str, int] = field(default_factory=dict)
    sender: asyncio.Task | None = None

    async def read_request(self) -> Request | None:
        """The next request, None at the end of the connection. RTCP from the client is skipped."""
        while True:
            first = await self.reader.read(1)
            if not first:
                return None
            if first == b"$":
                head = await self.reader.readexactly(3)
                await self.reader.readexactly(int.from_bytes(head[1:], "big"))
            elif first not in b"\r\n":
                break
        lines = (first + await self.reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace").split("\r\n")
        # URLs may have blanks in them.
        method, _, rest = lines[0].partition(" ")
        url = rest.rpartition(" ")[0]
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Request(method, url, headers)

    async def write_reply(self, request: Request, reply: Reply) -> None:
        """Send the answer to a request."""
        headers = {"CSeq": request.headers.get("cseq", "0"), "Server": "test camera", **reply.headers}
        body = reply.body.encode()
        if body:
            headers["Content-Length"] = str(len(body))
        lines = [f"RTSP/1.0 {reply.status} {REASONS.get(reply.status, 'Whatever')}"]
        for name, value in headers.items():
            lines += [f"{name}: {item}" for item in ([value] if isinstance(value, str) else value)]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await self.writer.drain()


class RtspServer:
    """Listens on loopback and answers; subclasses define the SDP and send the media.

    `connections` counts all accepted connections, `most_at_once` is the highest number of open ones.
    """

    def __init__(self, port: int = 0) -> None:
        """`port` 0 takes a free one, which stays the same until `close()`."""
        self.port = port
        self.connections = 0
        self.most_at_once = 0
        self.requests: list[str] = []
        self._open: dict[Connection, asyncio.Task] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rtsp cameras", daemon=True)
        self._listener: asyncio.Server | None = None
        self._is_closed = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def open_connections(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    def start(self) -> None:
        """Start listening. Raises OSError when the port is taken."""
        self._thread.start()
        self._call(self._listen())

    def cut(self) -> None:
        """Close the open connections; new ones are accepted."""
        self._call(self._cut())

    def close(self) -> None:
        """Close everything; may be called twice."""
        if self._is_closed or not self._thread.is_alive():
            return
        self._is_closed = True
        self._call(self._stop_listening())
        self._call(self._cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def describe(self, request: Request) -> Reply:
        """The answer to DESCRIBE, with an SDP whose tracks have the controls `track=NAME`."""
        raise NotImplementedError

    async def send_media(self, connection: Connection) -> None:
        """Send from PLAY on until cancelled, on the connection's channels. A return leaves the connection open."""
        raise NotImplementedError

    async def greet(self, connection: Connection) -> bool:
        """Called first on each connection; False closes it."""
        return True

    async def answer(self, connection: Connection, request: Request) -> Reply:
        """The answer to one request."""
        match request.method:
            case "OPTIONS":
                return Reply(headers={"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"})
            case "DESCRIBE":
                return await self.describe(request)
            case "SETUP":
                return self._set_up(connection, request)
            case "PLAY":
                connection.path = request.path.rstrip("/")
                return Reply(headers={"Session": "1", "Range": "npt=0.000-"})
            case "GET_PARAMETER" | "SET_PARAMETER" | "TEARDOWN":
                return Reply(headers={"Session": "1"})
        return Reply(501)

    def _set_up(self, connection: Connection, request: Request) -> Reply:
        transport = request.headers.get("transport", "")
        if "TCP" not in transport:
            return Reply(461)
        channel = 2 * len(connection.channels)
        for part in transport.split(";"):
            if part.startswith("interleaved="):
                channel = int(part.removeprefix("interleaved=").split("-")[0])
        connection.channels[request.path.rpartition("track=")[2]] = channel
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        return Reply(headers={"Session": "1;timeout=60", "Transport": transport})

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(reader, writer)
        self._open[connection] = asyncio.current_task()
        self.connections += 1
        self.most_at_once = max(self.most_at_once, len(self._open))
        try:
            if await self.greet(connection):
                await self._serve(connection)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the client has closed the connection or does not speak RTSP: close it, as a camera does
        except asyncio.CancelledError:
            pass  # cut() or close()
        finally:
            self._open.pop(connection, None)
            if connection.sender:
                connection.sender.cancel()
            with contextlib.suppress(OSError):
                writer.close()

    async def _serve(self, connection: Connection) -> None:
        while request := await connection.read_request():
            self.requests.append(request.method)
            reply = await self.answer(connection, request)
            await connection.write_reply(request, reply)
            if request.method == "PLAY" and reply.status == 200 and connection.sender is None:
                connection.sender = asyncio.create_task(self._send(connection))
            elif request.method == "TEARDOWN":
                return

    async def _send(self, connection: Connection) -> None:
        with contextlib.suppress(OSError):
            await self.send_media(connection)

    async def _cut(self) -> None:
        tasks = list(self._open.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _call(self, coroutine: object) -> object:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)
