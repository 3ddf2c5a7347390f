"""The camera server provides the requested cameras, which go, come back, change and freeze on command."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.testing.camera_server import PROGRAM, SYSTEM_PYTHON, CameraServer, CameraServerError

from .viewing import CameraUnreadableError, probe_streams, read_clocks, read_packets

pytestmark = pytest.mark.integration
DEMO = PROGRAM.parent
SMALL = {"width": 640, "height": 360, "fps": 15}


@pytest.fixture(scope="module")
def server():
    with CameraServer() as server:
        yield server


@pytest.fixture
def path(server, request):
    path = f"/camera{abs(hash(request.node.name))}"
    yield path
    if path in server.describe():
        server.remove(path)


def wait_until(is_so: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def start_viewer(url: str, *entries: str) -> subprocess.Popen:
    command = [
        "ffprobe",
        "-v",
        "error",
        "-rtsp_transport",
        "tcp",
        "-timeout",
        "2000000",
        "-select_streams",
        "v",
    ]
    return subprocess.Popen(
        [*command, "-show_entries", "frame=width", "-of", "csv=p=0", url], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("settings", "video", "audio"),
    [
        (
            {"codec": "h264", "audio": "aac"},
            {"codec_name": "h264", "profile": "High", "has_b_frames": 0},
            "aac",
        ),
        ({"profile": "baseline"}, {"codec_name": "h264", "profile": "Constrained Baseline"}, None),
        ({"b_frames": 2, "audio": "pcm_alaw"}, {"codec_name": "h264", "has_b_frames": 2}, "pcm_alaw"),
        ({"codec": "h265", "audio": "opus"}, {"codec_name": "hevc", "profile": "Main"}, "opus"),
        ({"codec": "mjpeg"}, {"codec_name": "mjpeg"}, None),
        ({"parameter_sets": "sdp"}, {"codec_name": "h264"}, None),
    ],
)
def test_each_codec_is_received_with_a_clock(server, path, settings, video, audio):
    url = server.add(path, **SMALL, **settings)
    streams = probe_streams(url)
    expected = {"width": 640, "height": 360, **video}
    assert {name: streams["video"][name] for name in expected} == expected
    assert streams.get("audio", {}).get("codec_name") == audio
    before_ms = time.time() * 1000
    clocks = read_clocks(url, 640, 360)
    assert None not in clocks
    assert before_ms - 5000 < clocks[-1].time_ms < time.time() * 1000
    assert clocks[0].frame < clocks[-1].frame


def test_key_frames_have_their_interval(server, path):
    packets = read_packets(server.add(path, **SMALL, key_frame_seconds=2), 65)
    keys = [number for number, (is_key, _) in enumerate(packets) if is_key]
    assert keys[1] - keys[0] == 30


def test_the_encoder_runs_only_while_somebody_watches(server, path):
    url = server.add(path, **SMALL)
    assert not server.describe()[path]["is_encoding"]
    viewer = start_viewer(url)
    try:
        wait_until(lambda: server.describe()[path]["frames"] > 0)
    finally:
        viewer.kill()
        viewer.communicate()
    wait_until(lambda: not server.describe()[path]["is_encoding"])
    assert server.describe()[path]["connections"] == 1
    assert server.describe()[path]["most_clients"] == 1


def test_a_camera_that_is_away_cuts_its_viewers_and_comes_back(server, path):
    url = server.add(path, **SMALL)
    viewer = start_viewer(url)
    wait_until(lambda: server.describe()[path]["frames"] > 5)
    server.set_away(path, True)
    viewer.communicate(timeout=10)
    with pytest.raises(CameraUnreadableError, match="5XX"):
        probe_streams(url)
    server.set_away(path, False)
    assert probe_streams(url)["video"]["codec_name"] == "h264"


def test_a_frozen_camera_keeps_its_viewers_and_sends_no_picture(server, path):
    viewer = start_viewer(server.add(path, **SMALL))
    try:
        wait_until(lambda: server.describe()[path]["frames"] > 5)
        server.set_frozen(path, True)
        frames = server.describe()[path]["frames"]
        time.sleep(0.5)
        assert server.describe()[path]["frames"] <= frames + 1
        assert server.describe()[path]["clients"] == 1
        server.set_frozen(path, False)
        wait_until(lambda: server.describe()[path]["frames"] > frames + 5)
    finally:
        viewer.kill()
        viewer.communicate()


def test_the_resolution_changes_while_a_viewer_stays(server, path):
    viewer = start_viewer(server.add(path, **SMALL))
    try:
        assert viewer.stdout.readline().strip(",\n") == "640"
        server.resize(path, 480, 272)
        widths = {line.strip(",\n") for line, _ in zip(viewer.stdout, range(60), strict=False)}
        assert "480" in widths
        assert server.describe()[path]["connections"] == 1
    finally:
        viewer.kill()
        viewer.communicate()


def test_a_changed_camera_announces_its_new_streams(server, path):
    url = server.add(path, **SMALL, audio="aac")
    assert set(probe_streams(url)) == {"video", "audio"}
    server.change(path, audio=None, width=480, height=272)
    streams = probe_streams(url)
    assert set(streams) == {"video"}
    assert streams["video"]["width"] == 480


def test_a_password_is_required_and_can_change(server, path):
    old = server.add(path, **SMALL, user="viewer", password="old p@ss/word")
    assert probe_streams(old)["video"]["codec_name"] == "h264"
    new = server.change(path, password="new")
    for url in (old, f"rtsp://127.0.0.1:{server.port}{path}"):
        with pytest.raises(CameraUnreadableError, match="401"):
            probe_streams(url)
    assert probe_streams(new)["video"]["codec_name"] == "h264"


def test_a_removed_camera_is_not_found(server, path):
    url = server.add(path, **SMALL)
    server.remove(path)
    with pytest.raises(CameraUnreadableError, match="404"):
        probe_streams(url)


def test_a_restarted_server_keeps_its_port_and_cameras():
    with CameraServer() as server:
        url = server.add("/door", **SMALL)
        server.kill()
        with pytest.raises(CameraUnreadableError, match="refused"):
            probe_streams(url)
        server.restart()
        assert probe_streams(url)["video"]["width"] == 640


def test_a_paused_server_does_not_answer_until_it_resumes():
    with CameraServer() as server:
        url = server.add("/door", **SMALL)
        server.pause()
        viewer = subprocess.Popen(["ffprobe", "-v", "quiet", "-rtsp_transport", "tcp", url], stdout=subprocess.DEVNULL)
        with pytest.raises(subprocess.TimeoutExpired):
            viewer.wait(1)
        server.resume()
        assert viewer.wait(10) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"codec": "vp9"}, "'codec' must be one of h264, h265, mjpeg, not 'vp9'"),
        ({"width": 641}, "'width' and 'height' must be multiples of 2"),
        ({"colour": "red"}, "'colour' is not a setting"),
        ({"user": "viewer"}, "'user' and 'password' must be set together"),
    ],
)
def test_an_invalid_setting_is_named(server, path, settings, message):
    with pytest.raises(CameraServerError, match=message):
        server.add(path, **settings)


def test_the_demo_devices_are_the_demo_cameras():
    cameras = {camera["path"] for camera in json.loads((DEMO / "cameras.json").read_text())}
    devices = json.loads((DEMO / "devices.json").read_text())
    assert {device["source_url"].removeprefix("rtsp://127.0.0.1:8554") for device in devices} == cameras
    assert len({device["name"] for device in devices}) == len(devices) >= 4


def test_the_demo_starts_and_reports_a_taken_port():
    demo = start_demo(0)
    try:
        address = demo.stdout.readline().split()[2].rstrip(":")
        assert probe_streams(f"{address}/harbour")["audio"]["codec_name"] == "aac"
        second = start_demo(int(address.rpartition(":")[2]))
        _, errors = second.communicate(timeout=10)
        assert second.returncode == 2
        assert "stop the program that uses the port" in errors
    finally:
        demo.terminate()
        assert demo.wait(5) == 0
        demo.communicate()


def start_demo(port: int) -> subprocess.Popen:
    command = [SYSTEM_PYTHON, "-E", str(Path(PROGRAM)), "--port", str(port)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
