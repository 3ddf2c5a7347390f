"""The session against real RTSP servers: GStreamer's, by TCP and UDP, with a login, for every codec of the demo."""

import asyncio
from collections.abc import Iterator

import pytest

from gateway.devices.sources import parse_source
from tests.cameras import CameraServer
from tests.cameras.faulty import FaultyCamera
from tests.workers.rtsp.camera import Taken, play, reason_of, run
from workers.rtsp.session import RtspSession, RtspTarget

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[CameraServer]:
    with CameraServer() as cameras:
        yield cameras


def target_of(url: str, transport: str = "tcp") -> RtspTarget:
    return RtspTarget(parse_source(url), ("127.0.0.1",), transport)


async def watch(url: str, packets: int, transport: str = "tcp") -> tuple[RtspSession, Taken]:
    session, taken = RtspSession(target_of(url, transport)), Taken()
    try:
        await play(session, taken)
        await taken.count(packets)
        # Sender reports come within a few seconds.
        await taken.until(lambda: taken.rtcp)
    finally:
        await session.close()
    return session, taken


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("codec", "audio", "tracks"),
    [
        ("h264", "aac", ["h264", "aac"]),
        ("h265", "pcm_alaw", ["hevc", "pcm_alaw"]),
        ("h264", "opus", ["h264", "opus"]),
        ("mjpeg", None, ["mjpeg"]),
    ],
)
def test_packets_of_each_codec_come_in_order(server: CameraServer, codec, audio, tracks, transport: str):
    async def test():
        size = {"width": 640, "height": 360}
        login = {"user": "admin", "password": 'p"\\s:é'}
        url = server.add(f"/{codec}-{audio}-{transport}", codec=codec, audio=audio, **size, **login)
        session, taken = await watch(url, 60, transport)
        assert (session.login, session.transport) == ("digest MD5", transport)
        assert session.quirks == ()
        for index in range(len(tracks)):
            numbers = [int.from_bytes(packet[2:4], "big") for track, packet in taken.packets if track == index]
            assert numbers == [(numbers[0] + step) & 0xFFFF for step in range(len(numbers))]

    run(test)


def test_a_real_camera_with_a_wrong_password(server: CameraServer):
    async def test():
        url = server.add("/locked", user="guest", password="right")
        session = RtspSession(target_of(url.replace(":right@", ":wrong@")))
        assert (await reason_of(session.describe())).reason == "unauthorized"
        await session.close()

    run(test)


def test_a_real_camera_without_this_path(server: CameraServer):
    async def test():
        session = RtspSession(target_of(f"rtsp://127.0.0.1:{server.port}/nothing"))
        assert (await reason_of(session.describe())).reason == "not_found"
        await session.close()

    run(test)


def test_a_camera_that_sends_all_tracks_on_python_sockets():
    async def test():
        with FaultyCamera() as camera:
            session, taken = RtspSession(target_of(camera.url)), Taken()
            await play(session, taken)
            await taken.count(20)
            await session.close()
            async with asyncio.timeout(10):
                while camera.open_connections:
                    await asyncio.sleep(0)
            assert "TEARDOWN" in " ".join(camera.requests)

    run(test)
