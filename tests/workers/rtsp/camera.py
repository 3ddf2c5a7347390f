"""A camera of the tests that answers as a test says: a script for each method, on loopback, on the test's own loop."""

import asyncio
import contextlib
import re
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from gateway.devices.sources import parse_source
from gateway.sources.tls import TlsTrust
from gateway.sources.tracks import Description
from workers.rtp.units import SourceError
from workers.rtsp.session import Pace, RtspSession, RtspTarget

VIDEO_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"
)
AUDIO_SDP = "m=audio 0 RTP/AVP 8\r\na=control:trackID=1\r\n"
#: Limits of the tests: a camera on loopback answers at once, and a test that waits for a limit waits shortly.
CALM = Pace(quiet=600, report=600, takeover=600, after_bye=600, udp_silence=600, teardown=5)


def rtp(sequence: int, ssrc: int = 0x11223344, payload: bytes = b"payload", payload_type: int = 96) -> bytes:
    """An RTP packet."""
    return struct.pack(">BBHII", 0x80, payload_type, sequence & 0xFFFF, 1000 * sequence & 0xFFFFFFFF, ssrc) + payload


def interleaved(channel: int, packet: bytes) -> bytes:
    """A packet as it stands on the RTSP connection."""
    return b"$" + bytes([channel]) + len(packet).to_bytes(2, "big") + packet


@dataclass
class Seen:
    """A request that the camera got."""

    method: str
    url: str
    headers: dict[str, str]
    connection: int

    def __getitem__(self, name: str) -> str:
        return self.headers[name.lower()]


@dataclass
class Answer:
    """What the camera answers; `before` and `after` are raw bytes around it. `silent`: nothing at all."""

    status: int = 200
    headers: dict[str, str | list[str]] = field(default_factory=dict)
    body: str | bytes = ""
    phrase: str = "Whatever"
    before: bytes = b""
    after: bytes = b""
    close: bool = False
    silent: bool = False
    cseq: str | None = None
    raw: bytes | None = None

    def encode(self, cseq: str) -> bytes:
        if self.raw is not None:
            return self.raw
        body = self.body.encode() if isinstance(self.body, str) else self.body
        lines = [f"RTSP/1.0 {self.status} {self.phrase}", f"CSeq: {cseq if self.cseq is None else self.cseq}"]
        for name, value in self.headers.items():
            lines += [f"{name}: {item}" for item in ([value] if isinstance(value, str) else value)]
        if body and "Content-Length" not in self.headers:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        return self.before + head + body + self.after


Script = Answer | list[Answer] | Callable[[Seen], Answer]


class ScriptedCamera:
    """Answers like a plain camera, but for the methods in `scripts`: an answer for ever, a list of them (the last one
    stays), or a function of the request."""

    def __init__(self, sdp: str | bytes = VIDEO_SDP, *, tls: ssl.SSLContext | None = None, **scripts: Script) -> None:
        self.sdp = sdp
        self.scripts: dict[str, Script] = scripts
        self.requests: list[Seen] = []
        #: RTCP that came on interleaved channels: channel and packet.
        self.reports: list[tuple[int, bytes]] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.session = "12345678"
        self.timeout = ""
        self.greeting: bytes | None = None
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._arrived = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    @property
    def connections(self) -> int:
        return len(self.writers)

    @property
    def methods(self) -> list[str]:
        return [item.method for item in self.requests]

    def of(self, method: str) -> list[Seen]:
        """The requests of a method."""
        return [item for item in self.requests if item.method == method]

    def target(self, login: str = "", path: str = "/live", scheme: str = "rtsp", **options) -> RtspTarget:
        at = f"{login}@" if login else ""
        source = parse_source(f"{scheme}://{at}127.0.0.1:{self.port}{path}")
        return RtspTarget(source, options.pop("addresses", ("127.0.0.1",)), **options)

    def write(self, data: bytes) -> None:
        """Send bytes on the latest connection."""
        self.writers[-1].write(data)

    async def wait_for(self, method: str, count: int = 1) -> Seen:
        """Wait until a request has come so often; returns the latest."""
        async with self._arrived, asyncio.timeout(20):
            await self._arrived.wait_for(lambda: len(self.of(method)) >= count)
        return self.of(method)[-1]

    async def wait_for_reports(self, count: int) -> None:
        async with self._arrived, asyncio.timeout(20):
            await self._arrived.wait_for(lambda: len(self.reports) >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        number = len(self.writers)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            if self.greeting is not None:
                writer.write(self.greeting)
            while not writer.is_closing():
                await self._serve_one(reader, writer, number)
        writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        first = await reader.readexactly(1)
        if first == b"$":
            head = await reader.readexactly(3)
            packet = await reader.readexactly(int.from_bytes(head[1:], "big"))
            async with self._arrived:
                self.reports.append((head[0], packet))
                self._arrived.notify_all()
            return
        text = (first + await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
        lines = text.split("\r\n")
        if lines[0].startswith("RTSP/"):
            method, url = "reply", lines[0]
        else:
            method, url = lines[0].partition(" ")[0], lines[0].partition(" ")[2].rpartition(" ")[0]
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
        seen = Seen(method, url, headers, number)
        async with self._arrived:
            self.requests.append(seen)
            self._arrived.notify_all()
        if method == "reply":
            return
        answer = self._answer(seen)
        if not answer.silent:
            writer.write(answer.encode(headers.get("cseq", "0")))
            await writer.drain()
        if answer.close:
            writer.close()

    def _answer(self, seen: Seen) -> Answer:
        script = self.scripts.get(seen.method)
        if isinstance(script, list):
            return script.pop(0) if len(script) > 1 else script[0]
        if isinstance(script, Answer):
            return script
        return script(seen) if script is not None else self.plain(seen)

    def plain(self, seen: Seen) -> Answer:
        """The answer of a plain camera."""
        if seen.method == "OPTIONS":
            return Answer(headers={"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"})
        if seen.method == "DESCRIBE":
            headers = {"Content-Type": "application/sdp", "Content-Base": f"{seen.url}/"}
            return Answer(headers=headers, body=self.sdp)
        if seen.method == "SETUP":
            return Answer(headers={"Transport": seen["transport"], "Session": self.session + self.timeout})
        return Answer(headers={"Session": self.session})


class Taken:
    """What a session passed on."""

    def __init__(self) -> None:
        self.packets: list[tuple[int, bytes]] = []
        self.reports: list[tuple[int, bytes]] = []
        self.batches = 0
        self._changed = asyncio.Event()

    def packet(self, index: int, packet: bytes, arrived: float) -> None:
        self.packets.append((index, packet))
        self._changed.set()

    def rtcp(self, index: int, packet: bytes, arrived: float) -> None:
        self.reports.append((index, packet))
        self._changed.set()

    def flush(self) -> None:
        self.batches += 1
        self._changed.set()

    def unit(self, *_values, **_named) -> None:
        raise AssertionError("RTSP gives packets")

    @property
    def numbers(self) -> list[int]:
        """The sequence numbers of the packets."""
        return [int.from_bytes(packet[2:4], "big") for _, packet in self.packets]

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_true():
                self._changed.clear()
                await self._changed.wait()

    async def count(self, packets: int) -> None:
        """Wait for so many packets."""
        await self.until(lambda: len(self.packets) >= packets)


class Failing(Taken):
    """A receiver that fails with each packet."""

    def packet(self, index: int, packet: bytes, arrived: float) -> None:
        raise ZeroDivisionError

    rtcp = packet


@contextlib.asynccontextmanager
async def session_of(target: RtspTarget, **options):
    """A session that is closed at the end."""
    session = RtspSession(target, **{"answer_seconds": 10, "connect_seconds": 10, "pace": CALM} | options)
    try:
        yield session
    finally:
        await session.close()


async def play(session: RtspSession, taken: Taken | None = None) -> tuple[Description, Taken]:
    """Describe and play all tracks."""
    taken = taken or Taken()
    description = await session.describe()
    await session.play(description.tracks, taken)
    return description, taken


async def reason_of(action) -> SourceError:
    """The error with which an action ends."""
    try:
        await action
    except SourceError as error:
        return error
    raise AssertionError("it ended without an error")


async def play_reason(camera: ScriptedCamera, **options) -> SourceError:
    """Why a camera cannot be played."""
    async with session_of(camera.target(), **options) as session:
        return await reason_of(play(session))


def run(test: Callable[[], object]) -> None:
    """Run an asynchronous test."""
    asyncio.run(test())


def without_credentials(text: str) -> bool:
    return not re.search(r"@", text)


__all__ = ["AUDIO_SDP", "CALM", "VIDEO_SDP", "Answer", "ScriptedCamera", "Seen", "Taken", "TlsTrust", "play", "run"]
