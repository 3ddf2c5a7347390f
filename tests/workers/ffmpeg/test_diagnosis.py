"""The end of an FFmpeg process becomes a reason that a user can act on."""

import subprocess

import pytest

from gateway.states import REASONS
from workers.ffmpeg import diagnosis
from workers.ffmpeg.command import build_global_arguments
from workers.ffmpeg.diagnosis import clean, diagnose, diagnose_output

PICTURE = ("-f", "lavfi", "-i", "testsrc2=duration=1")


def run_ffmpeg(*arguments: str) -> tuple[list[str], int]:
    """The log lines and the exit code of a real FFmpeg."""
    done = subprocess.run(
        ["ffmpeg", *build_global_arguments(), *arguments], capture_output=True, timeout=20, check=False
    )
    return done.stderr.decode("utf-8", "replace").splitlines(), done.returncode


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((*PICTURE, "-c:v", "snow", "-f", "mp4", "-movflags", "empty_moov", "pipe:1"), "unsupported_codec"),
        ((*PICTURE, "-c:v", "no_such_codec", "-f", "null", "-"), "unsupported_codec"),
        (("-f", "lavfi", "-i", "sine=duration=1", "-map", "0:v:0", "-f", "null", "-"), "no_video"),
        (("-f", "matroska", "-i", "data:,junk", "-f", "null", "-"), "invalid_data"),
    ],
)
def test_media_that_ffmpeg_cannot_use_is_named(arguments, code):
    lines, return_code = run_ffmpeg(*arguments)
    assert diagnose(lines, return_code).code == code, "\n".join(lines)


@pytest.mark.parametrize(
    ("return_code", "name"), [(-9, "SIGKILL"), (-11, "SIGSEGV"), (-200, "signal 200")], ids=["killed", "crashed", "odd"]
)
def test_a_signal_counts_whatever_was_logged_before(return_code, name):
    lines = ["[error] x: Invalid data found when processing input"]
    for explain in (diagnose, diagnose_output):
        found = explain(lines, return_code)
        assert found.code == "ffmpeg_killed"
        assert name in found.message


def test_an_output_is_explained_in_ffmpegs_own_words():
    lines, return_code = run_ffmpeg(*PICTURE, "-f", "flv", "rtmp://127.0.0.1:1/live")
    found = diagnose_output(lines, return_code)
    assert found.code == "output_failed"
    assert "rtmp://127.0.0.1:1/live" in found.message
    assert "0x" not in found.message


def test_anything_else_is_unknown_with_its_last_error():
    lines = ["[info] hello", "[mp4 @ 0x55d0] [error] Something new", "[warning] deprecated pixel format"]
    assert diagnose(lines, 1).message == "ffmpeg stopped: Something new"
    assert diagnose([], 1).message == "ffmpeg ended with code 1 without a reason"
    assert len(diagnose(["[error] " + "x" * 5000], 1).message) < 300


def test_the_log_is_shown_without_levels_and_addresses():
    assert clean("[mp4 @ 0x55d0c8] [error] Tag avc1 incompatible") == "Tag avc1 incompatible"


def test_every_code_is_a_reason():
    assert {code for code, _ in diagnosis._PATTERNS} <= REASONS.keys()
