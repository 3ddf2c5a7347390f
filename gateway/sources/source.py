"""The contract of sources: what a plugin provides for its schemes, and the sessions that read a camera.

RTSP is the source that is built in (`workers/rtsp/session.py`).
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.config import Config
from gateway.sources.dialing import dial
from gateway.sources.tls import VERIFIED, TlsTrust
from gateway.sources.tracks import CodecData, Description, TrackDescription

#: Longest line or head that a stream of `open_streams` reads as one.
_MAX_LINE = 64 * 1024


@dataclass(frozen=True, slots=True)
class SourceContext:
    """The process of a source: a web process, which only asks for the schemes, or a worker."""

    config: Config


@dataclass(frozen=True, slots=True)
class SourceTarget:
    """Where a session leads: a source URL in its parts, after the gateway has resolved and checked its host.

    `path` has the query; `credentials` are user and password, percent-decoded. Only `addresses` may be connected to;
    they are empty if the host has none, for schemes whose host is a name of something else. `transport` and `trust` are
    settings of the device.
    """

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)
    credentials: tuple[str, str] | None = field(repr=False, default=None)
    addresses: tuple[str, ...] = ()
    transport: str = "tcp"
    trust: TlsTrust = VERIFIED


#: Gives the checked target of a redirect; raises SourceError. The login is kept only for the host it was entered for.
Follow = Callable[[str], Awaitable[SourceTarget]]


class SourceReceiver(Protocol):
    """Takes what a session plays. All methods return at once; arrivals are moments of `time.monotonic()`."""

    def packet(self, index: int, packet: bytes, arrived: float) -> None:
        """An RTP packet of the track with this index, in order."""

    def rtcp(self, index: int, packet: bytes, arrived: float) -> None:
        """An RTCP packet of the track."""

    def flush(self) -> None:
        """All packets that had arrived together were passed."""

    def unit(
        self,
        kind: str,
        timestamp: int,
        data: bytes,
        is_key: bool = True,
        *,
        arrived: float | None = None,
        codec_data: CodecData | None = None,
    ) -> None:
        """A whole access unit of the track of this kind ("video" or "audio"), for sessions that give no packets.

        `timestamp`: in ticks of the track's clock rate, not wrapped. `data`: a JPEG for mjpeg, NAL units after start
        codes (Annex B) for h264 and hevc, otherwise as Matroska stores it. `codec_data`: needed with the first unit of
        codecs other than these three, and when it changes.
        """


class SourceSession(ABC):
    """A session with one camera: `describe`, `play`, `wait_ended`, at last `close`. All errors are SourceError."""

    @property
    def answered_at(self) -> float | None:
        """When the camera answered last, by `time.monotonic()`; None if it never did."""
        return None

    @abstractmethod
    async def describe(self) -> Description:
        """Connect, log in where asked, and say what there is."""

    @abstractmethod
    async def play(self, tracks: Sequence[TrackDescription], receiver: SourceReceiver) -> None:
        """Let the media of these tracks come; returns when they do."""

    def hasten(self, is_hurried: bool) -> None:
        """Pass on what comes at once, or, while nobody waits for it, some times a second together. May be ignored."""

    @abstractmethod
    async def wait_ended(self) -> None:
        """Wait for the end of the session; raises SourceError with the reason."""

    @abstractmethod
    async def close(self) -> None:
        """End the session in order; may be called twice, at any time."""


class Source(ABC):
    """The base of both kinds of sources; one object serves all devices of a process.

    `schemes`: those of its URLs, in lower case; `default_ports`: the port of each for URLs without one.
    """

    schemes: tuple[str, ...]
    default_ports: Mapping[str, int]


class SessionSource(Source):
    """A source that reads cameras by itself."""

    @abstractmethod
    def open(self, target: SourceTarget, follow: Follow) -> SourceSession:
        """A session that is not connected yet. `follow` is asked before a redirect is followed."""


class AddressSource(Source):
    """A source that knows where RTSP is to connect to, such as the expiring address of a camera's cloud."""

    @abstractmethod
    async def resolve(self, target: SourceTarget) -> str:
        """The rtsp or rtsps URL with its login, for one session; asked before each. Raises SourceError."""


async def open_streams(
    target: SourceTarget, *, is_encrypted: bool, seconds: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a target's checked addresses, with its trust if the connection is encrypted. Raises SourceError."""
    loop = asyncio.get_running_loop()
    readers: dict[asyncio.StreamReaderProtocol, asyncio.StreamReader] = {}

    def build() -> asyncio.StreamReaderProtocol:
        reader = asyncio.StreamReader(limit=_MAX_LINE, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        readers[protocol] = reader
        return protocol

    trust = target.trust if is_encrypted else None
    transport, protocol = await dial(build, target.host, target.port, target.addresses, trust=trust, seconds=seconds)
    reader = readers[protocol]
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
