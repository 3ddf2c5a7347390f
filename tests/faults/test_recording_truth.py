"""What the API says of a recording is true within two seconds, on a running stack; a crash loop is named."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.cameras import CounterCamera
from tests.faults.recorded import Recorded, start_recording
from tests.stack import Stack

#: A change of the stream shows at once; a request takes a moment on a busy machine.
SOON_SECONDS = 2.0


@pytest.fixture
def recorded(stack: Stack) -> Iterator[Recorded]:
    with CounterCamera() as camera:
        recorded = start_recording(stack, camera, "Truth")
        recorded.wait_observed("recording", None, 10)
        yield recorded
        stack.delete_device(recorded.device_id)


def views(recorded: Recorded) -> list[dict]:
    """The state of the recording in every view that shows it."""
    api, device_id = recorded.stack.api, recorded.device_id
    return [
        api.get(f"/recordings/devices/{device_id}"),
        api.get(f"/devices/{device_id}")["recording"],
        api.get(f"/streams/{device_id}")["recording"],
    ]


def seconds_until(condition: Callable[[], bool], limit: float) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit, "not in time"
        time.sleep(0.05)
    return time.monotonic() - began


def is_recording(recorded: Recorded) -> bool:
    return any(view["observed"] == "recording" for view in views(recorded))


def test_no_view_is_green_two_seconds_after_a_stop_or_a_lost_camera(recorded, note):
    stack, device_id = recorded.stack, recorded.device_id
    stack.api.post(f"/rtsp/streams/{device_id}/stop")
    took = seconds_until(lambda: not is_recording(recorded), SOON_SECONDS)
    note(f"not recording {took:.2f} s after Stop")
    stack.api.post(f"/rtsp/streams/{device_id}/start")
    stack.wait_for_state(device_id, "running")
    took = seconds_until(lambda: is_recording(recorded), 8)
    note(f"recording {took:.2f} s after the stream runs")
    recorded.camera.set_away(True)
    stack.wait_for_state(device_id, "reconnecting", 15)
    took = seconds_until(lambda: not is_recording(recorded), SOON_SECONDS)
    note(f"not recording {took:.2f} s after the stream was lost")
    recorded.camera.set_away(False)
    recorded.wait_observed("recording", None, 25)


def test_a_new_camera_never_says_that_no_record_worker_runs(stack, note):
    with CounterCamera() as camera:
        device_id = stack.add_device("New", camera.url)["id"]
        stack.api.post(f"/recordings/devices/{device_id}/start")
        began, reasons = time.monotonic(), []
        while (view := stack.api.get(f"/streams/{device_id}")["recording"])["observed"] != "recording":
            reasons.append(view["reason"]["code"])
            assert time.monotonic() - began < 25, reasons
            time.sleep(0.05)
        stack.delete_device(device_id)
    note(f"recording {time.monotonic() - began:.1f} s after the camera was added: {', '.join(dict.fromkeys(reasons))}")
    assert set(reasons) <= {"stream_starting", "recorder_starting"}


@pytest.mark.parametrize("writes", [False, True], ids=["at once", "after it has written"])
def test_a_recorder_that_dies_again_and_again_is_named(recorded, note, writes):
    stack, device_id = recorded.stack, recorded.device_id
    redis = stack.redis.client()
    killed: dict[bytes, float] = {}
    seen: list[set[tuple[str, str | None]]] = []

    def has_died(deaths: int) -> bool:
        """Kill each recorder once, and look at what the views say."""
        token = redis.hget("vas:recorder:attached", device_id)
        # A recorder that has caught up with the bus has written footage of later than the last death.
        is_due = not writes or recorded.indexed_until() > max(killed.values(), default=0)
        if token is not None and token not in killed and is_due:
            os.kill(recorded.owner_pid(), signal.SIGKILL)
            killed[token] = time.time()
        seen.append({(view["observed"], (view["reason"] or {}).get("code")) for view in views(recorded)})
        return len(killed) >= deaths

    def is_named() -> bool:
        has_died(0)
        return seen[-1] == {("interrupted", "recorder_crashing")}

    took = seconds_until(is_named, 45)
    note(f"named {took:.1f} s after the first death, after {len(killed)} deaths")
    seen.clear()
    more = len(killed) + 2
    seconds_until(lambda: has_died(more), 30)
    health = stack.api.get("/health")
    assert health["components"]["recorder"]["status"] == "degraded"
    assert "crashes again and again" in health["components"]["recorder"]["reason"]
    assert all(states == {("interrupted", "recorder_crashing")} for states in seen), "it is named all the time"
    recorded.wait_observed("recording", None, 40)
