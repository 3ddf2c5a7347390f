"""Probing real cameras of every kind that the camera server has."""

from itertools import pairwise

import pytest

from tests.factories import make_config
from tests.workers.ingest.test_probe import look_at

# Enough time also on a busy machine: these tests check the result, not the speed.
CONFIG = make_config(allow_loopback_sources=True, connect_timeout_seconds=20.0)

CASES = [
    pytest.param({"codec": "h264", "audio": "aac"}, ("h264", False), "aac", id="h264 and aac"),
    pytest.param({"codec": "h264", "profile": "baseline"}, ("h264", False), None, id="h264 baseline"),
    pytest.param({"codec": "h264", "b_frames": 2}, ("h264", True), None, id="h264 with B-frames"),
    pytest.param({"codec": "h264", "parameter_sets": "sdp"}, ("h264", False), None, id="parameter sets in the SDP"),
    pytest.param({"codec": "h265"}, ("hevc", False), None, id="h265"),
    pytest.param({"codec": "mjpeg"}, ("mjpeg", False), None, id="mjpeg"),
    pytest.param({"codec": "h264", "audio": "pcm_alaw"}, ("h264", False), "pcm_alaw", id="h264 and G.711"),
    pytest.param({"codec": "h264", "audio": "opus"}, ("h264", False), "opus", id="h264 and opus"),
]


@pytest.mark.parametrize(("settings", "video", "audio"), CASES)
def test_a_probe_reports_the_streams_of_a_camera(cameras, request, settings, video, audio):
    path = "/" + "".join(filter(str.isalnum, request.node.callspec.id))
    url = cameras.add(path, width=320, height=192, fps=10, key_frame_seconds=1, **settings)
    found = look_at(url, config=CONFIG)
    key_frame_times = cameras.describe()[path]["key_frame_times"]
    cameras.remove(path)

    assert found.reason is None
    seen = found.source.video
    assert (seen.codec, seen.has_b_frames) == video
    assert (seen.width, seen.height) == (320, 192)
    assert seen.fps == pytest.approx(10, rel=0.1)
    assert (found.source.audio and found.source.audio.codec) == audio
    assert 0 < found.source.time_to_first_frame_ms < 30_000
    if video[0] in {"h264", "hevc"}:
        # Every tenth frame is a key frame. On a busy machine our camera drops frames that would be late: its key
        # frames are then more than a second apart, and the probe must report that.
        sent = [later - earlier for earlier, later in pairwise(key_frame_times)]
        assert min(sent, key=lambda interval: abs(interval - seen.key_frame_interval_seconds)) == pytest.approx(
            seen.key_frame_interval_seconds, abs=0.05
        )


def test_a_camera_with_a_password_is_probed_with_it_and_refuses_without(cameras):
    url = cameras.add("/locked", width=320, height=192, fps=10, user="viewer", password="pa55")
    assert look_at(url, config=CONFIG).reason is None
    assert look_at(url.replace("pa55", "wrong"), config=CONFIG).reason.code == "unauthorized"
    cameras.remove("/locked")


def test_a_missing_path_is_not_found(cameras):
    assert look_at(cameras.url("/nowhere"), config=CONFIG).reason.code == "not_found"
