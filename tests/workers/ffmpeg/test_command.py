"""Arguments of FFmpeg commands: what the parts and the outputs are made of."""

import pytest

from gateway.media import AudioInfo, SourceInfo, VideoInfo
from workers.ffmpeg.command import (
    build_bus_arguments,
    build_global_arguments,
)

H264 = VideoInfo("h264", 1920, 1080)


def value_of(arguments: list[str], option: str) -> str:
    return arguments[arguments.index(option) + 1]


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
