"""Fixtures of the workers' tests: output of a real FFmpeg, the media loop, and pipelines that end with the test."""

import subprocess
from collections.abc import Callable, Iterator

import pytest

from gateway import database
from gateway.redis_client import connect_redis
from tests.factories import make_config
from tests.workers.world import World
from workers.streams.loop import MediaLoop, RunningPipeline

#: The options by which workers/ffmpeg/command.py has FFmpeg write parts to standard output.
FRAGMENTED = [
    "-f",
    "mp4",
    "-movflags",
    "+frag_keyframe+empty_moov+default_base_moof+skip_trailer",
    "-frag_duration",
    "500000",
    "pipe:1",
]


def make_media(*arguments: str, seconds: float = 2, size: str = "320x180") -> bytes:
    """Fragmented MP4 of a test picture at 10 fps with a key frame each second; `arguments` select the encoding."""
    source = f"testsrc2=size={size}:rate=10"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-f",
        "lavfi",
        "-i",
        source,
        *arguments,
        "-t",
        str(seconds),
    ]
    return subprocess.run([*command, *FRAGMENTED], capture_output=True, check=True, timeout=30).stdout


H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p")


@pytest.fixture(scope="session")
def h264_media() -> bytes:
    """H.264 without B-frames and no audio: two seconds, four parts."""
    return make_media(*H264, "-bf", "0")


@pytest.fixture
def media_loop() -> Iterator[MediaLoop]:
    loop = MediaLoop()
    yield loop
    loop.close()


@pytest.fixture
def start(media_loop: MediaLoop) -> Iterator[Callable[..., RunningPipeline]]:
    """Starts a command as the pipeline of device `d1`; it may read and write `folders`."""
    running: list[RunningPipeline] = []

    def start(command: list[str], *, folders: tuple[str, ...] = ()) -> RunningPipeline:
        running.append(media_loop.start_pipeline(command, "d1", folders=folders))
        return running[-1]

    yield start
    for pipeline in running:
        pipeline.stop()


@pytest.fixture
def world(sqlite_url, redis_url, scope, box, monkeypatch):
    database.connect(make_config(database_url=sqlite_url))
    client = connect_redis(redis_url)
    world = World(client, scope, box, monkeypatch)
    yield world
    world.leases.close()
    client.close()
    database.close()
