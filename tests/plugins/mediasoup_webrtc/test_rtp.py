"""The video for viewers and FFmpeg's arguments for it: browsers can play the result."""

import json
import subprocess

import pytest

from gateway.media import AudioInfo, SourceInfo, VideoInfo
from gateway.outputs import OutputMode, PipelineInputs
from plugins.mediasoup_webrtc.rtp import (
    MAX_FPS,
    AudioPlan,
    TrackPorts,
    VideoPlan,
    build_audio_arguments,
    build_destination,
    build_video_arguments,
    plan_audio,
    plan_video,
)

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


def test_video_of_a_source_without_packets_is_re_encoded():
    made = plan_video(PipelineInputs(SourceInfo(GOOD, has_packets=False)))
    assert made.mode == OutputMode.TRANSCODE
    assert "no RTP packets" in made.reason


def test_a_sub_stream_without_packets_does_not_fit():
    made = plan_video(PipelineInputs(SourceInfo(VideoInfo("hevc")), lambda: SourceInfo(GOOD, has_packets=False)))
    assert made.mode == OutputMode.TRANSCODE


SOUNDS = [
    (AudioInfo("pcm_alaw", 8000, 1), AudioPlan("pcma")),
    (AudioInfo("pcm_mulaw", 8000, 1), AudioPlan("pcmu")),
    (AudioInfo("pcm_mulaw"), AudioPlan("pcmu")),
    (AudioInfo("opus", 48_000, 2), AudioPlan("opus")),
    (AudioInfo("opus", 48_000, 1), AudioPlan("opus")),
    (AudioInfo("pcm_alaw", 16_000, 1), AudioPlan("opus", is_encoded=True)),
    (AudioInfo("pcm_mulaw", 8000, 2), AudioPlan("opus", is_encoded=True)),
    (AudioInfo("aac", 16_000, 1), AudioPlan("opus", is_encoded=True)),
    (None, None),
]


@pytest.mark.parametrize(("audio", "made"), SOUNDS)
def test_sound_that_browsers_play_is_passed_on_and_other_becomes_opus(audio, made):
    assert plan_audio(audio, is_video_encoded=False) == made


@pytest.mark.parametrize("audio", [sound for sound, _ in SOUNDS if sound])
def test_sound_of_encoded_video_is_encoded_by_the_same_process(audio):
    """It would otherwise be heard before its picture is seen."""
    assert plan_audio(audio, is_video_encoded=True) == AudioPlan("opus", is_encoded=True)


def test_an_address_of_this_machine_has_the_packet_size_and_takes_reports():
    assert build_destination(5000, 7, 96) == [
        "-f",
        "rtp",
        "-ssrc",
        "7",
        "-payload_type",
        "96",
        "rtp://127.0.0.1:5000?rtcpport=5000&pkt_size=1200",
    ]


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
    arguments = build_video_arguments(SourceInfo(video or VideoInfo("hevc", fps=rate)), [])
    assert arguments[:2] == ["-map", "0:v:0"]
    coding = arguments[2:]
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


def test_audio_is_opus_for_browsers_and_optional():
    arguments = build_audio_arguments(["-f", "rtp", "ADDRESS"])
    assert arguments[-1] == "ADDRESS"
    assert arguments[:2] == ["-map", "0:a:0?"]
    for option, value in (("-c:a", "libopus"), ("-ar", "48000"), ("-ac", "2")):
        assert arguments[arguments.index(option) + 1] == value
