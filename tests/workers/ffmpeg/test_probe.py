"""A source is probed by a separate process, which never exceeds its time limit."""

import base64
import io
import subprocess
import threading
import time

import pytest
from PIL import Image

from tests.cameras.faulty import (
    CLOSES_AT_ONCE,
    FORBIDDEN,
    HAS_METADATA_TRACK,
    HAS_ONLY_AUDIO,
    NEVER_ANSWERS,
    NOT_FOUND,
    PLAYS,
    REFUSES,
    SENDS_GARBAGE,
    UNAUTHORIZED,
    FaultyCamera,
)
from tests.factories import make_config
from workers.ffmpeg import probe
from workers.ffmpeg.probe import probe_source

CONFIG = make_config(connect_timeout_seconds=1.0)


@pytest.fixture
def camera():
    with FaultyCamera(PLAYS) as camera:
        yield camera


def test_a_camera_is_described_by_what_it_sends(camera):
    found = probe_source(CONFIG, camera.url, "tcp", watch_seconds=5)
    video = found.source.video
    assert found.reason is None
    assert (video.codec, video.width, video.height, video.has_b_frames) == ("h264", 640, 360, False)
    assert video.fps == pytest.approx(15, abs=1)
    assert video.key_frame_interval_seconds == pytest.approx(1, abs=0.1)
    assert video.bitrate_kbps == pytest.approx(500, rel=0.5)
    assert 0 < found.source.time_to_first_frame_ms <= found.elapsed_ms


def test_a_test_shows_a_picture_of_the_camera(camera):
    found = probe_source(CONFIG, camera.url, "tcp", watch_seconds=5)
    with Image.open(io.BytesIO(base64.b64decode(found.picture))) as image:
        assert (image.format, image.size) == ("JPEG", (640, 360))
        assert len(image.resize((16, 9)).getcolors(200)) > 4, "it is not one grey area"
    assert probe_source(CONFIG, camera.url, "tcp").picture is None, "a stream's own probe needs none"


def test_only_useful_tracks_are_requested(camera):
    camera.behave(HAS_METADATA_TRACK)
    found = probe_source(CONFIG, camera.url, "tcp")
    assert found.source.video.codec == "h264"
    assert found.source.audio.codec == "pcm_alaw"
    assert {track.type for track in found.source.tracks} == {"video", "audio"}


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (REFUSES, "refused"),
        (UNAUTHORIZED, "unauthorized"),
        (FORBIDDEN, "forbidden"),
        (NOT_FOUND, "not_found"),
        (NEVER_ANSWERS, "timed_out"),
        (SENDS_GARBAGE, "invalid_data"),
        (CLOSES_AT_ONCE, "closed_by_camera"),
        (HAS_ONLY_AUDIO, "no_video"),
    ],
)
def test_a_camera_that_gives_no_video_has_its_reason(camera, behaviour, code):
    camera.behave(behaviour)
    found = probe_source(CONFIG, camera.url, "tcp")
    assert found.reason.code == code, found.reason
    assert found.elapsed_ms < 8000


def test_a_name_that_does_not_resolve_has_its_reason():
    assert probe_source(CONFIG, "rtsp://no-such-camera.invalid/x", "tcp").reason.code == "unknown_host"


def test_the_password_is_in_no_process_list(camera, monkeypatch):
    seen = []
    original = subprocess.Popen

    def watch(command, **options):
        seen.append((command, options.get("env")))
        return original(command, **options)

    monkeypatch.setattr(probe.subprocess, "Popen", watch)
    probe_source(CONFIG, camera.url.replace("rtsp://", "rtsp://user:s3cr3t@"), "tcp")
    assert seen
    assert "s3cr3t" not in str(seen)


def test_an_exception_of_on_wait_ends_the_probe_at_once(camera):
    camera.behave(NEVER_ANSWERS)
    calls = []

    def stop() -> None:
        calls.append(time.monotonic())
        if len(calls) == 2:
            raise InterruptedError

    before = threading.active_count()
    started = time.monotonic()
    with pytest.raises(InterruptedError):
        probe_source(make_config(connect_timeout_seconds=30), camera.url, "tcp", on_wait=stop)
    assert time.monotonic() - started < 10
    assert threading.active_count() == before


def test_a_process_that_hangs_is_ended_and_counts_as_timed_out(camera, monkeypatch):
    camera.behave(NEVER_ANSWERS)
    monkeypatch.setattr(probe, "_GRACE_SECONDS", -29.5)
    found = probe_source(make_config(connect_timeout_seconds=30), camera.url, "tcp")
    assert found.reason.code == "timed_out"


def test_invalid_output_of_the_process_is_an_unknown_reason(monkeypatch):
    monkeypatch.setattr(probe, "_run_in_slot", lambda *_: ("{", ["Traceback (most recent call last)"]))
    assert probe_source(CONFIG, "rtsp://10.0.0.1/", "tcp").reason.code == "unknown"


def test_b_frames_are_found_by_the_order_of_the_packets(tmp_path):
    import av

    from tests.workers.conftest import make_media

    file = tmp_path / "b.mp4"
    file.write_bytes(
        make_media(
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-bf",
            "2",
            "-g",
            "10",
            "-pix_fmt",
            "yuv420p",
            seconds=3,
        )
    )
    with av.open(str(file)) as container:
        video = probe._analyse(container, 10, time.monotonic())[0].video
    assert video.has_b_frames
    assert video.key_frame_interval_seconds == pytest.approx(1)


def test_concurrent_probes_are_limited_and_waiting_ones_call_on_wait(monkeypatch):
    slots = threading.BoundedSemaphore(1)
    monkeypatch.setattr(probe, "_slots", slots)
    monkeypatch.setattr(probe, "_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(probe, "_run_process", lambda *_: ('{"errors": ["[error] x: Connection refused"]}', []))
    slots.acquire()
    waited = []

    def wait() -> None:
        waited.append(1)
        if len(waited) == 3:
            slots.release()

    assert probe_source(CONFIG, "rtsp://10.0.0.1/", "tcp", on_wait=wait).reason.code == "refused"
    assert len(waited) == 3
    assert slots.acquire(blocking=False), "the slot is released"


def test_a_failed_probe_releases_its_slot(monkeypatch):
    def fail(*_):
        raise InterruptedError

    slots = threading.BoundedSemaphore(1)
    monkeypatch.setattr(probe, "_slots", slots)
    monkeypatch.setattr(probe, "_run_process", fail)
    with pytest.raises(InterruptedError):
        probe_source(CONFIG, "rtsp://10.0.0.1/", "tcp")
    assert slots.acquire(blocking=False)
