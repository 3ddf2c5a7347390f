"""The cameras with odd clocks stamp, pace and sound exactly as they say, as the real FFmpeg sees it."""

import itertools
import math

import av
import numpy
import pytest

from .counter import CounterCamera, read_counter
from .odd_clocks import (
    BEEP_SECONDS,
    BurstCamera,
    OutlierCamera,
    RarePictureCamera,
    RateCamera,
    SoundClockCamera,
    SteppingCamera,
    build_report,
)


def stamps(camera, count=100):
    """The steps from stamp to stamp, in seconds."""
    times = [camera.stamp(number) / 90_000 for number in range(count)]
    return [round(later - one, 4) for one, later in itertools.pairwise(times)]


def test_a_camera_may_stamp_25_pictures_and_send_21():
    camera = RateCamera(21, 25)
    assert set(stamps(camera)) == {0.04}
    assert camera.due_seconds(210) == 10
    assert camera.counter_at(10) == 210


@pytest.mark.parametrize("seconds", [-9_800, 37_600])
def test_each_30th_stamp_may_be_hours_away(seconds):
    steps = stamps(OutlierCamera(seconds))
    assert steps[27:31] == [0.04, round(seconds + 0.04, 4), round(0.04 - seconds, 4), 0.04]
    assert steps.count(0.04) == 99 - 6


def test_two_pictures_may_share_a_stamp():
    assert stamps(OutlierCamera(None))[27:31] == [0.04, 0.0, 0.08, 0.04]


def test_the_clock_may_be_set():
    steps = stamps(SteppingCamera(-1.5, every_seconds=2))
    assert steps[48:51] == [0.04, -1.46, 0.04]
    assert steps.count(-1.46) == 1


def test_pictures_may_be_rare_always_or_by_night():
    camera = RarePictureCamera(12)
    assert [camera.due_seconds(number) for number in range(3)] == [0, 12, 24]
    assert [camera.counter_at(seconds) for seconds in (11, 12, 13, 24.5)] == [0, 1, 1, 2]
    camera = RarePictureCamera(10, day_fps=15, night=(20, 320))
    assert [camera.due_seconds(number) for number in (299, 300, 301, 330, 331)] == pytest.approx(
        [299 / 15, 20, 30, 320, 320 + 1 / 15]
    )
    for number in (0, 7, 299, 300, 301, 329, 330, 331, 400):
        assert camera.counter_at(camera.due_seconds(number) + 0.001) == number
        assert camera.stamp(number) == round(camera.due_seconds(number) * 90_000)


def test_sound_may_be_slow_by_its_own_clock():
    assert SoundClockCamera(0.99).sound_due_seconds(99) == pytest.approx(2)
    assert SoundClockCamera(1.01, codec="aac").sound_due_seconds(101) == pytest.approx(101 * 1024 / 48_480)


def test_a_report_has_the_times_it_was_given():
    report = build_report(3, 1_767_225_600.5, 2**32 + 5)
    assert report[:4] == b"$\x03\x00\x1c"
    assert report[12:24].hex() == f"{1_767_225_600 + 2_208_988_800:08x}8000000000000005"


def read_pictures(url, count):
    """Numbers and stamps (seconds) of the first pictures."""
    pictures = []
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=20) as container:
        for frame in container.decode(video=0):
            pictures.append((read_counter(frame.to_ndarray(format="gray")), frame.time))
            if len(pictures) >= count:
                return pictures
    return pictures


@pytest.mark.integration
def test_the_pictures_of_a_wrong_rate_tell_when_they_were_due():
    with RateCamera(20, 25) as camera:
        pictures = read_pictures(camera.url, 30)
        newest = camera.wall_clock(camera.counter) - camera.started_at
    numbers = [number for number, _ in pictures]
    assert numbers == list(range(numbers[0], numbers[0] + 30))
    assert pictures[-1][1] - pictures[0][1] == pytest.approx(29 / 25, abs=0.01)
    assert camera.due_seconds(numbers[-1]) == pytest.approx(newest, abs=2)


@pytest.mark.integration
def test_a_burst_begins_in_the_past_at_a_key_frame():
    with BurstCamera(4.9) as camera:
        now = camera.counter
        pictures = read_pictures(camera.url, 100)
        assert camera.counter - now < 100, "they came at once"
    numbers = [number for number, _ in pictures]
    assert numbers == list(range(numbers[0], numbers[0] + 100))
    assert numbers[0] % camera.settings.gop_frames == 0
    assert now - 4.9 * 25 - 26 <= numbers[0] <= now - 4.9 * 25 + 10


@pytest.mark.integration
@pytest.mark.parametrize("codec", ["pcm_alaw", "aac"])
def test_the_sound_beeps_at_each_second_of_the_camera(codec):
    with (
        SoundClockCamera(0.97, codec=codec, has_reports=True) as camera,
        av.open(camera.url, options={"rtsp_transport": "tcp"}, timeout=20) as container,
    ):
        assert container.streams.audio[0].codec_context.name == codec
        levels, samples, rate = [], 0, container.streams.audio[0].codec_context.sample_rate
        for frame in container.decode(audio=0):
            sound = frame.to_ndarray().astype(float).reshape(-1)
            scale = 32_768 if frame.format.name.startswith("s16") else 1
            levels.append((samples / rate, math.sqrt(float(numpy.mean((sound / scale) ** 2)))))
            samples += frame.samples
            if samples > 3.3 * rate:
                break
    loud = [at for at, level in levels if level > 0.1]
    begins = [one for one, earlier in zip(loud, [-1.0, *loud], strict=False) if one - earlier > 0.5]
    assert len(begins) >= 3
    steps = [later - one for one, later in itertools.pairwise(begins[-3:])]
    assert steps == pytest.approx([0.97] * 2, abs=0.05), "a second of the camera, in samples of a slow clock"
    assert BEEP_SECONDS / 2 < len(loud) * levels[1][0] / len(begins) < BEEP_SECONDS * 2


@pytest.mark.integration
def test_a_night_has_rare_pictures_that_are_all_key_frames():
    with (
        RarePictureCamera(0.5, day_fps=10, night=(1, 3)) as camera,
        av.open(camera.url, options={"rtsp_transport": "tcp"}, timeout=20) as container,
    ):
        packets = list(itertools.islice(container.demux(video=0), 8))
    assert all(packet.is_keyframe for packet in packets)


def test_a_usual_camera_is_as_before():
    camera = CounterCamera()
    assert set(stamps(camera)) == {0.04}
    assert camera.counter_at(camera.due_seconds(77) + 0.001) == 77
