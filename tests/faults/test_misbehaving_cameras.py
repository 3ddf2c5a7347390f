"""Cameras that refuse, close, keep silent or send nonsense: the state gives the reason, and all of them recover."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cameras import Behaviour, FaultyCamera, faulty

#: Time limit for a camera that answers again to be live again.
BUDGET_SECONDS = 3
MARGIN_SECONDS = 5


@dataclass(frozen=True)
class Case:
    """A fault and the reasons that report it. `is_heard`: a probe's answer changes once the camera is well.

    `hanging_seconds`: extra time, because a request sent before the recovery hangs until its time limit.
    """

    name: str
    behaviour: Behaviour
    reasons: tuple[str, ...]
    is_heard: bool = True
    hanging_seconds: float = 0


CASES = (
    Case("refuses connections", faulty.REFUSES, ("refused",)),
    Case("closes connections at once", faulty.CLOSES_AT_ONCE, ("closed_by_camera",)),
    Case("never answers", faulty.NEVER_ANSWERS, ("timed_out",), hanging_seconds=3),
    Case("answers 401", faulty.UNAUTHORIZED, ("unauthorized",), is_heard=False),
    Case("answers 404", faulty.NOT_FOUND, ("not_found",)),
    Case("answers 500", faulty.BROKEN, ("camera_error",)),
    Case("sends garbage", faulty.SENDS_GARBAGE, ("invalid_data", "not_rtsp")),
    Case("has only audio", faulty.HAS_ONLY_AUDIO, ("no_video",), is_heard=False),
)
#: These answer probes like good cameras do; only an attempt shows their fault.
SILENT_CASES = (
    Case("answers and sends nothing", faulty.SENDS_NOTHING, ("no_video", "stalled", "timed_out")),
    Case("sends only audio", faulty.SENDS_ONLY_AUDIO, ("no_video", "stalled")),
    Case("sends noise as video", faulty.GARBAGE_PAYLOAD, ("no_video", "stalled", "invalid_data")),
)


@pytest.fixture(scope="module")
def misbehaving(shared_stack) -> Iterator[dict[str, tuple[FaultyCamera, str]]]:
    """One device for each case, all at the same time: the camera and the device's id by the case's name."""
    cameras = {case.name: FaultyCamera(case.behaviour) for case in CASES}
    found = {}
    for name, camera in cameras.items():
        camera.start()
        found[name] = (camera, shared_stack.add_device(name, camera.url)["id"])
    yield found
    for camera, device_id in found.values():
        shared_stack.delete_device(device_id)
        camera.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_state_gives_the_reason_for_a_cameras_fault(stack, misbehaving, case):
    device_id = misbehaving[case.name][1]
    assert wait_for_reason(stack, device_id, case)["remedy"]


@pytest.mark.parametrize("case", [case for case in CASES if case.is_heard], ids=lambda case: case.name)
def test_a_recovered_camera_is_live_within_seconds_after_any_outage(stack, misbehaving, report, case):
    camera, device_id = misbehaving[case.name]
    assert stack.stream(device_id)["observed"] == "reconnecting"
    camera.behave(faulty.PLAYS)
    camera.cut()
    seconds = time_until_running(stack, device_id)
    report.add(f"camera {case.name}, then is well", seconds, budget_seconds=BUDGET_SECONDS)
    # A recovered camera need not be watched while the others are tested.
    stack.api.post(f"/rtsp/streams/{device_id}/stop")
    assert seconds <= BUDGET_SECONDS + MARGIN_SECONDS + case.hanging_seconds


@pytest.mark.parametrize("case", SILENT_CASES, ids=lambda case: case.name)
def test_a_camera_that_connects_without_video_is_reported_and_recovers(stack, add_device, report, case):
    with FaultyCamera(case.behaviour) as camera:
        device_id = add_device(camera.url)
        wait_for_reason(stack, device_id, case)
        camera.behave(faulty.PLAYS)
        camera.cut()
        seconds = time_until_running(stack, device_id)
        report.add(f"camera {case.name}, then is well", seconds)
        assert seconds <= BUDGET_SECONDS + MARGIN_SECONDS
        assert camera.most_at_once == 1, "there is one connection to a camera"


def test_a_corrected_password_is_tried_at_once(stack, cameras, add_device, report):
    url = cameras.add("/locked", width=320, height=192, fps=10, user="viewer", password="right")
    device_id = add_device(url.replace("right", "wrong"))
    stack.wait_for_state(device_id, "reconnecting", 30, reason="unauthorized")
    # Some cameras lock a user after five refusals: three are the end of it.
    stack.wait_for_state(device_id, "reconnecting", 30, reason="login_paused")
    assert cameras.describe()["/locked"]["connections"] <= 3
    device = stack.api.get(f"/devices/{device_id}")
    assert "wrong" not in device["source_url"]
    writable = ("name", "sub_source_url", "transport", "description", "location", "tags", "start_mode",
                "idle_seconds", "enabled")  # fmt: skip
    stack.api.put(f"/devices/{device_id}", {name: device[name] for name in writable} | {"source_url": url})
    seconds = time_until_running(stack, device_id)
    report.add("wrong password, then the right one", seconds)
    assert seconds <= BUDGET_SECONDS + MARGIN_SECONDS
    cameras.remove("/locked")
    assert "right" not in stack.log("stream") + stack.log("web")


@pytest.mark.parametrize(
    ("name", "behaviour"),
    [
        ("ONVIF metadata track", faulty.HAS_METADATA_TRACK),
        ("parameter sets only in the SDP", faulty.PARAMETER_SETS_IN_SDP),
        ("parameter sets only in band", faulty.PARAMETER_SETS_IN_BAND),
        ("slow to describe itself", faulty.SLOW_SDP),
    ],
)
def test_an_unusual_camera_is_shown_live(stack, add_device, watch, name, behaviour):
    with FaultyCamera(behaviour) as camera:
        device_id = add_device(camera.url)
        stream = stack.wait_for_state(device_id, "running", 30)
        assert not stream["is_reencoded"], name
        viewer = watch(device_id)
        viewer.wait_live()
        assert viewer.frames_in(1) >= 8
        viewer.close()


def wait_for_reason(stack, device_id: str, case: Case) -> dict:
    """Wait until one of the reasons is reported, and return it.

    The first one may differ: if the machine was too busy to inspect the camera in time, that is reported.
    """

    def find() -> dict | None:
        stream = stack.stream(device_id)
        is_reported = stream["observed"] == "reconnecting" and stream["reason"]["code"] in case.reasons
        return stream["reason"] if is_reported else None

    return stack.wait_until(find, 40, f"a camera that {case.name} is reported as {case.reasons}")


def time_until_running(stack, device_id: str) -> float:
    """Seconds from now until the device runs."""
    started = time.monotonic()
    stack.wait_for_state(device_id, "running", 60)
    return time.monotonic() - started
