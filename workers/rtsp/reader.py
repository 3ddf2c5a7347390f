"""Splits the bytes of an RTSP connection into interleaved packets and messages, without copying more than once.

The loop over packets runs some hundred times a second for each camera, so it makes nothing but the packet itself.
"""

import asyncio
import logging
import re
import ssl
import time
from collections.abc import Callable

from workers.rtp.units import SourceError
from workers.rtsp.messages import MAX_BODY, MAX_HEAD, Reply, Request, content_length, is_first_line, parse_head
from workers.rtsp.shared_reads import SharedReads, shared_reads

log = logging.getLogger(__name__)

#: Called with a packet and the moment of its arrival.
PacketHandler = Callable[[bytes, float], None]

#: Holds the longest interleaved packet (65,539 bytes) or head; pages that no camera fills cost nothing.
_BUFFER = 160 * 1024
_LEAST_FREE = 64 * 1024
#: Bytes that belong to nothing, after which a connection is given up.
_MAX_JUNK = 1024 * 1024
#: A first line that has no end by then is no RTSP.
_MAX_LINE = 4096
_DOLLAR = 0x24
_HEAD_END = re.compile(rb"\r?\n\r?\n|\r\r")
_NEXT = re.compile(rb"\$|RTSP/[12]\.", re.IGNORECASE)
_MAX_STRAYS = 64
_BLANK = b"\r\n \0\t"


class RtspReader(asyncio.BufferedProtocol):
    """One connection to a camera.

    `channels` holds a handler for each interleaved channel that is in use. Packets of others are skipped; their SSRCs
    are put into `strays` until that is None. `on_message` takes replies and requests, `on_batch` is called after the
    packets of one read, `on_end` once, with the reason.
    """

    def __init__(self, on_message: Callable[[Reply | Request], None], on_end: Callable[[SourceError], None]) -> None:
        self.channels: list[PacketHandler | None] = [None] * 256
        self.strays: set[bytes] | None = set()
        self.on_batch: Callable[[], None] = lambda: None
        self.transport: asyncio.Transport | None = None
        self.heard_at = time.monotonic()
        self.bytes = 0
        #: Bytes skipped because they belonged to no packet and no message.
        self.junk = 0
        self._on_message = on_message
        self._on_end = on_end
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._start = self._end = self._searched = 0
        self._recent_junk = 0
        self._is_in_step = True
        self._has_message = False
        self._has_ended = False
        self._shared: SharedReads | None = None
        # The message whose body is being read, what there is of it, and how much is missing.
        self._message: Reply | Request | None = None
        self._body = bytearray()
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(_explain_loss(exc, heard=self.bytes > 0))

    def eof_received(self) -> bool:
        return False

    def end(self, error: SourceError) -> None:
        """End the connection at once, for this reason; later reasons do not count."""
        if not self._has_ended:
            self._has_ended = True
            if self._shared is not None:
                self._shared.leave(self)
            # In place: the loop over packets holds this list.
            self.channels[:] = [None] * 256
            if self.transport is not None:
                self.transport.abort()
            self._on_end(error)

    def hasten(self, is_hurried: bool) -> None:
        """Read at once whatever comes, or together with other connections, some times a second."""
        shared = None if is_hurried else shared_reads()
        if shared is self._shared:
            return
        if self._shared is not None:
            self._shared.leave(self)
        self._shared = shared
        self.resume()

    def resume(self) -> None:
        """Read what has come."""
        if self.transport is not None and not self.transport.is_closing() and not self.transport.is_reading():
            self.transport.resume_reading()

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._start and _BUFFER - self._end < _LEAST_FREE:
            rest = self._end - self._start
            self._view[:rest] = self._view[self._start : self._end]
            self._searched = max(0, self._searched - self._start)
            self._start, self._end = 0, rest
        return self._view[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        if self._has_ended:
            return
        self.heard_at = now = time.monotonic()
        self.bytes += nbytes
        try:
            if self._read(self._end + nbytes, now):
                self.on_batch()
            if self._shared is not None and nbytes < _LEAST_FREE and not self._has_ended:
                self.transport.pause_reading()
                self._shared.wait(self)
        except SourceError as error:
            self.end(error)
        except Exception:
            log.exception("reading from a camera failed")
            self.end(SourceError("unknown", "reading from the camera failed: see the log of the stream worker"))

    def _read(self, end: int, now: float) -> bool:
        """Take everything that is complete; returns whether there were packets."""
        position = self._start
        has_packets = False
        while position < end and not self._has_ended:
            before = position
            if self._missing:
                position = self._read_body(position, end)
            elif not self._is_in_step:
                position = self._find_step(position, end)
                if position == before and not self._is_in_step:
                    break
            elif self._buffer[position] == _DOLLAR:
                position = self._read_packets(position, end, now)
                if position == before:
                    break
                has_packets = True
            else:
                position = self._read_message(position, end)
                if position == before:
                    break
        if position >= end:
            self._start = self._end = self._searched = 0
        else:
            self._start, self._end = position, end
        return has_packets

    def _read_packets(self, position: int, end: int, now: float) -> int:
        buffer, view, channels = self._buffer, self._view, self.channels
        while end - position > 3 and buffer[position] == _DOLLAR:
            stop = position + 4 + (buffer[position + 2] << 8 | buffer[position + 3])
            if stop > end:
                break
            handler = channels[buffer[position + 1]]
            if handler is not None:
                handler(bytes(view[position + 4 : stop]), now)
            elif self.strays is not None and stop - position >= 16 and len(self.strays) < _MAX_STRAYS:
                self.strays.add(bytes(view[position + 12 : position + 16]))
            position = stop
        return position

    def _read_body(self, position: int, end: int) -> int:
        taken = min(self._missing, end - position)
        self._body += self._view[position : position + taken]
        self._missing -= taken
        if not self._missing:
            message, body, self._message, self._body = self._message, bytes(self._body), None, bytearray()
            message.body = body
            self._deliver(message)
        return position + taken

    def _read_message(self, position: int, end: int) -> int:
        """Take a head; returns `position` if it is incomplete."""
        buffer = self._buffer
        first = position
        while first < end and buffer[first] in _BLANK:
            first += 1
        if first > position:
            return first
        line_end = buffer.find(b"\n", position, end)
        known_end = line_end if line_end >= 0 else end
        if line_end < 0 and end - position < _MAX_LINE and self._may_begin(position, end):
            return position
        if not is_first_line(bytes(buffer[position : min(known_end, position + _MAX_LINE)]).rstrip(b"\r")):
            return self._lose_step(position, end)
        head_end = _HEAD_END.search(buffer, max(position, self._searched - 4), end)
        if head_end is None:
            if end - position > MAX_HEAD:
                raise SourceError("invalid_data", "the camera's answer has a head of more than 64 kB")
            self._searched = end
            return position
        self._searched = 0
        message = parse_head(bytes(buffer[position : head_end.start()]))
        if message is None:
            return self._lose_step(position, end)
        self._begin_body(message)
        return head_end.end()

    def _begin_body(self, message: Reply | Request) -> None:
        length = content_length(message.headers)
        if length < 0:
            raise SourceError("invalid_data", f"the camera's answer has a body of more than {MAX_BODY // 1024} kB")
        if length:
            self._message, self._missing = message, length
        else:
            self._deliver(message)

    def _deliver(self, message: Reply | Request) -> None:
        self._has_message = True
        self._recent_junk = 0
        self._on_message(message)

    def _may_begin(self, position: int, end: int) -> bool:
        """Whether an incomplete line may be the beginning of a message."""
        known = bytes(self._buffer[position : min(end, position + 5)]).upper()
        return known == b"RTSP/"[: len(known)] or known.isalpha() or b"_" in known

    def _lose_step(self, position: int, end: int) -> int:
        """What stands at `position` is no RTSP: skip it and search; a connection that never spoke RTSP is given up."""
        if not self._has_message:
            raise _explain_stranger(bytes(self._buffer[position : min(end, position + 64)]))
        self._is_in_step = False
        self._skip(1)
        return position + 1

    def _find_step(self, position: int, end: int) -> int:
        """Skip to the next packet of a channel in use, or the next reply; returns `position` if it needs more bytes."""
        buffer = self._buffer
        search = position
        found = end
        while search < end:
            match = _NEXT.search(buffer, search, end)
            if match is None:
                # What may be the beginning of a reply is kept.
                found = max(position, end - 6)
                break
            search = match.start()
            if buffer[search] != _DOLLAR:
                self._is_in_step = True
                found = search
                break
            if end - search < 5:
                found = search
                break
            length = buffer[search + 2] << 8 | buffer[search + 3]
            if self.channels[buffer[search + 1]] is not None and length >= 8 and buffer[search + 4] >> 6 == 2:
                self._is_in_step = True
                found = search
                break
            search += 1
        self._skip(found - position)
        return found

    def _skip(self, count: int) -> None:
        self.junk += count
        self._recent_junk += count
        if self._recent_junk > _MAX_JUNK:
            raise SourceError("invalid_data", "the camera sends data that is no RTSP between its packets")


def _explain_loss(error: Exception | None, *, heard: bool) -> SourceError:
    if isinstance(error, ssl.SSLError):
        return SourceError("tls_failed", "the encrypted connection to the camera broke off")
    if isinstance(error, TimeoutError):
        return SourceError("timed_out", "the connection to the camera broke off without a word")
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return SourceError("closed_by_camera", "the camera reset the connection")
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
        return SourceError("unreachable", "the network to the camera broke off")
    if not heard:
        return SourceError("closed_by_camera", "the camera closed the connection at once")
    return SourceError("closed_by_camera")


def _explain_stranger(data: bytes) -> SourceError:
    """What answers instead of a camera, by its first bytes."""
    if data.upper().startswith(b"HTTP/"):
        return SourceError("not_rtsp", "a web server answers at this port, not RTSP")
    if data.startswith(b"SSH-"):
        return SourceError("not_rtsp", "an SSH server answers at this port, not RTSP")
    if data[:1] in (b"\x15", b"\x16") and data[1:2] == b"\x03":
        return SourceError("not_rtsp", "the camera speaks TLS at this port: use rtsps")
    return SourceError("not_rtsp")
