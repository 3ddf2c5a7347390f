"""Fixtures of the workers' tests: output of a real FFmpeg, the media loop, and processes that end with the test."""

import asyncio
import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway import database
from gateway.redis_client import connect_redis
from tests.factories import make_config
from tests.fragmented_media import H264, make_media
from tests.workers.world import World
from workers.ffmpeg.process import Arrived, FfmpegProcess
from workers.rtsp import session
from workers.rtsp.ghosts import RecentSources
from workers.streams.loop import MediaLoop


@pytest.fixture(scope="session")
def h264_media() -> bytes:
    """H.264 without B-frames and no audio: two seconds, four parts."""
    return make_media(*H264, "-bf", "0")


@pytest.fixture(autouse=True)
def no_recent_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system gives a camera of one test the port of another one: its SSRC must not count as one that broke off."""
    monkeypatch.setattr(session, "_recent", RecentSources())


@pytest.fixture
def media_loop() -> Iterator[MediaLoop]:
    loop = MediaLoop()
    yield loop
    loop.close()


class RunningProcess:
    """An FFmpeg process on the loop, as a test's thread uses it."""

    def __init__(self, loop: MediaLoop, command: list[str], feed: bytes, options: dict[str, Any]) -> None:
        self._loop = loop
        self._events: queue.Queue[Arrived] = queue.Queue()
        self._process = FfmpegProcess(command, "d1", self._events.put, **options)
        if feed:
            self._process.feed(feed)
        self._task = asyncio.run_coroutine_threadsafe(self._process.run(), loop.loop)

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def waiting_bytes(self) -> int:
        return self._process.waiting_bytes

    def next_event(self, timeout_seconds: float) -> Arrived | None:
        try:
            return self._events.get(timeout=timeout_seconds)
        except queue.Empty:
            return None

    def feed(self, data: bytes) -> None:
        self._loop.loop.call_soon_threadsafe(self._process.feed, data)

    def close_input(self) -> None:
        self._loop.loop.call_soon_threadsafe(self._process.close_input)

    def stop(self) -> None:
        self._loop.run(self._process.stop(), timeout_seconds=12)


@pytest.fixture
def start(media_loop: MediaLoop) -> Iterator[Callable[..., RunningProcess]]:
    """Starts a command as an FFmpeg process of device `d1`; options are those of FfmpegProcess."""
    running: list[RunningProcess] = []

    def start(command: list[str], *, feed: bytes = b"", **options: Any) -> RunningProcess:
        running.append(RunningProcess(media_loop, command, feed, options))
        return running[-1]

    yield start
    for process in running:
        process.stop()


@pytest.fixture
def world(sqlite_url, redis_url, scope, box, monkeypatch):
    database.connect(make_config(database_url=sqlite_url))
    client = connect_redis(redis_url)
    world = World(client, scope, box, monkeypatch)
    yield world
    world.leases.close()
    client.close()
    database.close()
