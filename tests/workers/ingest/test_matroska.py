"""The Matroska stream for FFmpeg: what it consists of, and what a real FFmpeg reads from it."""

import dataclasses
import io
import itertools
import os
import select
import subprocess
import time

import av
import pytest

from gateway.media import SourceInfo
from tests.workers.ingest.encoded import H264, H264_B, HEVC, HEVC_B, encode_audio, encode_raw, encode_video
from tests.workers.ingest.hearing import as_stream, decode_sound, pitch_of, to_ticks
from workers.ffmpeg.command import build_bus_arguments, build_feed_arguments
from workers.ingest.matroska import (
    FEEDABLE_AUDIO,
    FEEDABLE_VIDEO,
    MAX_UNIT_BYTES,
    MatroskaWriter,
)
from workers.rtp.units import AUDIO, VIDEO, CodecData, MediaUnit

VIDEOS = {
    "h264": H264,
    "h264 with B-frames": H264_B,
    "hevc": HEVC,
    "hevc with B-frames": HEVC_B,
    "mjpeg": ("-c:v", "mjpeg"),
    "mpeg4": ("-c:v", "mpeg4"),
}
JPEG = CodecData("mjpeg", width=320, height=180)


def copy_to_mp4(stream: bytes) -> tuple[list[tuple[int, int, bool]], str]:
    """Presentation and decoding time in 1/90000 s, and whether it is a key frame, of each packet; and FFmpeg's log."""
    command = ["ffmpeg", "-v", "warning", "-nostdin", *build_feed_arguments(), *build_bus_arguments(SourceInfo(), 0.5)]
    done = subprocess.run(command, input=stream, capture_output=True, timeout=60, check=True)
    with av.open(io.BytesIO(done.stdout), options={"use_edit_list": "0"}) as container:
        packets = container.demux(container.streams.video[0])
        return [(packet.pts, packet.dts, packet.is_keyframe) for packet in packets if packet.size], done.stderr.decode()


def test_each_unit_is_one_cluster_of_known_size_with_nothing_after_it():
    writer = MatroskaWriter(JPEG, None)
    head, data = writer.unit(MediaUnit(VIDEO, 0.0, b"x" * 1000, True), 5)
    assert data == b"x" * 1000
    assert head[:4] == bytes.fromhex("1f43b675")
    assert int.from_bytes(head[4:8], "big") & 0x0FFF_FFFF == len(head) - 8 + len(data)


def test_the_data_of_a_unit_is_not_copied():
    data = b"x" * 100_000
    assert MatroskaWriter(JPEG, None).unit(MediaUnit(VIDEO, 0.0, data, True), 5)[1] is data


@pytest.mark.parametrize("video", [CodecData("vp8"), CodecData("h264"), CodecData("hevc"), CodecData("aac")])
def test_video_that_cannot_be_fed_is_refused(video: CodecData):
    with pytest.raises(ValueError, match=video.codec):
        MatroskaWriter(video, None)


@pytest.mark.parametrize("audio", [CodecData("aac"), CodecData("opus"), CodecData("g723"), CodecData("h264", b"\x01")])
def test_sound_that_cannot_be_fed_is_refused(audio: CodecData):
    with pytest.raises(ValueError, match=audio.codec):
        MatroskaWriter(JPEG, audio)


def test_a_unit_too_large_for_its_size_field_is_refused():
    with pytest.raises(ValueError, match=str(MAX_UNIT_BYTES)):
        MatroskaWriter(JPEG, None).unit(MediaUnit(VIDEO, 0.0, bytes(MAX_UNIT_BYTES + 1), True), 0)


@pytest.mark.integration
@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize("begin", [1.0, 5.55555, 36_000.0])
def test_ffmpeg_reads_the_times_that_were_written(name: str, begin: float):
    video, units = encode_video(*VIDEOS[name])
    assert video.codec in FEEDABLE_VIDEO
    packets, log = copy_to_mp4(as_stream(MatroskaWriter(video, None), units, begin=begin))
    assert not log
    assert [pts for pts, _, _ in packets] == [round((begin + unit.time) * 90_000) for unit in units]
    assert [is_key for *_, is_key in packets] == [unit.is_key for unit in units]
    dts = [dts for _, dts, _ in packets]
    assert all(before < after for before, after in itertools.pairwise(dts))
    assert all(dts <= pts for pts, dts, _ in packets)


@pytest.mark.integration
@pytest.mark.parametrize("name", VIDEOS)
def test_ffmpeg_writes_a_picture_before_the_next_one_comes(name: str):
    video, units = encode_video(*VIDEOS[name])
    writer = MatroskaWriter(video, None)
    command = ["ffmpeg", "-v", "error", "-nostdin", "-probesize", "32", "-f", "matroska", "-copyts", "-i", "pipe:0"]
    command += ["-map", "0:v:0", "-c", "copy", "-f", "data", "-flush_packets", "1", "pipe:1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        process.stdin.write(writer.header())
        for unit in units:
            os.writev(process.stdin.fileno(), writer.unit(unit, to_ticks(unit.time)))
            missing = len(unit.data)
            until = time.monotonic() + 10
            while missing and select.select([process.stdout], [], [], until - time.monotonic())[0]:
                missing -= len(os.read(process.stdout.fileno(), missing))
            assert not missing
        process.stdin.close()
        assert process.wait(10) == 0


SOUNDS = {
    "aac": ("-c:a", "aac"),
    "opus": ("-ar", "48000", "-c:a", "libopus"),
    "mp2": ("-c:a", "mp2"),
    "mp3": ("-c:a", "libmp3lame"),
    "pcm_s16be": ("-c:a", "pcm_s16be"),
    "pcm_alaw": ("-ar", "8000", "-c:a", "pcm_alaw"),
    "pcm_mulaw": ("-ar", "8000", "-c:a", "pcm_mulaw"),
    "adpcm_g722": ("-c:a", "g722", "-frame_size", "320"),
}


def test_the_table_of_sounds_is_complete():
    assert {*SOUNDS, "adpcm_g726"} == FEEDABLE_AUDIO


@pytest.mark.integration
@pytest.mark.parametrize("name", SOUNDS)
def test_ffmpeg_decodes_sound_beside_the_picture(name: str):
    video, pictures = encode_video(*H264)
    audio, sounds = encode_audio(*SOUNDS[name])
    audio = dataclasses.replace(audio, codec=name)
    units = sorted([*pictures, *sounds], key=lambda unit: unit.time)
    samples = decode_sound(as_stream(MatroskaWriter(video, audio), units, begin=1.0), 16000)
    assert len(samples) == pytest.approx(32_000, abs=3000)
    assert pitch_of(samples, 16000) == pytest.approx(440, abs=2)


@pytest.mark.integration
@pytest.mark.parametrize("bits", [2, 3, 4, 5])
def test_ffmpeg_decodes_g726_of_every_rate(bits: int):
    video, pictures = encode_video(*H264)
    # 40 ms: a whole number of bytes at each rate.
    raw = encode_raw("g726", rate=8000, bits=bits)
    size = 320 * bits // 8
    sounds = [MediaUnit(AUDIO, at / 25, raw[at * size : (at + 1) * size]) for at in range(50)]
    audio = CodecData("adpcm_g726", bytes([bits]), sample_rate=8000, channels=1)
    units = sorted([*pictures, *sounds], key=lambda unit: unit.time)
    samples = decode_sound(as_stream(MatroskaWriter(video, audio), units, begin=1.0), 8000)
    assert len(samples) == pytest.approx(16_000, abs=700)
    assert pitch_of(samples, 8000) == pytest.approx(440, abs=2)
