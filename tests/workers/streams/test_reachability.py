"""A camera that was away is found again by connections that ask for nothing."""

import asyncio
import contextlib

import pytest

from tests.conftest import free_port, wait_until
from workers.streams.loop import MediaLoop
from workers.streams.reachability import ReachabilityProbe, is_reachable


class Camera:
    """A server that counts connections and keeps what it is sent."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.connections = 0
        self.received = b""
        self._server: asyncio.Server | None = None

    async def open(self) -> "Camera":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(OSError):
            self.received += await reader.read()
        writer.close()


@pytest.fixture
def camera(media_loop: MediaLoop):
    camera = Camera(free_port())
    yield camera
    if camera._server is not None:
        media_loop.run(camera.close(), timeout_seconds=5)


def test_nothing_is_sent_on_the_connection(media_loop, camera):
    media_loop.run(camera.open(), timeout_seconds=5)
    assert media_loop.run(is_reachable(f"rtsp://user:s3cret@127.0.0.1:{camera.port}/x", camera.port), timeout_seconds=5)
    wait_until(lambda: camera.connections == 1, "the connection is counted")
    assert camera.received == b""


@pytest.mark.parametrize("url", ["rtsp://127.0.0.1:1/x", "rtsp://no-such-camera.invalid/x"])
def test_a_camera_that_is_away_is_not_reachable(media_loop, camera, url):
    assert not media_loop.run(is_reachable(url, camera.port), timeout_seconds=5)


def test_a_camera_that_comes_back_is_found(media_loop, camera):
    probe = ReachabilityProbe(media_loop.loop, f"rtsp://127.0.0.1:{camera.port}/x", camera.port, interval_seconds=0.02)
    assert not probe.is_back
    media_loop.run(camera.open(), timeout_seconds=5)
    wait_until(lambda: probe.is_back, "the camera is found")
    probe.close()
    probe.close()


def test_a_camera_that_answers_is_asked_once_and_no_more(media_loop, camera):
    media_loop.run(camera.open(), timeout_seconds=5)
    probe = ReachabilityProbe(media_loop.loop, f"rtsp://127.0.0.1:{camera.port}/x", camera.port, interval_seconds=0.02)
    wait_until(probe._future.done, "it has been looked at")
    assert camera.connections == 1
    assert not probe.is_back
