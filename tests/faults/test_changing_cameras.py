"""Cameras that restart, freeze, change their picture or lose their sound while somebody watches."""

import time

import pytest

from tests.cameras import CameraServer
from tests.faults.conftest import start_watching

#: Time limit for a camera that answers again to be live again.
BUDGET_SECONDS = 3
MARGIN_SECONDS = 5


@pytest.fixture
def seen(stack, add_camera, add_device, watch):
    """A watched camera with sound, and its path."""
    url = add_camera(codec="h264", audio="aac", key_frame_seconds=1)
    return start_watching(stack, add_device(url), watch), url[url.index("/", 7) :]


def test_a_restarted_camera_is_live_again_for_its_viewer(stack, add_device, watch, report):
    with CameraServer() as server:
        url = server.add("/door", width=640, height=360, fps=15, key_frame_seconds=1)
        watched = start_watching(stack, add_device(url), watch)
        server.kill()
        # Away for longer than the first pauses between attempts.
        stack.wait_for_state(watched.device_id, "reconnecting", 10)
        watched.viewer.frames_in(8)
        server.start()
        back = time.time()
        # Measured to the end of the longest break, from the moment at which the camera could be reached.
        recovery = watched.recover(back, 20)
        report.add("camera rebooted", recovery, watched.viewer.has_continued, BUDGET_SECONDS)
        assert recovery <= BUDGET_SECONDS + MARGIN_SECONDS


def test_a_frozen_camera_is_a_stall_and_is_live_again_when_it_continues(stack, cameras, seen, report):
    watched, path = seen
    moment = time.time()
    cameras.set_frozen(path, True)
    # Its sound continues, which is no sign of life.
    stack.wait_for_state(watched.device_id, "reconnecting", 20)
    assert {"stalled", "output_stalled"} & set(watched.reasons_since(moment))
    cameras.set_frozen(path, False)
    back = time.time()
    recovery = watched.recover(back, 20)
    report.add("camera frozen, then continues", recovery, watched.viewer.has_continued, BUDGET_SECONDS)
    assert (recovery or 0) <= BUDGET_SECONDS + MARGIN_SECONDS


def test_a_changed_resolution_reaches_the_viewer(stack, cameras, seen, report):
    watched, path = seen
    moment = time.time()
    cameras.resize(path, 480, 272)
    watched.viewer.page.wait_for_function(
        "() => document.querySelector('[data-testid=live-video]').videoWidth === 480", timeout=20_000
    )
    recovery = watched.recover(moment, 20, lambda: "resolution_changed" in watched.reasons_since(moment))
    report.add("camera changes its resolution", recovery, watched.viewer.has_continued)
    stream = stack.wait_until(
        lambda: (s := stack.stream(watched.device_id))["video"]["width"] == 480 and s, 10, "the API shows the new size"
    )
    assert stream["observed"] == "running"


def test_a_camera_that_loses_its_sound_keeps_its_picture(stack, cameras, seen, report):
    watched, path = seen
    moment = time.time()
    cameras.change(path, audio=None)
    recovery = watched.recover(moment, 20)
    report.add("camera comes back without sound", recovery, watched.viewer.has_continued)
    stack.wait_until(
        lambda: stack.stream(watched.device_id)["audio"] is None, 10, "the API shows that there is no sound"
    )
    assert (recovery or 0) <= BUDGET_SECONDS + MARGIN_SECONDS


def test_a_device_that_is_deleted_while_it_runs_stops_at_once(stack, add_camera, watch):
    url = add_camera()
    device_id = stack.add_device("short-lived", url)["id"]
    watched = start_watching(stack, device_id, watch)
    assert stack.ffmpeg_pids(device_id)
    stack.delete_device(device_id)
    watched.viewer.page.wait_for_function(
        "() => document.querySelector('[data-testid=live-video]')?.dataset.playerState !== 'live'", timeout=15_000
    )
    stack.wait_until(lambda: device_id not in str(stack.api.get("/streams")), 5, "the stream is gone")
    keys = lambda: stack.redis.client().keys(f"vas:lease:*{device_id}")  # noqa: E731
    stack.wait_until(lambda: not keys(), 10, "nobody owns it any more")


def test_a_changed_source_reaches_the_viewer(stack, add_camera, add_device, watch, report):
    before, after = add_camera("before"), add_camera("after", width=480, height=272)
    watched = start_watching(stack, add_device(before), watch)
    device = stack.api.get(f"/devices/{watched.device_id}")
    writable = ("name", "sub_source_url", "transport", "description", "location", "tags", "start_mode",
                "idle_seconds", "enabled")  # fmt: skip
    moment = time.time()
    stack.api.put(f"/devices/{watched.device_id}", {name: device[name] for name in writable} | {"source_url": after})
    watched.viewer.page.wait_for_function(
        "() => document.querySelector('[data-testid=live-video]').videoWidth === 480", timeout=20_000
    )
    recovery = watched.recover(moment, 20)
    report.add("source URL changed", recovery, watched.viewer.has_continued)
    assert len(stack.ffmpeg_pids(watched.device_id)) == 1
