"""RTSP messages as text: heads of requests and replies, read tolerantly and written strictly (RFC 2326)."""

import re
from dataclasses import dataclass, field

from gateway.sources.camera_text import clean_camera_text

#: Limits of what is read from a camera, in bytes.
MAX_HEAD = 64 * 1024
MAX_BODY = 1024 * 1024
#: Header lines of a message; further ones are ignored.
_MAX_LINES = 200

_STATUS_LINE = re.compile(rb"RTSP/\d{1,2}(?:\.\d{1,2})?[ \t]+(\d{3})(?:[ \t]+([^\r\n]*))?", re.IGNORECASE)
_METHOD = re.compile(rb"[A-Z_]{3,20}")
_VERSION = re.compile(rb"RTSP/\d{1,2}(?:\.\d{1,2})?", re.IGNORECASE)
_LINES = re.compile(r"\r\n|\n|\r")

Headers = dict[str, list[str]]


@dataclass(slots=True)
class Reply:
    """A camera's reply. Header names in lower case; `headers` keeps each line of a header that comes several times."""

    status: int
    phrase: str = ""
    headers: Headers = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    def get(self, name: str) -> str | None:
        """The first line of a header; None without any."""
        lines = self.headers.get(name)
        return lines[0] if lines else None


@dataclass(slots=True)
class Request:
    """A request that the camera makes of us."""

    method: str
    url: str
    headers: Headers = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    def get(self, name: str) -> str | None:
        """The first line of a header; None without any."""
        lines = self.headers.get(name)
        return lines[0] if lines else None


def is_first_line(line: bytes) -> bool:
    """Whether a line begins an RTSP message."""
    return bool(_STATUS_LINE.match(line) or _split_request(line))


def parse_head(head: bytes) -> Reply | Request | None:
    """The message of a head (first line and headers); None if it is no RTSP."""
    first, _, rest = head.partition(b"\n")
    if status := _STATUS_LINE.match(first):
        phrase = clean_camera_text((status[2] or b"").decode("utf-8", "replace"), 60)
        return Reply(int(status[1]), phrase, _parse_headers(rest))
    if words := _split_request(first):
        return Request(
            words[0].decode(), b" ".join(words[1:-1]).decode("utf-8", "surrogateescape"), _parse_headers(rest)
        )
    return None


def _split_request(line: bytes) -> list[bytes] | None:
    """The words of a request line; None if it is none."""
    words = line.split()
    is_request = len(words) > 2 and _METHOD.fullmatch(words[0]) and _VERSION.fullmatch(words[-1])
    return words if is_request else None


def _parse_headers(text: bytes) -> Headers:
    """Bytes outside UTF-8 are kept as surrogates: a realm takes part in the proof of a login as it was sent."""
    headers: Headers = {}
    last: list[str] | None = None
    for line in _LINES.split(text.decode("utf-8", "surrogateescape"))[:_MAX_LINES]:
        if line[:1] in (" ", "\t") and last:
            last[-1] = f"{last[-1]} {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        if colon:
            last = headers.setdefault(name.strip().lower(), [])
            last.append(value.strip())
    return headers


def content_length(headers: Headers) -> int:
    """The announced length of the body; 0 where it is missing or no number, -1 where it exceeds all limits."""
    text = (headers.get("content-length") or ["0"])[0].strip()
    if not re.fullmatch(r"[0-9]+", text):
        return 0
    return int(text) if len(text) <= 9 and int(text) <= MAX_BODY else -1


def cseq_of(headers: Headers) -> int | None:
    """The number of the request that a reply answers; None if it is missing or no number."""
    found = re.match(r"\s*([0-9]{1,9})", (headers.get("cseq") or [""])[0])
    return int(found[1]) if found else None


def build_request(method: str, url: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as bytes. Control characters, which could begin another header, never pass."""
    lines = [f"{method} {_one_line(url)} RTSP/1.0"]
    lines += [f"{name}: {_one_line(value)}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def build_reply(status: int, phrase: str, headers: dict[str, str]) -> bytes:
    """A reply to a request of the camera."""
    lines = [f"RTSP/1.0 {status} {phrase}", *(f"{name}: {_one_line(value)}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "", text)
