"""Replies of HTTP cameras (RFC 9112), read tolerantly and within limits, and what their statuses mean."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from gateway.plugin_api import SourceError, clean_camera_text, reason_for

#: Longest head; asyncio's reader has the same limit.
_MAX_LINES = 200
_CHUNK_BYTES = 64 * 1024
_MAX_INFORMATIONAL = 5

_STATUS_LINE = re.compile(rb"(?:HTTP/\d{1,2}(?:\.\d{1,2})?|ICY)[ \t]+(\d{3})(?:[ \t]+([^\r\n]*))?\r?\n", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")

_BY_STATUS = {
    204: "no_video",
    401: "unauthorized",
    402: "forbidden",
    403: "forbidden",
    404: "not_found",
    407: "login_unsupported",
    408: "timed_out",
    410: "not_found",
    429: "too_many_connections",
    503: "too_many_connections",
}


@dataclass(slots=True)
class ReplyHead:
    """Status and headers; names in lower case, with each line of a header that comes several times."""

    status: int
    phrase: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The first line of a header; None without any."""
        lines = self.headers.get(name)
        return lines[0] if lines else None

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty without one."""
        return clean_camera_text((self.get("content-type") or "").partition(";")[0].strip().strip("\"'").lower(), 60)


async def read_head(reader: asyncio.StreamReader) -> ReplyHead:
    """The next head that is a final one; raises SourceError."""
    for _ in range(_MAX_INFORMATIONAL):
        match = _STATUS_LINE.fullmatch(await _read_line(reader))
        if match is None:
            raise SourceError("invalid_data", "what answers at this port does not speak HTTP")
        head = ReplyHead(int(match[1]), clean_camera_text((match[2] or b"").decode("latin-1"), 60))
        for _ in range(_MAX_LINES):
            line = (await _read_line(reader)).decode("latin-1").strip()
            if not line:
                break
            name, colon, value = line.partition(":")
            if colon:
                head.headers.setdefault(name.strip().lower(), []).append(value.strip())
        else:
            raise SourceError("invalid_data", f"the camera's reply has more than {_MAX_LINES} header lines")
        if head.status // 100 != 1:
            return head
    raise SourceError("invalid_data", "the camera sends nothing but informational replies")


def refusal(head: ReplyHead) -> SourceError:
    """The error that a status means."""
    known = {3: "redirected", 4: "request_refused", 5: "camera_error"}
    code = _BY_STATUS.get(head.status) or known.get(head.status // 100, "invalid_data")
    if code in known.values() or code in ("invalid_data", "no_video"):
        return SourceError(code, f"{reason_for(code).message}: {head.status} {head.phrase}".rstrip())
    return SourceError(code)


async def read_body(reader: asyncio.StreamReader, head: ReplyHead) -> AsyncIterator[bytes]:
    """The body in pieces as they come, without transfer coding; raises SourceError, also if it is cut off."""
    if "chunked" in (head.get("transfer-encoding") or "").lower():
        async for piece in _read_chunks(reader):
            yield piece
        return
    length = head.get("content-length") or ""
    left = int(length) if re.fullmatch(r"\d{1,12}", length) else None
    # A stream without an end has no length, whatever the camera says.
    if head.content_type.startswith("multipart/"):
        left = None
    while left is None or left > 0:
        piece = await _read(reader, _CHUNK_BYTES if left is None else min(left, _CHUNK_BYTES))
        if not piece:
            if left is not None:
                raise SourceError("closed_by_camera", "the camera closed the connection in the middle of a picture")
            return
        if left is not None:
            left -= len(piece)
        yield piece


async def _read_chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        line = await _read_line(reader)
        if line.strip() == b"":
            # The end of the chunk before.
            line = await _read_line(reader)
        match = _CHUNK_SIZE.fullmatch(line)
        if match is None:
            raise SourceError("invalid_data", "the camera's reply is not chunked as it says")
        left = int(match[1], 16)
        if left == 0:
            return
        while left:
            piece = await _read(reader, min(left, _CHUNK_BYTES))
            if not piece:
                raise SourceError("closed_by_camera")
            left -= len(piece)
            yield piece


async def _read(reader: asyncio.StreamReader, count: int) -> bytes:
    try:
        return await reader.read(count)
    except OSError:
        raise SourceError("closed_by_camera", "the camera reset the connection") from None


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    try:
        line = await reader.readline()
    except ValueError:
        raise SourceError("invalid_data", "the camera's reply has a line without an end") from None
    except OSError:
        raise SourceError("closed_by_camera", "the camera reset the connection") from None
    if not line.endswith(b"\n"):
        if line:
            raise SourceError("invalid_data", "what answers at this port does not speak HTTP")
        raise SourceError("closed_by_camera")
    return line
