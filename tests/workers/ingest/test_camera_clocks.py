"""Cameras whose time is wrong: each picture is in the parts once, at the moment that it shows, over one connection."""

import asyncio
import statistics
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.cameras.counter import CounterCamera
from tests.cameras.odd_clocks import BurstCamera, OutlierCamera, RarePictureCamera, RateCamera, SoundClockCamera
from tests.workers.ingest.watching import SETTINGS, Watched, see, see_all, started
from workers.ingest.ingest import IngestSettings
from workers.rtsp.session import Pace

pytestmark = pytest.mark.integration

#: The capture time of a picture and the one that it shows may differ by this much.
EXACT_SECONDS = 0.1
#: Of a single picture, on a machine that does other things: it arrived late.
WORST_SECONDS = 0.5


def assert_each_once(watched: Watched, camera: CounterCamera, *, exact: float = EXACT_SECONDS) -> list[float]:
    """Each picture once, in order, at the moment when it was due; returns how late each one is."""
    watched.assert_undisturbed()
    watched.assert_playable()
    pictures = watched.pictures()
    numbers = [number for number, _ in pictures]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all(later > earlier for (_, earlier), (_, later) in pairwise(pictures))
    late = [at - (camera._epoch + camera.due_seconds(number)) for number, at in pictures]
    assert abs(statistics.median(late)) < exact, f"{camera}: {late[:5]} … {late[-5:]}"
    assert max(abs(seconds) for seconds in late) < WORST_SECONDS, f"{late[:10]} … {late[-10:]}"
    return late


def assert_evenly(watched: Watched) -> None:
    """No two pictures have nearly the same time."""
    times = [at for _, at in watched.pictures()]
    assert min(later - earlier for earlier, later in pairwise(times)) > 0.002


def test_the_time_of_a_picture_is_the_one_that_it_shows_with_sound_or_without():
    cameras = [CounterCamera(audio=False), CounterCamera(audio=True)]
    for camera, watched in zip(cameras, see_all(cameras, 75), strict=True):
        assert_each_once(watched, camera)
        assert (watched.source.audio is not None) == camera.audio


def test_a_wrong_rate_moves_no_picture():
    cameras = [RateCamera(21), RateCamera(30), RateCamera(24.9), RateCamera(12.5), RateCamera(50)]
    for camera, watched in zip(cameras, see_all(cameras, 160), strict=True):
        assert_each_once(watched, camera)
        assert watched.ingest.facts.fps == pytest.approx(camera.fps, rel=0.15)


def test_single_stamps_hours_away_or_twice_the_same_cost_nothing():
    cameras = [OutlierCamera(-9_800), OutlierCamera(37_600), OutlierCamera(None), OutlierCamera(-9_800, audio=True)]
    for camera, watched in zip(cameras, see_all(cameras, 160), strict=True):
        assert_each_once(watched, camera)
        assert watched.ingest.facts.fps == pytest.approx(25, rel=0.15)


def test_single_stamps_hours_away_right_after_the_first_key_frame_cost_nothing():
    cameras = [OutlierCamera(seconds, every=25, place=1) for seconds in (-9_800, 37_600, None, -1.0)]
    for camera, watched in zip(cameras, see_all(cameras, 60), strict=True):
        assert_each_once(watched, camera)
        assert_evenly(watched)


class StandingCamera(CounterCamera):
    """Its clock stands still for this many pictures at a time."""

    def __init__(self, pictures: int) -> None:
        super().__init__()
        self.pictures = pictures

    def stamp(self, counter: int) -> int:
        return super().stamp(counter - counter % self.pictures)


def test_a_clock_that_stands_still_collapses_no_time():
    cameras = [StandingCamera(pictures) for pictures in (2, 5, 1_000_000)]
    for camera, watched in zip(cameras, see_all(cameras, 100), strict=True):
        assert_each_once(watched, camera)
        assert_evenly(watched)


def test_a_burst_of_the_past_has_the_times_of_the_past():
    cameras = [BurstCamera(2), BurstCamera(4.9), BurstCamera(15), BurstCamera(4.9, audio=True)]

    async def test() -> list[Watched]:
        return await asyncio.gather(*(see(camera.url, int(25 * (camera.seconds + 3))) for camera in cameras))

    with started(cameras):
        found = asyncio.run(test())
    for camera, watched in zip(cameras, found, strict=True):
        assert_each_once(watched, camera)


def test_the_past_that_an_earlier_session_has_delivered_does_not_come_again():
    with BurstCamera(4.9) as camera:
        first = asyncio.run(see(camera.url, 150))
        end = first.pictures()[-1]
        again = asyncio.run(see(camera.url, 150, settings=replace(SETTINGS, delivered_until=end[1])))
    pictures = again.pictures()
    assert pictures[0][0] < end[0], "the camera has sent its past again"
    for number, at in pictures:
        late = at - max(camera._epoch + camera.due_seconds(number), end[1])
        assert late == pytest.approx(0, abs=EXACT_SECONDS)


def test_sound_with_a_clock_of_its_own_moves_no_picture():
    cameras = [SoundClockCamera(0.97), SoundClockCamera(0.97, codec="aac"), SoundClockCamera(1.03, has_reports=True)]
    for camera, watched in zip(cameras, see_all(cameras, 125), strict=True):
        assert_each_once(watched, camera)


#: The 10 s of the product, and the 12 s between the pictures, are shorter here.
SHORT = IngestSettings("ffmpeg", part_seconds=0.5, stall_seconds=1.5)
QUICK = Pace(quiet=0.5)


def test_rare_pictures_are_all_there_as_long_as_the_camera_answers():
    always, night = RarePictureCamera(2.5), RarePictureCamera(2.5, day_fps=15, night=(2, 9.5))

    async def test() -> list[Watched]:
        return await asyncio.gather(
            see(always.url, 3, settings=SHORT, pace=QUICK), see(night.url, 45, settings=SHORT, pace=QUICK)
        )

    with started([always, night]):
        found = asyncio.run(test())
    for camera, watched in zip((always, night), found, strict=True):
        assert camera.connections == 1
        assert_each_once(watched, camera)
    assert found[1].pictures()[-1][0] > 32, "by day again"
