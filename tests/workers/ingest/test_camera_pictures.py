"""Cameras whose key frames, parameter sets and SSRCs come as those of real ones do: nothing is lost, and players can
open what is made."""

import asyncio
from itertools import pairwise

import pytest

from tests.cameras.counter import CounterCamera
from tests.cameras.odd_pictures import ChangingSetsCamera, GhostCamera, HevcCamera, LateKeyFrameCamera
from tests.cameras.rtsp import Connection, Reply, Request
from tests.workers.ingest.watching import Watched, see, see_all, watch
from workers.ffmpeg.fmp4 import InitSegment
from workers.ingest import ingest as ingest_module
from workers.ingest.ingest import IngestSettings

pytestmark = pytest.mark.integration

#: x264 writes another VUI with these, or a set with another number; the size stays.
OTHER_VUI, OTHER_NUMBER = ":videoformat=pal:overscan=show", ":sps-id=3"
OTHER_TIMING = ":force-cfr=1:nal-hrd=vbr:vbv-maxrate=300:vbv-bufsize=300"
IMPATIENT = IngestSettings("ffmpeg", part_seconds=0.5, stall_seconds=1.0)


def assert_complete(watched: Watched, *, inits: int = 1, first: int | None = None) -> list[int]:
    """Each picture once and in order; returns their numbers."""
    watched.assert_undisturbed(inits=inits)
    watched.assert_playable()
    numbers = [number for number, _ in watched.pictures()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert first is None or numbers[0] == first
    return numbers


def assert_seen_once(camera: CounterCamera) -> None:
    assert (camera.connections, camera.requests.count("PLAY"), camera.requests.count("TEARDOWN")) == (1, 1, 1)


CHANGING_SETS = [
    ChangingSetsCamera("", OTHER_VUI),
    ChangingSetsCamera("", OTHER_TIMING),
    ChangingSetsCamera("", OTHER_NUMBER),
    ChangingSetsCamera("", OTHER_VUI, OTHER_NUMBER, OTHER_TIMING),
    ChangingSetsCamera("", described=OTHER_VUI),
    ChangingSetsCamera("", described=OTHER_NUMBER),
    ChangingSetsCamera("", described=":ref=1:no-8x8dct=1:no-cabac=1"),
]


def test_parameter_sets_that_change_within_a_format_change_nothing():
    for watched in see_all(CHANGING_SETS, 125):
        assert_complete(watched)


def test_sets_of_the_sdp_for_another_size_do_not_count():
    cameras = [ChangingSetsCamera("", described_size=size) for size in ((320, 192), (640, 360))]
    for watched in see_all(cameras, 75):
        assert_complete(watched)
        assert (watched.source.video.width, watched.source.video.height) == (384, 216)


def test_a_real_change_of_the_size_costs_one_init_segment_and_no_picture():
    async def test() -> Watched:
        async with watch(camera.url) as watched:
            for width in (320, 384, 320):
                await watched.until_frames(watched.frames + 30)
                inits = len(watched.of(InitSegment))
                camera.change(size=(width, 216))
                await watched.until(lambda inits=inits: len(watched.of(InitSegment)) > inits, "the new size")
            await watched.until_frames(watched.frames + 30)
        return watched

    with CounterCamera() as camera:
        camera.change(size=(384, 216))
        watched = asyncio.run(test())
        assert_seen_once(camera)
    assert len(watched.of(InitSegment)) == 4
    assert_complete(watched, inits=2)


def test_a_key_frame_that_is_long_in_coming_is_waited_for_by_name():
    (watched,) = see_all([LateKeyFrameCamera(60, left_seconds=7)], 15, settings=IMPATIENT)
    assert set(watched.waits[:-1]) == {"waits_for_key_frame"}
    assert watched.waits[-1] is None, "it runs"
    numbers = assert_complete(watched)
    assert numbers[0] == 300, "from the first key frame on"


def test_intra_refresh_is_named(monkeypatch):
    monkeypatch.setattr(ingest_module, "_REFRESH_SECONDS", 3.0)
    camera = LateKeyFrameCamera(60, left_seconds=50, parameters=":intra-refresh=1:keyint=10:min-keyint=10")

    async def test() -> None:
        async with watch(camera.url, settings=IMPATIENT) as watched:
            await watched.until(lambda: "no_key_frames" in watched.waits, "it is named")
            assert watched.reason is None

    with camera:
        asyncio.run(test())
        assert_seen_once(camera)


@pytest.mark.parametrize("is_known", [False, True])
def test_packets_of_a_dead_session_between_the_pictures_do_no_harm(is_known):
    async def test() -> Watched:
        if is_known:
            async with watch(camera.url) as first:
                await first.until_frames(5)
                camera.cut()
                assert (await first.until_ended()).code == "closed_by_camera"
        return await see(camera.url, 125)

    with GhostCamera(is_known=is_known) as camera:
        watched = asyncio.run(test())
        assert camera.connections == 1 + is_known
        assert camera.ghosts > 50
    numbers = assert_complete(watched)
    assert numbers[0] < 10_000


class OneClientCamera(CounterCamera):
    """Plays for one client. A session that was not ended blocks it until `free` is called."""

    is_taken = False

    async def answer(self, connection: Connection, request: Request) -> Reply:
        if request.method == "PLAY":
            if self.is_taken:
                return Reply(453)
            self.is_taken = True
        elif request.method == "TEARDOWN" and "video" in connection.channels:
            self.is_taken = False
        return await super().answer(connection, request)


def test_a_camera_for_one_client_is_free_again_after_an_orderly_end_and_says_what_blocks_it():
    async def refused() -> str:
        async with watch(camera.url) as watched:
            return (await watched.until_ended()).code

    with OneClientCamera() as camera:
        for _ in range(3):
            asyncio.run(see(camera.url, 5))
        assert camera.connections == 3
        camera.is_taken = True
        assert asyncio.run(refused()) == "too_many_connections"
        assert camera.requests.count("TEARDOWN") == 4


def test_h265_has_all_its_sets_wherever_they_come_from():
    cameras = [
        HevcCamera(("sps", "pps"), 0),
        HevcCamera(("sps", "pps"), 1),
        HevcCamera(("vps", "sps", "pps"), None),
        HevcCamera((), 0),
    ]
    for camera, watched in zip(cameras, see_all(cameras, 40), strict=True):
        numbers = assert_complete(watched)
        assert numbers[0] % camera.settings.gop_frames == 0
        assert watched.source.video.codec == "hevc"
        assert all(later > earlier for (_, earlier), (_, later) in pairwise(watched.pictures()))
