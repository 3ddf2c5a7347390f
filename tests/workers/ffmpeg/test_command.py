"""Arguments of FFmpeg commands: user input never becomes an option, and every wait has a limit."""

import subprocess

import pytest

from gateway.media import AudioInfo, SourceInfo, VideoInfo
from workers.ffmpeg.command import (
    build_bus_arguments,
    build_global_arguments,
    build_input_arguments,
    input_options,
)

H264 = VideoInfo("h264", 1920, 1080)


def value_of(arguments: list[str], option: str) -> str:
    return arguments[arguments.index(option) + 1]


@pytest.mark.parametrize("url", ["rtsp://10.0.0.1/a", "-y", "rtsp://10.0.0.1/ -f null", "-filter_complex"])
def test_the_url_is_one_argument_and_follows_its_option(url: str):
    arguments = build_input_arguments(url, "tcp", 5, is_known=False)
    assert arguments[-2:] == ["-i", url]
    assert arguments.count(url) == 1


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("is_known", [True, False])
def test_ffmpeg_accepts_every_option_of_an_input(transport: str, is_known: bool):
    command = [
        "ffmpeg",
        *build_global_arguments(),
        *build_input_arguments("rtsp://127.0.0.1:1/x", transport, 1, is_known=is_known),
        "-f",
        "null",
        "-",
    ]
    errors = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stderr
    assert "Connection refused" in errors
    assert "not found" not in errors, errors


def test_a_camera_that_does_not_respond_is_given_up_after_the_time_limit():
    assert input_options("tcp", 2.5)["timeout"] == "2500000"


def test_a_redirect_cannot_lead_to_a_file_or_a_web_server():
    allowed = input_options("tcp", 5)["protocol_whitelist"].split(",")
    assert not {"file", "http", "https", "data", "concat", "pipe", "unix"} & set(allowed)


def test_udp_waits_for_packets_out_of_order_and_tcp_does_not():
    assert input_options("udp", 5)["max_delay"] != "0"
    assert input_options("tcp", 5)["max_delay"] == "0"
    assert input_options("udp", 5)["rtsp_transport"] == "udp"


def test_a_known_source_is_analysed_only_briefly():
    looks = [int(input_options("tcp", 5, is_known=known)["analyzeduration"]) for known in (True, False)]
    assert looks[0] < 1_000_000 < looks[1]


def test_the_bus_carries_the_cameras_own_video():
    arguments = build_bus_arguments(SourceInfo(video=H264), 0.5)
    assert arguments[:4] == ["-map", "0:v:0", "-c:v", "copy"]
    assert "0:a:0?" not in arguments
    assert value_of(arguments, "-frag_duration") == "500000"
    assert arguments[-1] == "pipe:1"


def test_h265_gets_the_tag_that_players_know():
    assert value_of(build_bus_arguments(SourceInfo(video=VideoInfo("hevc")), 0.5), "-tag:v") == "hvc1"


@pytest.mark.parametrize(("codec", "coder"), [("aac", "copy"), ("pcm_alaw", "aac"), ("opus", "aac"), ("g726", "aac")])
def test_audio_is_aac_on_the_bus_and_optional(codec: str, coder: str):
    arguments = build_bus_arguments(SourceInfo(video=H264, audio=AudioInfo(codec)), 0.5)
    assert "0:a:0?" in arguments
    assert value_of(arguments, "-c:a") == coder


def test_each_log_line_has_its_level_and_there_are_no_prompts():
    arguments = build_global_arguments()
    assert value_of(arguments, "-loglevel").startswith("level+")
    assert "-nostdin" in arguments
