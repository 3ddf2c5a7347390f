"""FFmpeg's log becomes a reason that a user can act on: real lines of FFmpeg 5.1 from misbehaving cameras."""

import subprocess

import pytest

from gateway.media import AudioInfo, SourceInfo, VideoInfo
from gateway.states import REASONS
from tests.cameras.faulty import (
    BROKEN,
    CLOSES_AT_ONCE,
    CLOSES_WHILE_PLAYING,
    FORBIDDEN,
    HAS_ONLY_AUDIO,
    NEVER_ANSWERS,
    NOT_FOUND,
    PLAYS,
    REFUSES,
    SENDS_GARBAGE,
    SENDS_NOTHING,
    STALLS,
    UNAUTHORIZED,
    FaultyCamera,
    redirects_to,
)
from workers.ffmpeg import diagnosis
from workers.ffmpeg.command import build_bus_arguments, build_global_arguments, build_input_arguments
from workers.ffmpeg.diagnosis import clean, diagnose

SOURCE = SourceInfo(video=VideoInfo("h264", 640, 360), audio=AudioInfo("aac"))


@pytest.fixture(scope="module")
def camera():
    with FaultyCamera(PLAYS) as camera:
        yield camera


def run_ffmpeg(url: str, *output: str, timeout_seconds: float = 1.0) -> tuple[list[str], int]:
    """The log lines and the exit code of the ingest FFmpeg for a camera."""
    command = [
        "ffmpeg",
        *build_global_arguments(),
        *build_input_arguments(url, "tcp", timeout_seconds, is_known=True),
    ]
    done = subprocess.run(
        [*command, *(output or build_bus_arguments(SOURCE, 0.5))],
        capture_output=True,
        timeout=20,
        check=False,
    )
    return done.stderr.decode("utf-8", "replace").splitlines(), done.returncode


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (UNAUTHORIZED, "unauthorized"),
        (FORBIDDEN, "forbidden"),
        (NOT_FOUND, "not_found"),
        (BROKEN, "camera_error"),
        (REFUSES, "refused"),
        (CLOSES_AT_ONCE, "invalid_data"),
        (SENDS_GARBAGE, "invalid_data"),
        (HAS_ONLY_AUDIO, "no_video"),
        (SENDS_NOTHING, "no_video"),
    ],
)
def test_a_camera_without_video_is_diagnosed_from_the_log(camera, behaviour, code):
    camera.behave(behaviour)
    lines, return_code = run_ffmpeg(camera.url)
    assert diagnose(lines, return_code, had_video=False).code == code, "\n".join(lines)


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps"])
def test_a_camera_that_never_answers_has_timed_out(camera, scheme):
    camera.behave(NEVER_ANSWERS)
    lines, return_code = run_ffmpeg(camera.url.replace("rtsp:", scheme + ":"))
    assert diagnose(lines, return_code, had_video=False, is_late=True).code == "timed_out", "\n".join(lines)


@pytest.mark.parametrize(("behaviour", "code"), [(STALLS, "timed_out"), (CLOSES_WHILE_PLAYING, "closed_by_camera")])
def test_a_camera_that_stops_while_playing_is_diagnosed(camera, behaviour, code):
    camera.behave(behaviour)
    lines, return_code = run_ffmpeg(camera.url)
    assert diagnose(lines, return_code, had_video=True).code == code, "\n".join(lines)


def test_a_name_that_does_not_resolve_is_diagnosed():
    lines, return_code = run_ffmpeg("rtsp://no-such-camera.invalid/x")
    assert diagnose(lines, return_code, had_video=False).code == "unknown_host"


def test_plain_rtsp_behind_an_rtsps_url_is_a_failure_of_tls(camera):
    camera.behave(SENDS_GARBAGE)
    lines, return_code = run_ffmpeg(camera.url.replace("rtsp:", "rtsps:"))
    assert diagnose(lines, return_code, had_video=False).code == "tls_failed", "\n".join(lines)


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:1/tls", "file:///etc/certificate", "/handshake", "rtmp://127.0.0.1:1/x", "rtsp://127.0.0.1:1/"],
)
@pytest.mark.parametrize("path", ["", "tls_certificate"])
def test_a_redirect_that_is_refused_or_leads_nowhere_is_called_a_redirect(camera, location, path):
    camera.behave(redirects_to(location))
    lines, return_code = run_ffmpeg(camera.url + path)
    assert diagnose(lines, return_code, had_video=False).code == "redirected", "\n".join(lines)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["[http @ 0x1] [error] Protocol 'http' not on whitelist 'rtp,rtsp,rtsps,tcp,udp,tls,crypto'!"], "redirected"),
        (["[error] rtsp://cam/tls/certificate: Invalid data found when processing input"], "invalid_data"),
        (["[error] rtsps://***@tls.example/handshake: End of file"], "closed_by_camera"),
        (["[error] tls://10.0.0.1:322?timeout=5: Connection refused"], "refused"),
        (["[tls @ 0x1] [error] The TLS connection was non-properly terminated."], "tls_failed"),
        (
            ["[rtsp @ 0x1] [info] Status 302: Redirecting to x", "[error] method DESCRIBE failed: 401 Unauthorized"],
            "unauthorized",
        ),
        (["[rtsp @ 0x1] [info] Status 302: Redirecting to tls", "[error] x: Something new"], "unknown"),
    ],
)
def test_names_in_addresses_are_not_words_of_ffmpeg(lines, code):
    assert diagnose(lines, 1, had_video=False).code == code


def test_a_redirect_before_a_working_run_is_not_why_it_ended():
    lines = ["[rtsp @ 0x1] [info] Status 302: Redirecting to rtsp://10.0.0.2/", "[error] x: End of file"]
    assert diagnose(lines, 1, had_video=True).code == "closed_by_camera"


def test_a_used_media_port_is_not_a_fault_of_the_camera(camera):
    import socket

    camera.behave(PLAYS)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        lines, return_code = run_ffmpeg(
            camera.url,
            "-map",
            "0:v:0",
            "-c",
            "copy",
            "-f",
            "rtp",
            f"rtp://127.0.0.1:9000?localrtpport={port}",
        )
    assert diagnose(lines, return_code, had_video=False).code == "port_in_use", "\n".join(lines)


def test_a_codec_that_mp4_does_not_support_is_unsupported():
    done = subprocess.run(
        [
            "ffmpeg",
            *build_global_arguments(),
            "-f",
            "lavfi",
            "-i",
            "testsrc2=duration=1",
            "-c:v",
            "snow",
            "-f",
            "mp4",
            "-movflags",
            "empty_moov",
            "pipe:1",
        ],
        capture_output=True,
        timeout=20,
        check=False,
    )
    lines = done.stderr.decode().splitlines()
    assert diagnose(lines, done.returncode, had_video=False).code == "unsupported_codec", "\n".join(lines)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (
            [
                "[error] method DESCRIBE failed: 401 Unauthorized",
                "[error] x: Invalid data found when processing input",
            ],
            "unauthorized",
        ),
        (
            [
                "[error] x: Invalid data found when processing input",
                "[error] method DESCRIBE failed: 401 Unauthorized",
            ],
            "unauthorized",
        ),
        (["[error] method SETUP failed: 403 Forbidden", "[error] x: Input/output error"], "forbidden"),
        (
            [
                "[error] Failed to resolve hostname a: Name or service not known",
                "[error] x: Input/output error",
            ],
            "unknown_host",
        ),
        (
            [
                "[tcp @ 0x1] [error] Connection to tcp://a failed: No route to host",
                "[error] x: Input/output error",
            ],
            "unreachable",
        ),
        (
            ["[rtp @ 0x1] [error] bind failed: Address already in use", "[error] x: Input/output error"],
            "port_in_use",
        ),
        (["[error] method DESCRIBE failed: 454 Session Not Found"], "not_found"),
        (
            ["[mp4 @ 0x1] [error] dimensions not set", "[error] Could not write header for output file #0"],
            "no_video",
        ),
    ],
)
def test_the_most_specific_line_wins_in_any_order(lines, code):
    assert diagnose(lines, 1, had_video=False).code == code


def test_a_broken_packet_at_the_end_of_a_working_run_is_not_invalid_data():
    lines = ["[error] rtsp://***@10.0.0.1/: Invalid data found when processing input"]
    assert diagnose(lines, 1, had_video=False).code == "invalid_data"
    assert diagnose(lines, 1, had_video=True).code == "closed_by_camera"


def test_a_working_run_that_ends_late_did_not_time_out():
    assert diagnose(["[error] x: End of file"], 1, had_video=True, is_late=True).code == "closed_by_camera"


def test_an_end_without_an_error_is_reported_as_such():
    assert diagnose([], 0, had_video=False).code == "closed_by_camera"
    reason = diagnose(["[info] Input #0", "[error] Last message repeated 3 times"], 187, had_video=False)
    assert (reason.code, reason.message) == ("unknown", "ffmpeg ended with code 187 without a reason")


def test_an_unknown_error_is_quoted_without_memory_addresses():
    reason = diagnose(["[info] x", "[vost#0:0 @ 0x5581f0a] [error] A strange thing happened"], 1, had_video=False)
    assert (reason.code, reason.message) == ("unknown", "ffmpeg stopped: A strange thing happened")
    assert clean("[fatal] plain") == "plain"


def test_every_code_of_a_pattern_is_a_known_reason():
    assert {code for code, _ in diagnosis._PATTERNS} <= set(REASONS)


@pytest.mark.parametrize(("return_code", "word"), [(-9, "SIGKILL"), (-11, "SIGSEGV"), (-63, "signal 63")])
def test_a_killed_program_is_not_a_fault_of_the_camera(return_code, word):
    reason = diagnose(["[error] End of file"], return_code, had_video=True)
    assert (reason.code, word in reason.message) == ("ffmpeg_killed", True)
