"""Any bytes of a camera, in any state of its session: it goes on or ends with a reason, in bounded memory."""

import asyncio
import gc
import logging
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.states import REASONS
from tests.cameras.counter import CounterCamera
from tests.cameras.rtsp import Connection, Reply, Request
from tests.workers.ingest.watching import Watched, started, watch

pytestmark = pytest.mark.integration

#: Much more than may be kept of a camera.
MUCH = 48 << 20
KEPT_BYTES = 40 << 20
CHUNK = 1 << 16


def packet(payload: bytes, *, channel: int = 0, payload_type: int = 96, sequence: int = 0, ssrc: int = 7) -> bytes:
    head = bytes([0x80, payload_type]) + sequence.to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big")
    data = head + payload
    return b"$" + bytes([channel]) + len(data).to_bytes(2, "big") + data


def random_bytes(seed: int) -> Iterator[bytes]:
    dice = random.Random(seed)
    for _ in range(64):
        yield dice.randbytes(4096)


def lengths_that_lie(ssrc: int) -> Iterator[bytes]:
    dice = random.Random(5)
    for number in range(200):
        data = packet(dice.randbytes(500), sequence=number, ssrc=ssrc)
        yield data[:2] + dice.randrange(1 << 16).to_bytes(2, "big") + data[4:]


def largest_packets(ssrc: int) -> Iterator[bytes]:
    for number in range(MUCH // 65_535):
        yield packet(b"\x65" + bytes(65_535 - 13), sequence=number, ssrc=ssrc)


def a_unit_without_end(ssrc: int) -> Iterator[bytes]:
    for number in range(MUCH // CHUNK):
        yield packet((b"\x7c\x85" if number == 0 else b"\x7c\x05") + b"\xaa" * 60_000, sequence=number, ssrc=ssrc)


def packets_of_no_channel(ssrc: int) -> Iterator[bytes]:
    for number in range(2_000):
        yield packet(bytes(9_000), channel=2 + number % 250, sequence=number, ssrc=number)


def a_head_without_end(ssrc: int) -> Iterator[bytes]:
    yield b"RTSP/1.0 200 OK\r\nX-Long: "
    for _ in range(MUCH // CHUNK):
        yield b"a" * CHUNK


def heads_without_number(ssrc: int) -> Iterator[bytes]:
    for _ in range(2_000):
        yield b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 50 + b"\r\n"


def requests_without_end(ssrc: int) -> Iterator[bytes]:
    for number in range(5_000):
        yield b"SET_PARAMETER rtsp://x RTSP/1.0\r\nCSeq: %d\r\n\r\n" % number


def a_body_without_end(ssrc: int) -> Iterator[bytes]:
    yield b"RTSP/1.0 200 OK\r\nCSeq: 999\r\nContent-Length: 1000000\r\n\r\n"
    for _ in range(20):
        yield b"v=0\r\n" * 10_000


RUBBISH: dict[str, Callable[[int], Iterator[bytes]]] = {
    "random bytes": lambda ssrc: random_bytes(1),
    "lengths that lie": lengths_that_lie,
    "packets of 65 kB": largest_packets,
    "a unit without end": a_unit_without_end,
    "packets of no channel": packets_of_no_channel,
    "a head without end": a_head_without_end,
    "heads without number": heads_without_number,
    "requests without end": requests_without_end,
    "a body without end": a_body_without_end,
}
STATES = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "media")


class RubbishCamera(CounterCamera):
    """Writes rubbish before its answer to `state`, or a second after PLAY, and goes on as if nothing had been.

    Its packets have the SSRC of the video, once that is sent.
    """

    def __init__(self, state: str, rubbish: Callable[[int], Iterator[bytes]]) -> None:
        super().__init__()
        self.state, self.rubbish = state, rubbish
        self.written = 0

    async def answer(self, connection: Connection, request: Request) -> Reply:
        if request.method == self.state:
            await self._litter(connection)
        return await super().answer(connection, request)

    async def send_media(self, connection: Connection) -> None:
        sending = [super().send_media(connection)]
        if self.state == "media":
            sending.append(self._litter_later(connection))
        await asyncio.gather(*sending)

    async def _litter_later(self, connection: Connection) -> None:
        await asyncio.sleep(1)
        await self._litter(connection)

    async def _litter(self, connection: Connection) -> None:
        for piece in self.rubbish(self.ssrc or 7):
            connection.writer.write(piece)
            await connection.writer.drain()
            self.written += len(piece)


def resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def outcome_of(camera: CounterCamera, frames: int = 30) -> Watched:
    """Watch until there are pictures or the session has ended."""
    async with watch(camera.url) as watched:
        await watched.until_either(lambda: watched.frames >= frames)
    return watched


def assert_calm(watched: Watched, camera: CounterCamera, name: str) -> None:
    """It runs, or a reason says why not; one connection either way."""
    assert camera.connections == 1, name
    if watched.reason is not None:
        assert watched.reason.code in REASONS, name
        assert watched.reason.code != "unknown", name
        assert watched.reason.remedy, name


@pytest.mark.parametrize("state", STATES)
def test_rubbish_in_any_state_gives_pictures_or_a_reason(state, caplog):
    caplog.set_level(logging.WARNING)
    complaints: list[dict] = []
    cameras = [RubbishCamera(state, rubbish) for rubbish in RUBBISH.values()]

    async def test() -> list[Watched]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        return [await outcome_of(camera, 60 if state == "media" else 10) for camera in cameras]

    before = resident_bytes()
    with started(cameras):
        found = asyncio.run(test())
        kept = resident_bytes() - before
    for name, camera, watched in zip(RUBBISH, cameras, found, strict=True):
        assert_calm(watched, camera, name)
        assert state != "media" or name == "a head without end" or watched.reason is None, name
    assert complaints == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]
    assert kept < KEPT_BYTES


class LongSdpCamera(CounterCamera):
    """Describes itself at this length."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    async def describe(self, request: Request) -> Reply:
        reply = await super().describe(request)
        reply.body += "a=x-filler:0123456789012345678901234567890123456789\r\n" * (self.length // 53)
        return reply


@pytest.mark.parametrize(("length", "code"), [(10_000_000, "invalid_data"), (500_000, None)])
def test_a_description_may_be_long_but_not_endless(length, code, caplog):
    with LongSdpCamera(length) as camera:
        watched = asyncio.run(outcome_of(camera, 5))
    assert (watched.reason and watched.reason.code) == code
    assert camera.connections == 1
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
