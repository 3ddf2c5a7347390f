"""A probe of an offline camera sends one request without a login, and only a changed answer counts."""

import asyncio
import contextlib

import pytest

from tests.conftest import free_port, wait_until
from workers.streams.loop import MediaLoop
from workers.streams.reachability import ReachabilityProbe, probe_reachability


class Camera:
    """A server that gives every connection the same answer, and keeps the requests."""

    def __init__(self, answer: bytes | None = None, port: int = 0) -> None:
        self.answer, self.port = answer, port
        self.requests: list[bytes] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> "Camera":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            if self.answer is not None:
                writer.write(self.answer)
                await writer.drain()
                writer.close()
            else:
                await reader.read()


def ask(camera: Camera, url: str = "rtsp://127.0.0.1:{port}/stream") -> str:
    async def run() -> str:
        await camera.open()
        try:
            return await probe_reachability(url.format(port=camera.port))
        finally:
            await camera.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b"RTSP/1.0 200 OK\r\n\r\n", "200"),
        (b"RTSP/1.0 401 Unauthorized\r\n\r\n", "401"),
        (b"RTSP/1.0 404 Not Found\r\n\r\n", "404"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "open"),
        (b"\x00\xff" * 40000, "open"),
        (b"", "open"),
    ],
)
def test_the_answer_is_classified_as_one_word(answer: bytes, word: str):
    assert ask(Camera(answer)) == word


def test_a_camera_that_accepts_and_sends_nothing_is_open(monkeypatch):
    monkeypatch.setattr("workers.streams.reachability._ANSWER_SECONDS", 0.1)
    assert ask(Camera(None)) == "open"


def test_an_unreachable_address_is_silent():
    assert asyncio.run(probe_reachability(f"rtsp://127.0.0.1:{free_port()}/x")) == "silent"
    assert asyncio.run(probe_reachability("rtsp://no-such-camera.invalid/x")) == "silent"


def test_the_probe_sends_no_password_and_opens_no_session():
    camera = Camera(b"RTSP/1.0 200 OK\r\n\r\n")
    ask(camera, "rtsp://viewer:s3cr3t@127.0.0.1:{port}/stream?channel=1")
    head = camera.requests[0].decode()
    assert head.startswith(f"DESCRIBE rtsp://127.0.0.1:{camera.port}/stream?channel=1 RTSP/1.0\r\n")
    assert "s3cr3t" not in head
    assert "Authorization" not in head
    assert len(camera.requests) == 1


def test_an_encrypted_port_is_only_connected_to():
    camera = Camera(b"")
    assert ask(camera, "rtsps://127.0.0.1:{port}/stream") == "open"


@pytest.fixture
def reachability_probe(media_loop: MediaLoop):
    """Starts a reachability probe with almost no pause between requests."""
    made = []

    def start(port: int, expected: str | None = None) -> ReachabilityProbe:
        made.append(ReachabilityProbe(media_loop.loop, f"rtsp://127.0.0.1:{port}/x", expected, interval_seconds=0.02))
        return made[-1]

    yield start
    for one in made:
        one.close()
        one.close()


def on_loop(media_loop: MediaLoop, coroutine):
    return media_loop.run(coroutine, timeout_seconds=5)


def test_a_silent_camera_that_answers_is_back(media_loop: MediaLoop, reachability_probe):
    port = free_port()
    waiting = reachability_probe(port, "silent")
    camera = Camera(b"RTSP/1.0 200 OK\r\n\r\n", port)
    on_loop(media_loop, camera.open())
    wait_until(lambda: waiting.is_back, "the camera is detected")
    on_loop(media_loop, camera.close())


def test_a_camera_that_returned_before_the_first_probe_is_back_too(media_loop: MediaLoop, reachability_probe):
    camera = Camera(b"RTSP/1.0 401 Unauthorized\r\n\r\n")
    on_loop(media_loop, camera.open())
    waiting = reachability_probe(camera.port, "silent")
    wait_until(lambda: waiting.is_back, "the camera is detected")
    on_loop(media_loop, camera.close())


def test_an_unchanged_answer_does_not_count_as_back(media_loop: MediaLoop, reachability_probe):
    camera = Camera(b"RTSP/1.0 404 Not Found\r\n\r\n")
    on_loop(media_loop, camera.open())
    waiting = reachability_probe(camera.port)
    wait_until(lambda: len(camera.requests) > 5, "it is probed several times")
    assert not waiting.is_back
    camera.answer = b"RTSP/1.0 200 OK\r\n\r\n"
    wait_until(lambda: waiting.is_back, "a new answer is detected")
    on_loop(media_loop, camera.close())


def test_a_camera_that_turns_silent_is_back_when_it_answers_as_before(reachability_probe, monkeypatch):
    answers = iter(["200", "200", "silent", "silent"])
    asked = []

    async def scripted(url: str) -> str:
        asked.append(next(answers, "200"))
        return asked[-1]

    monkeypatch.setattr("workers.streams.reachability.probe_reachability", scripted)
    waiting = reachability_probe(1, "200")
    wait_until(lambda: waiting.is_back, "its return is detected")
    assert asked == ["200", "200", "silent", "silent", "200"]
