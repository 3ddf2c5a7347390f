"""The video for viewers and FFmpeg's arguments for it: browsers can play the result."""

import json
import socket
import struct
import subprocess

import pytest

from gateway.media import SourceInfo, VideoInfo
from gateway.outputs import OutputMode, PipelineInputs
from plugins.mediasoup_webrtc.rtp import (
    MAX_FPS,
    PACKET_BYTES,
    TrackPorts,
    VideoPlan,
    build_audio_arguments,
    build_video_arguments,
    plan_video,
)
from tests.conftest import free_port

PORTS = TrackPorts("127.0.0.1", 20000, 20001, 24000, 24001, 2_000_000_000, 101)
GOOD = VideoInfo("h264", 1920, 1080, pixel_format="yuv420p")


def plan(main: VideoInfo | None, sub: VideoInfo | None = None) -> VideoPlan:
    asked = []

    def find_sub() -> SourceInfo | None:
        asked.append(1)
        return SourceInfo(sub) if sub else None

    made = plan_video(PipelineInputs(SourceInfo(main), find_sub))
    assert not (made.mode == OutputMode.COPY and asked), "the sub-stream is looked at only when it is needed"
    return made


@pytest.mark.parametrize("pixel_format", [None, "yuv420p", "yuvj420p"])
def test_h264_without_b_frames_is_copied(pixel_format):
    assert plan(VideoInfo("h264", 1920, 1080, pixel_format=pixel_format)) == VideoPlan(OutputMode.COPY)


BAD = [
    (VideoInfo("hevc"), "hevc"),
    (VideoInfo("mjpeg"), "mjpeg"),
    (VideoInfo("h264", has_b_frames=True), "B-frames"),
    (VideoInfo("h264", pixel_format="yuv422p10le"), "yuv422p10le"),
]


@pytest.mark.parametrize(("video", "word"), BAD)
def test_the_sub_stream_replaces_video_that_cannot_be_copied(video, word):
    made = plan(video, GOOD)
    assert made.mode == OutputMode.SUB_STREAM
    assert word in made.reason


@pytest.mark.parametrize(("video", "word"), BAD)
def test_video_is_re_encoded_without_a_suitable_sub_stream(video, word):
    made = plan(video)
    assert made.mode == OutputMode.TRANSCODE
    assert word in made.reason
    assert "720p" in made.reason


def test_the_reason_names_an_unsuitable_sub_stream():
    made = plan(VideoInfo("hevc"), VideoInfo("h264", has_b_frames=True))
    assert made.mode == OutputMode.TRANSCODE
    assert "sub-stream does not fit either (WebRTC does not support B-frames)" in made.reason
    assert plan(None).mode == OutputMode.TRANSCODE


@pytest.mark.parametrize(
    ("mode", "number"), [(OutputMode.COPY, "0"), (OutputMode.SUB_STREAM, "1"), (OutputMode.TRANSCODE, "0")]
)
def test_each_mode_maps_from_its_input(mode, number):
    arguments = build_video_arguments(VideoPlan(mode), SourceInfo(GOOD), PORTS)
    assert arguments[:2] == ["-map", f"{number}:v:0"]
    assert ("libx264" in arguments) is (mode == OutputMode.TRANSCODE)


def test_the_address_has_all_ports_and_the_packet_size():
    assert PORTS.url == ("rtp://127.0.0.1:20000?rtcpport=20001&localrtpport=24000&localrtcpport=24001&pkt_size=1200")


def test_an_ipv6_address_is_in_brackets():
    ports = TrackPorts("fd00::1", 20000, 20001, 24000, 24001, 1, 101)
    assert ports.url.startswith("rtp://[fd00::1]:20000?")


def test_an_invalid_answer_is_refused():
    answer = {
        "ip": "127.0.0.1",
        "rtp_port": 1,
        "rtcp_port": 2,
        "source_rtp_port": 3,
        "source_rtcp_port": 4,
        "ssrc": 5,
        "payload_type": 6,
    }
    assert TrackPorts.from_answer(answer).sequence is None
    assert TrackPorts.from_answer(answer | {"sequence": 9}).sequence == 9
    with pytest.raises(KeyError):
        TrackPorts.from_answer({"ip": "127.0.0.1"})
    with pytest.raises(ValueError, match="invalid literal"):
        TrackPorts.from_answer(answer | {"rtp_port": "-f lavfi"})


def encode(size: str, rate: int, video: VideoInfo | None = None) -> dict:
    """Re-encode two seconds of a drawn picture; returns its stream and frames as reported by ffprobe."""
    arguments = build_video_arguments(
        VideoPlan(OutputMode.TRANSCODE), SourceInfo(video or VideoInfo("hevc", fps=rate)), PORTS
    )
    coding = arguments[2 : arguments.index("-f")]
    made = subprocess.run(
        [
            "ffmpeg",
            "-v",
            "error",
            "-nostdin",
            "-f",
            "lavfi",
            "-i",
            f"testsrc2=size={size}:rate={rate}",
            "-t",
            "2.2",
            *coding,
            "-f",
            "h264",
            "pipe:1",
        ],
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    shown = subprocess.run(
        [
            "ffprobe",
            "-v",
            "error",
            "-f",
            "h264",
            "-show_entries",
            "stream=width,height,profile,has_b_frames:frame=pict_type,key_frame",
            "-of",
            "json",
            "-",
        ],
        input=made,
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    return json.loads(shown)


def test_re_encoded_video_has_a_key_frame_each_second_and_no_b_frames():
    made = encode("640x360", 10)
    assert len(made["frames"]) == 22
    assert {frame["pict_type"] for frame in made["frames"]} == {"I", "P"}
    assert [at for at, frame in enumerate(made["frames"]) if frame["key_frame"]] == [0, 10, 20]
    stream = made["streams"][0]
    assert "Baseline" in stream["profile"]
    assert stream["has_b_frames"] == 0


@pytest.mark.parametrize(
    ("size", "width", "height"),
    [("1920x1080", 1280, 720), ("1080x1920", 404, 720), ("321x241", 320, 240), ("2560x1080", 1280, 540)],
)
def test_re_encoded_video_keeps_its_aspect_ratio_in_at_most_720p(size, width, height):
    stream = encode(size, 5)["streams"][0]
    assert stream["width"] % 2 == stream["height"] % 2 == 0
    assert abs(stream["width"] - width) <= 2
    assert abs(stream["height"] - height) <= 2


def test_more_than_thirty_frames_per_second_are_reduced():
    assert len(encode("320x180", 60)["frames"]) <= 2.3 * MAX_FPS
    assert len(encode("320x180", 20)["frames"]) == 44


def test_packets_have_the_configured_size_ssrc_and_first_sequence_number():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        first = free_port()
        ports = TrackPorts(
            "127.0.0.1", receiver.getsockname()[1], 9, first, free_port(), 2_000_000_000, 101, sequence=60_000
        )
        arguments = build_video_arguments(VideoPlan(OutputMode.COPY), SourceInfo(GOOD), ports)
        command = [
            "ffmpeg",
            "-v",
            "error",
            "-nostdin",
            "-re",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=640x360:rate=10",
            "-t",
            "1",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-f",
            "mp4",
            "-movflags",
            "frag_keyframe+empty_moov",
            "pipe:1",
        ]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE) as source,
            subprocess.Popen(
                ["ffmpeg", "-v", "error", "-i", "pipe:0", *arguments],
                stdin=source.stdout,
                stderr=subprocess.PIPE,
            ) as sender,
        ):
            packets = [receiver.recvfrom(4000) for _ in range(5)]
            sender.communicate(timeout=20)
        assert sender.returncode == 0
    for number, (data, sender_address) in enumerate(packets):
        kind, sequence, _, ssrc = struct.unpack_from(">xBHII", data)
        assert (kind & 0x7F, sequence, ssrc) == (101, 60_000 + number, 2_000_000_000)
        assert len(data) <= PACKET_BYTES
        assert sender_address[1] == first, "only this tuple is accepted by the SFU"
    # mediasoup detects key frames by the SPS: alone, or first in an aggregate (STAP-A).
    payload = packets[0][0][12:]
    assert payload[0] & 0x1F == 7 or (payload[0] & 0x1F == 24 and payload[3] & 0x1F == 7)


def test_audio_is_opus_for_browsers_and_optional():
    arguments = build_audio_arguments(PORTS)
    assert arguments[:2] == ["-map", "0:a:0?"]
    for option, value in (("-c:a", "libopus"), ("-ar", "48000"), ("-ac", "2")):
        assert arguments[arguments.index(option) + 1] == value
