"""A camera that sends pictures by HTTP, through the whole stack: probed, live in a browser, recorded, in snapshots."""

import pytest

from tests.cameras.http_pictures import SINGLE, HttpCamera
from tests.e2e.test_codecs import read_footage
from tests.stack import ApiProblem


@pytest.fixture
def camera():
    with HttpCamera() as camera:
        camera.behave("/video", login=("viewer", "pa55"), algorithm="MD5")
        camera.behave("/picture", **vars(SINGLE))
        yield camera


def test_a_stream_of_pictures_is_probed_shown_recorded_and_pictured(stack, add_device, watch, camera):
    url = camera.url("/video", login="viewer:pa55@")
    found = stack.api.post("/devices/probe", {"source_url": url})
    assert found["reachable"], found
    assert (found["video"]["codec"], found["login"]) == ("mjpeg", "digest MD5")
    assert (found["video"]["width"], found["video"]["height"]) == (320, 192)

    device_id = add_device(url)
    stack.wait_for_state(device_id, "running")
    viewer = watch(device_id)
    viewer.wait_live()
    assert viewer.frames_in(3) > 15
    stream = stack.stream(device_id)
    assert stream["is_reencoded"]
    video, fragments = read_footage(stack, device_id)
    assert video.codec == "mp4v"
    assert fragments
    picture = stack.api.post(f"/snapshots/devices/{device_id}/capture/live", {})
    assert (picture["width"], picture["height"]) == (320, 192)


def test_single_pictures_make_a_running_stream(stack, add_device, camera):
    device_id = add_device(camera.url("/picture"))
    stack.wait_for_state(device_id, "running")
    asked = len(camera.requests)
    stack.wait_until(lambda: len(camera.requests) >= asked + 15, 40, "pictures are asked for")
    assert stack.stream(device_id)["observed"] == "running"


def test_a_wrong_page_is_named(stack, add_device, camera):
    camera.behave("/page", content_type="text/html")
    device_id = add_device(camera.url("/page"))
    stack.wait_until(lambda: (stack.stream(device_id)["reason"] or {}).get("code") == "no_video", 20, "the reason")
    camera.behave("/page", content_type="multipart/x-mixed-replace")
    stack.wait_for_state(device_id, "running", timeout=40)


def test_a_scheme_that_nobody_reads_is_refused_by_name(stack):
    with pytest.raises(ApiProblem, match="http://, https://, rtsp:// or rtsps://"):
        stack.add_device("ftp", "ftp://127.0.0.1/x")
