"""Sessions that all want to begin at once are spread, and a single one never waits."""

import itertools
import random
import time
from functools import partial

import pytest

from gateway.clock import FakeClock
from gateway.devices.sources import SourcePolicy
from gateway.sources.registry import SourceRegistry
from tests.cameras.faulty import SENDS_NOTHING, FaultyCamera
from tests.cameras.rtsp import Connection
from tests.conftest import wait_until
from tests.factories import make_config
from workers.backoff import Backoff
from workers.ingest.events import SessionEnded
from workers.ingest.ingest import IngestSettings
from workers.streams.loop import MediaLoop, RunningIngest
from workers.streams.sources import SessionOpener, Sources
from workers.streams.supervisor import _SOON
from workers.streams.turns import Turns

MANY = 64


def most_in(times: list[float], seconds: float) -> int:
    """The most of these moments within any so many seconds."""
    return max(sum(begin <= at < begin + seconds for at in times) for begin in times)


def test_one_session_never_waits_and_many_are_spread():
    clock = FakeClock()
    turns = Turns(8, 12.0, clock.monotonic)
    waits = [turns.take() for _ in range(MANY)]
    assert waits[:8] == pytest.approx([0.0] * 8)
    assert all(later - earlier == pytest.approx(1 / 12) for earlier, later in itertools.pairwise(waits[7:]))
    assert most_in(waits, 1.0) < 2 * MANY / 3
    assert waits[-1] < 6.0
    clock.advance(waits[-1] + 2.0)
    assert turns.take() == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_whoever_comes_whenever_no_second_has_more_than_its_share(seed):
    dice, clock = random.Random(seed), FakeClock()
    turns, begun = Turns(8, 12.0, clock.monotonic), []
    for _ in range(300):
        clock.advance(dice.choice([0.0, 0.0, 0.0, 0.01, 0.3, 2.0]))
        begun.append(clock.monotonic() + turns.take())
    assert begun == sorted(begun)
    assert most_in(begun, 1.0) <= 8 + 12


class TimedCamera(FaultyCamera):
    """Notes when it is connected to."""

    def __init__(self) -> None:
        super().__init__(SENDS_NOTHING)
        self.accepted: list[float] = []

    async def greet(self, connection: Connection) -> bool:
        self.accepted.append(time.monotonic())
        return True


@pytest.mark.integration
def test_many_cameras_that_are_cut_at_once_come_back_one_after_another(media_loop: MediaLoop):
    config = make_config(connect_timeout_seconds=20.0)
    settings = IngestSettings("ffmpeg", part_seconds=0.5, stall_seconds=60.0)
    opener = SessionOpener(SourceRegistry(), config, None, policy=SourcePolicy(allow_loopback=True))

    def start_all(camera: TimedCamera) -> list[RunningIngest]:
        sources = Sources(open_main=partial(opener.open, camera.url))
        return [media_loop.start_ingest(f"d{number}", settings, sources) for number in range(MANY)]

    with TimedCamera() as camera:
        running = start_all(camera)
        wait_until(lambda: camera.plays == MANY, "all play", 30)
        assert (camera.connections, camera.most_at_once) == (MANY, MANY)
        camera.cut()
        for one in running:
            event = wait_until(lambda one=one: one.next_event(0.5), "an end", 10).event
            assert isinstance(event, SessionEnded)
            assert event.reason.code == "closed_by_camera"
        again = start_all(camera)
        wait_until(lambda: camera.plays == 2 * MANY, "all play again", 30)
        for one in (*running, *again):
            one.stop()
        first, second = camera.accepted[:MANY], camera.accepted[MANY:]
    assert len(second) == MANY, "one connection each"
    assert camera.requests.count("TEARDOWN") == MANY
    for times in (first, second):
        assert most_in(times, 1.0) < 2 * MANY / 3


def connections(seconds: float, *, healthy: float = 0.0, seed: int = 1) -> list[float]:
    """When the supervisor tries a camera that ends each session at once."""
    backoff = Backoff(max_seconds=60, soon=_SOON, rng=random.Random(seed))
    tries, now = [0.0], 0.0
    while (now := now + backoff.after(healthy if len(tries) == 1 else 0.0)) < seconds:
        tries.append(now)
    return tries


@pytest.mark.parametrize("healthy", [0.0, 5.0, 3600.0])
def test_a_camera_that_is_away_or_refuses_is_asked_politely(healthy):
    for seed in range(20):
        tries = connections(3600.0, healthy=healthy, seed=seed)
        # The first two follow each other quickly: most losses are short.
        assert most_in(tries[3:], 10.0) <= 4
        assert sum(at < 160 for at in tries) <= 50
        late = [at for at in tries if at > 600]
        assert len(late) <= 3000 / 36 + 1
