"""Pictures of slow cameras with sound have their own times in the parts, however FFmpeg came to end a part."""

import dataclasses
import itertools
import subprocess

import pytest

from gateway.media import AudioInfo, SourceInfo, VideoInfo
from gateway.mp4.retiming import read_presentation
from tests.workers.conftest import H264, make_media
from tests.workers.ingest.encoded import H264 as PICTURES
from tests.workers.ingest.encoded import encode_audio, encode_video
from tests.workers.ingest.hearing import as_stream, to_ticks
from workers.ffmpeg.command import build_bus_arguments, build_feed_arguments
from workers.ffmpeg.fmp4 import Fmp4Reader, Fragment, InitSegment
from workers.ingest.fed_times import FedTimes
from workers.ingest.matroska import TICKS_PER_SECOND, MatroskaWriter
from workers.rtp.units import CodecData, MediaUnit


@pytest.fixture
def video() -> tuple[CodecData, list[MediaUnit]]:
    data, pictures = encode_video(*PICTURES)
    return dataclasses.replace(data, has_b_frames=False), pictures


def make_parts(
    video: tuple[CodecData, list[MediaUnit]], times: list[float]
) -> tuple[InitSegment, list[Fragment], FedTimes]:
    """Parts of pictures at these times, with sound to the end of the last interval."""
    data, pictures = video
    audio, sounds = encode_audio("-c:a", "aac")
    units = [dataclasses.replace(pictures[0], time=time) for time in times]
    end = times[-1] + times[-1] - times[-2]
    units += [dataclasses.replace(sounds[10], time=1 + 0.064 * at) for at in range(int((end - 1) / 0.064))]
    source = SourceInfo(video=VideoInfo("h264"), audio=AudioInfo("aac"))
    command = ["ffmpeg", "-v", "error", "-nostdin", *build_feed_arguments(), *build_bus_arguments(source, 0.5)]
    stream = as_stream(MatroskaWriter(data, audio), sorted(units, key=lambda unit: unit.time))
    done = subprocess.run(command, input=stream, capture_output=True, timeout=60, check=True)
    init, parts = parts_of(done.stdout)
    fed = FedTimes()
    for time in times:
        fed.add(to_ticks(time) / TICKS_PER_SECOND)
    return init, parts, fed


@pytest.mark.integration
@pytest.mark.parametrize("interval", [0.9, 3.1, 6.4, 12.0])
def test_pictures_of_a_slow_camera_with_sound(interval: float, video: tuple[CodecData, list[MediaUnit]]):
    times = [1.0 + interval * at for at in range(12)]
    init, parts, fed = make_parts(video, times)
    pictures = [part for part in (fed.correct(part, init) for part in parts) if part.frames]
    assert [part.start for part in pictures] == pytest.approx(times, abs=0.000_1)
    assert not any(part.has_b_frames for part in pictures)
    for before, after in itertools.pairwise(pictures):
        assert before.end <= after.start + 0.000_1


@pytest.mark.integration
def test_several_pictures_in_a_part_keep_their_times(video: tuple[CodecData, list[MediaUnit]]):
    # Three pictures in 80 ms, and then nothing for four seconds.
    times = [1.0 + 4 * burst + 0.04 * at for burst in range(12) for at in range(3)]
    init, parts, fed = make_parts(video, times)
    found = []
    for part in (fed.correct(part, init) for part in parts):
        if part.frames:
            found += read_presentation(part.data[: int.from_bytes(part.data[:4], "big")], init.video)
    assert [ticks / 90_000 for ticks in found] == pytest.approx(times, abs=0.000_1)


def parts_of(media: bytes) -> tuple[InitSegment, list[Fragment]]:
    init, *parts = Fmp4Reader().feed(media)
    return init, parts


def test_parts_that_are_right_are_not_touched(h264_media: bytes):
    init, parts = parts_of(h264_media)
    times = FedTimes()
    for at in range(20):
        times.add(at / 10)
    assert all(times.correct(part, init) is part for part in parts)


def test_a_picture_that_ffmpeg_dropped_moves_no_other():
    init, parts = parts_of(make_media(*H264, "-bf", "0"))
    times = FedTimes()
    # Two pictures that no part has.
    for seconds in (-0.2, -0.1, *(at / 10 for at in range(20))):
        times.add(seconds)
    assert [times.correct(part, init).start for part in parts] == [part.start for part in parts]


def test_times_that_nobody_fed_change_nothing(h264_media: bytes):
    init, parts = parts_of(h264_media)
    assert [FedTimes().correct(part, init) for part in parts] == parts
