"""A supervisor with a real camera, real FFmpeg and a real Redis, without outputs: the content of the bus."""

import io
import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import av
import pytest

from gateway import database
from gateway.devices.login_budget import LoginBudget
from gateway.leases import STREAM, Leases
from gateway.streams.bus import MediaBus
from gateway.streams.messages import Messages
from gateway.streams.model import request_start, request_stop
from gateway.streams.queries import read_stream_record
from gateway.streams.try_now import TryNow
from gateway.tenancy.scopes import TenantScope
from tests.conftest import wait_until
from tests.factories import make_config, make_device
from tests.stack.pipelines import ffmpeg_pids
from workers.lease_keeper import LeaseKeeper
from workers.streams.loop import MediaLoop
from workers.streams.output_calls import OutputThreads
from workers.streams.services import Services
from workers.streams.supervisor import StreamSupervisor


@dataclass
class Running:
    """A device whose supervisor runs in a thread."""

    id: str
    bus: MediaBus
    thread: threading.Thread
    scope: TenantScope

    @property
    def state(self) -> str:
        return read_stream_record(self.id).observed

    def parts(self, count: int) -> list:
        """At least `count` parts on the bus, oldest first."""
        return wait_until(
            lambda: (held := self.bus.read(self.id, None, count=1000)) and len(held) >= count and held,
            f"{count} parts are on the bus",
            20,
        )

    def stop(self) -> None:
        request_stop(self.scope, self.id)
        self.thread.join(15)
        assert not self.thread.is_alive()


@pytest.fixture
def run(sqlite_url, store, client, scope, box, cameras) -> Iterator[Callable[..., Running]]:
    """`run(path, **camera settings)` starts a camera and a supervisor for it."""
    config = make_config(
        database_url=sqlite_url,
        redis_url=store.url,
        allow_loopback_sources=True,
        stall_seconds=3.0,
        bus_window_seconds=30.0,
    )
    database.connect(config)
    loop, leases, running, paths = MediaLoop(), LeaseKeeper(client, config.lease_seconds), [], []

    def start(path: str, **settings) -> Running:
        url = cameras.add(path, **({"width": 320, "height": 192, "fps": 10, "key_frame_seconds": 1} | settings))
        paths.append(path)
        device = make_device(scope, box, source_url=url)
        request_start(scope, device.id)
        services = Services(
            config=config,
            worker="test",
            redis=client,
            media_redis=client,
            leases=leases,
            loop=loop,
            outputs=[],
            calls=OutputThreads(),
            secrets=box,
            logins=LoginBudget.from_config(client, config),
            try_now=TryNow(client),
            messages=Messages.connect(config),
            on_state=lambda *_: None,
        )
        thread = threading.Thread(target=StreamSupervisor(device.id, services).run, name="supervisor", daemon=True)
        thread.start()
        running.append(Running(device.id, MediaBus(client), thread, scope))
        return running[-1]

    yield start
    for one in running:
        one.stop()
        assert ffmpeg_pids(one.id) == []
    leases.close()
    loop.close()
    database.close()
    for path in paths:
        cameras.remove(path)


@pytest.mark.parametrize(
    ("settings", "codecs"),
    [
        ({"codec": "h264", "audio": "aac"}, {"video": "h264", "audio": "aac"}),
        ({"codec": "h264", "b_frames": 2}, {"video": "h264"}),
        ({"codec": "h265"}, {"video": "hevc"}),
        ({"codec": "h264", "audio": "pcm_alaw"}, {"video": "h264", "audio": "aac"}),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_the_bus_carries_the_cameras_own_video_as_playable_parts(run, settings, codecs):
    running = run("/own", **settings)
    parts = running.parts(6)
    assert running.state == "running"
    assert parts[0].is_key
    assert [part.sequence for part in parts] == list(range(1, len(parts) + 1))
    for earlier, later in itertools.pairwise(parts):
        assert later.start == pytest.approx(earlier.start + earlier.duration, abs=0.05)
    content = running.bus.init_segment(running.id, parts[0].run) + b"".join(part.data for part in parts)
    with av.open(io.BytesIO(content)) as container:
        assert {stream.type: stream.codec_context.name for stream in container.streams} == codecs
        decoded = sum(1 for _ in container.decode(video=0))
    assert decoded >= sum(part.frames for part in parts) - 3


def test_a_killed_ffmpeg_costs_no_picture_no_run_and_no_connection(run):
    running = run("/killed")
    first = running.parts(2)[-1]
    restarts = read_stream_record(running.id).restarts
    killed = ffmpeg_pids(running.id)[0]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: ffmpeg_pids(running.id) not in ([], [killed]), "another ffmpeg runs", 10)
    parts = wait_until(
        lambda: (held := running.parts(3))[-1].sequence > first.sequence + 3 and held, "parts of it are there", 20
    )
    assert {part.run for part in parts} == {first.run}
    for earlier, later in itertools.pairwise(parts):
        assert later.sequence == earlier.sequence + 1
        assert later.start == pytest.approx(earlier.end, abs=0.005)
    assert read_stream_record(running.id).restarts == restarts
    assert running.state == "running"


def test_an_owner_that_lost_its_lease_stops_and_leaves_no_ffmpeg(run, client):
    running = run("/taken")
    running.parts(2)
    client.set(f"vas:lease:{STREAM}:{running.id}", "another", px=60_000)
    running.thread.join(10)
    assert not running.thread.is_alive()
    assert ffmpeg_pids(running.id) == []
    assert Leases(client).holder(STREAM, running.id) == "another"


def test_a_stopped_stream_releases_its_lease_and_stores_the_reason(run, client):
    running = run("/stopped")
    running.parts(2)
    running.stop()
    record = read_stream_record(running.id)
    assert (record.observed, record.reason_code) == ("stopped", "requested")
    assert Leases(client).holder(STREAM, running.id) is None
