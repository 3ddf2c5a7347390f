"""The parts that a real FFmpeg makes of what the ingest feeds to it: their times, and sound beside the picture."""

import dataclasses
import io
import itertools
import subprocess

import av
import numpy
import pytest

from gateway.media import AudioInfo, SourceInfo, VideoInfo
from gateway.mp4.fragments import summarize_samples
from tests.workers.ingest.encoded import H264, H264_B, HEVC_B, encode_audio, encode_video
from tests.workers.ingest.hearing import as_stream
from workers.ffmpeg.command import build_bus_arguments, build_feed_arguments
from workers.ffmpeg.fmp4 import Fmp4Reader, InitSegment
from workers.ingest.matroska import MatroskaWriter
from workers.rtp.units import AUDIO, CodecData, MediaUnit

pytestmark = pytest.mark.integration

A_LAW = CodecData("pcm_alaw", sample_rate=8000, channels=1)
BEGIN = 5.5


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """The samples of one track in one part; `start` and `end` in seconds."""

    start: float
    end: float
    frames: int


def make_parts(
    video: CodecData, audio: CodecData | None, units: list[MediaUnit], *, begin: float = BEGIN
) -> tuple[bytes, list[dict[str, Span]]]:
    """FFmpeg's output, and the tracks of each of its parts. FFmpeg must have no reason for a warning."""
    sound = AudioInfo(audio.codec) if audio else None
    arguments = build_bus_arguments(SourceInfo(video=VideoInfo(video.codec), audio=sound), 0.5)
    command = ["ffmpeg", "-v", "level+warning", "-nostdin", *build_feed_arguments(), *arguments]
    stream = as_stream(MatroskaWriter(video, audio), sorted(units, key=lambda unit: unit.time), begin=begin)
    done = subprocess.run(command, input=stream, capture_output=True, timeout=120, check=True)
    log = [line for line in done.stderr.decode().splitlines() if "dts" in line.lower() or "timestamp" in line.lower()]
    assert not log
    reader, parts = Fmp4Reader(), []
    for event in reader.feed(done.stdout):
        if isinstance(event, InitSegment):
            rates = {track.kind: track.timescale for track in event.tracks}
            tracks = event.tracks
            continue
        found = summarize_samples(event.data[: int.from_bytes(event.data[:4], "big")], tracks)
        parts.append(
            {
                kind: Span(item.start / rates[kind], (item.start + item.duration) / rates[kind], item.frames)
                for kind, item in found.items()
                if item.frames
            }
        )
    return done.stdout, parts


def silence(seconds: float) -> list[MediaUnit]:
    return [MediaUnit(AUDIO, at / 50, b"\xd5" * 160) for at in range(round(seconds * 50))]


def repeat(pictures: list[MediaUnit], times: int, seconds: float) -> list[MediaUnit]:
    return [dataclasses.replace(unit, time=unit.time + seconds * at) for at in range(times) for unit in pictures]


@pytest.mark.parametrize("begin", [1.0, 36_000.0])
@pytest.mark.parametrize("encoding", [H264, H264_B, HEVC_B], ids=["h264", "h264 with B-frames", "hevc with B-frames"])
def test_parts_keep_the_times_that_were_fed(encoding: tuple[str, ...], begin: float):
    video, pictures = encode_video(*encoding)
    data, parts = make_parts(video, None, pictures, begin=begin)
    with av.open(io.BytesIO(data)) as container:
        times = sorted(float(packet.pts * packet.time_base) for packet in container.demux() if packet.size)
    assert times == pytest.approx(sorted(begin + unit.time for unit in pictures), abs=1 / 90_000)
    assert sum(part["vide"].frames for part in parts) == len(pictures)
    for before, after in itertools.pairwise(parts):
        assert after["vide"].start == pytest.approx(before["vide"].end, abs=0.001)


@pytest.mark.parametrize("is_copied", [True, False], ids=["aac", "a-law"])
def test_sound_between_two_pictures_that_are_far_apart_comes_out_in_parts_of_its_own(is_copied: bool):
    video, pictures = encode_video(*H264)
    units = [dataclasses.replace(pictures[0], time=12.0 * at) for at in range(3)]
    audio, sounds = encode_audio("-c:a", "aac", seconds=26) if is_copied else (A_LAW, silence(26))
    _, parts = make_parts(video, audio, [*units, *sounds])
    assert [part["vide"].start for part in parts if "vide" in part] == pytest.approx([5.5, 17.5, 29.5], abs=0.001)
    assert len(parts) > 45
    spans = [part["soun"] for part in parts]
    assert all(span.end - span.start < 0.6 for span in spans)
    for before, after in itertools.pairwise(spans):
        assert after.start == pytest.approx(before.end, abs=0.002)


def test_a_camera_that_becomes_faster_and_slower_keeps_the_times_of_its_pictures():
    video, pictures = encode_video(*H264)
    intervals = [0.2] * 20 + [0.013] * 60 + [0.5] * 10
    times = [sum(intervals[:at]) for at in range(len(intervals))]
    units = [dataclasses.replace(pictures[at % 50], time=time) for at, time in enumerate(times)]
    data, _ = make_parts(video, A_LAW, [*units, *silence(times[-1])])
    with av.open(io.BytesIO(data)) as container:
        packets = container.demux(container.streams.video[0])
        found = [float(packet.pts * packet.time_base) for packet in packets if packet.size]
    assert found == pytest.approx([BEGIN + time for time in times], abs=1 / 90_000)


@pytest.mark.parametrize("rate", [0.97, 0.99, 1.0, 1.01, 1.03])
def test_sound_whose_clock_is_off_stays_beside_the_picture(rate: float):
    seconds = 180
    video, pictures = encode_video(*H264, rate=5, gop=10, size="64x48")
    # A beep of 50 ms at 5, 15, 25 … s of true time; each packet has 20 ms of the camera's time.
    count = int(seconds * 50 * rate)
    times = numpy.arange(count * 160) / (8000 * rate)
    is_beep = (times + 5) % 10 < 0.05
    samples = numpy.where(is_beep, 20_000 * numpy.sin(2000 * numpy.pi * times), 0).astype(">i2").tobytes()
    sounds = [MediaUnit(AUDIO, at / 50 / rate, samples[at * 320 : (at + 1) * 320]) for at in range(count)]
    audio = CodecData("pcm_s16be", sample_rate=8000, channels=1)
    data, _ = make_parts(video, audio, [*repeat(pictures, seconds // 2, 2), *sounds])
    beeps = find_beeps(data)
    assert beeps == pytest.approx([BEGIN + 5 + 10 * at for at in range(seconds // 10)], abs=0.05)
    # The last is no further off than the second: nothing accumulates.
    assert beeps[-1] - beeps[1] == pytest.approx(seconds - 20, abs=0.005)


def find_beeps(data: bytes) -> list[float]:
    """When sound begins, by the times in the file and the samples of its frames."""
    found: list[float] = []
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        for frame in container.decode(stream):
            loud = numpy.flatnonzero(numpy.abs(frame.to_ndarray()[0]) > 0.2)
            if loud.size:
                at = float(frame.pts * stream.time_base) + loud[0] / stream.rate
                if not found or at - found[-1] > 2:
                    found.append(at)
    return found
