"""Cameras whose video WebRTC does not support are shown live too, and recordings keep the camera's own video."""

import pytest

from workers.ffmpeg.fmp4 import Fmp4Reader, Fragment, InitSegment


@pytest.mark.parametrize(
    ("settings", "track", "says"),
    [
        pytest.param({"codec": "h265"}, "hvc1", "hevc", id="h265"),
        pytest.param({"codec": "h264", "b_frames": 2}, "avc1", "B-frames", id="b-frames"),
        pytest.param({"codec": "mjpeg"}, "mp4v", "mjpeg", id="mjpeg"),
    ],
)
def test_video_that_browsers_do_not_support_is_re_encoded_for_them_only(
    stack, add_camera, add_device, watch, note, settings, track, says
):
    device_id = add_device(add_camera(key_frame_seconds=2, **settings))
    viewer = watch(device_id)
    viewer.wait_live()
    latency = viewer.measure_latency(5)

    note(f"latency in Chromium, re-encoded from {settings}: {latency}")
    stream = stack.stream(device_id)
    assert stream["is_reencoded"]
    assert says in stream["reencode_reason"]
    assert [output["mode"] for output in stream["outputs"]] == ["transcode"]
    assert latency.median_ms < 1000
    video, fragments = read_footage(stack, device_id)
    assert video.codec == track
    assert any(fragment.has_b_frames for fragment in fragments) == bool(settings.get("b_frames"))


def test_a_camera_that_is_read_over_udp_is_shown_live(stack, add_camera, add_device, watch):
    device_id = add_device(add_camera(codec="h264", audio="aac"), transport="udp")
    viewer = watch(device_id)
    viewer.wait_live()
    assert viewer.measure_latency(3).median_ms < 1000
    assert [output["mode"] for output in stack.stream(device_id)["outputs"]] == ["copy"]


def test_a_sub_stream_that_fits_is_shown_in_place_of_re_encoding(stack, add_camera, add_device, watch):
    main = add_camera("main", codec="h265")
    sub = add_camera("sub", codec="h264", width=320, height=192, bitrate_kbps=300)
    device_id = add_device(main, sub_source_url=sub)
    viewer = watch(device_id)
    viewer.wait_live()

    assert viewer.measure_latency(2).median_ms < 1000
    assert viewer.page.evaluate("() => document.querySelector('[data-testid=live-video]').videoWidth") == 320
    stream = stack.stream(device_id)
    assert [output["mode"] for output in stream["outputs"]] == ["sub_stream"]
    assert not stream["is_reencoded"]
    assert "sub-stream" in stream["outputs"][0]["reason"]
    assert read_footage(stack, device_id)[0].codec == "hvc1"


def read_footage(stack, device_id: str):
    """The video track and the fragments of the newest group of pictures on the bus."""
    answer = stack.wait_until(
        lambda: (a := stack.api.raw(f"/streams/{device_id}/latest.mp4")).status_code == 200 and a,
        10,
        "there is footage",
    )
    events = list(Fmp4Reader().feed(answer.content))
    init = next(event for event in events if isinstance(event, InitSegment))
    return init.video, [event for event in events if isinstance(event, Fragment)]
