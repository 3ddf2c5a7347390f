"""One connection to a camera: opened to a checked address, requests matched with replies, and the reason of its end."""

import asyncio
from collections.abc import Callable
from time import monotonic

from gateway.sources.dialing import dial
from gateway.sources.registry import RTSP_PORTS
from workers.rtp.units import SourceError
from workers.rtsp.messages import Reply, Request, build_reply, build_request, cseq_of
from workers.rtsp.reader import RtspReader
from workers.rtsp.target import RtspTarget

#: A camera that does not read what it is sent is given up beyond this; reports are left out long before.
_MAX_UNSENT = 256 * 1024
_MAX_UNSENT_REPORTS = 16 * 1024


class Connection:
    """Requests and replies on one connection. `ended` resolves to the reason of its end."""

    def __init__(self, answer_seconds: float, user_agent: str) -> None:
        self.reader = RtspReader(self._take_message, self._take_end)
        self.ended: asyncio.Future[SourceError] = asyncio.get_running_loop().create_future()
        self.answered_at: float | None = None
        self.address = ""
        self.local = ""
        #: Called with each request of the camera; returns status and headers of the reply.
        self.on_request: Callable[[Request], tuple[int, str, dict[str, str]]] = lambda request: (
            501,
            "Not Implemented",
            {},
        )
        self._answer_seconds = answer_seconds
        self._user_agent = user_agent
        self._cseq = 0
        # Whether the camera has answered with the number of a request.
        self._has_numbered = False
        self._pending: dict[int, asyncio.Future[Reply]] = {}

    async def request(self, method: str, url: str, headers: dict[str, str], *, seconds: float | None = None) -> Reply:
        """Send a request and wait for its reply; raises SourceError."""
        self.raise_if_ended()
        self._cseq += 1
        number = self._cseq
        limit = seconds or self._answer_seconds
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        sent = {"CSeq": str(number), **headers, "User-Agent": self._user_agent}
        self.write(build_request(method, url, sent))
        try:
            async with asyncio.timeout(limit):
                return await answer
        except TimeoutError:
            self.raise_if_ended()
            raise SourceError("timed_out", f"the camera did not answer {method} within {limit:g} s") from None
        finally:
            self._pending.pop(number, None)

    def write(self, data: bytes) -> None:
        """Send bytes; a camera that takes nothing any more is given up."""
        transport = self.reader.transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > _MAX_UNSENT:
            self.reader.end(SourceError("timed_out", "the camera no longer reads what it is sent"))
            return
        transport.write(data)

    def write_report(self, channel: int, report: bytes) -> None:
        """Send RTCP on an interleaved channel, unless the camera does not read."""
        transport = self.reader.transport
        if transport is not None and transport.get_write_buffer_size() < _MAX_UNSENT_REPORTS:
            self.write(b"$" + bytes([channel]) + len(report).to_bytes(2, "big") + report)

    def end(self, error: SourceError) -> None:
        """Close the connection at once, for this reason. May be called twice."""
        self.reader.end(error)

    def raise_if_ended(self) -> None:
        """Raise the reason of the end, if the connection has ended."""
        if self.ended.done():
            raise self.ended.result()

    def _take_message(self, message: Reply | Request) -> None:
        if isinstance(message, Request):
            status, phrase, headers = self.on_request(message)
            number = cseq_of(message.headers)
            self.write(build_reply(status, phrase, {"CSeq": str(number or 0), **headers}))
            return
        self.answered_at = monotonic()
        if message.status < 200:
            return
        number = cseq_of(message.headers)
        if number not in self._pending:
            # A late reply to a request that is no longer waited for, or a camera that numbers in its own way.
            is_late = number is not None and 0 < number <= self._cseq and self._has_numbered
            if is_late or not self._pending:
                return
            number = min(self._pending)
        else:
            self._has_numbered = True
        answer = self._pending[number]
        if not answer.done():
            answer.set_result(message)

    def _take_end(self, error: SourceError) -> None:
        if not self.ended.done():
            self.ended.set_result(error)
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(error)


async def open_connection(
    target: RtspTarget, *, connect_seconds: float, answer_seconds: float, user_agent: str
) -> Connection:
    """Connect to the first address that answers; raises SourceError with the failure that says most."""
    source = target.source
    built: list[Connection] = []

    def build() -> RtspReader:
        built.append(Connection(answer_seconds, user_agent))
        return built[-1].reader

    try:
        transport, reader = await dial(
            build,
            source.host,
            source.port or RTSP_PORTS[source.scheme],
            target.addresses,
            trust=target.tls if source.scheme == "rtsps" else None,
            seconds=connect_seconds,
        )
    except SourceError as error:
        _end_all(built, error)
        raise
    except asyncio.CancelledError:
        _end_all(built, SourceError("requested"))
        raise
    connection = next(one for one in built if one.reader is reader)
    if reader.transport is None or connection.ended.done():
        connection.raise_if_ended()
        raise SourceError("closed_by_camera", "the camera closed the connection at once")
    connection.address = str(transport.get_extra_info("peername")[0])
    connection.local = str(transport.get_extra_info("sockname")[0])
    return connection


def _end_all(connections: list[Connection], error: SourceError) -> None:
    for connection in connections:
        connection.end(error)
