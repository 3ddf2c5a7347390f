"""A standard WHEP player that is not ours (aiortc) sees and hears a camera."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

import requests
from aiortc import RTCPeerConnection, RTCSessionDescription

from tests.cameras import read_clock
from tests.stack import Latency

SECONDS = 6


@dataclass
class Seen:
    """The media that a WHEP player received."""

    delays_ms: list[float] = field(default_factory=list)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    audio_frames: int = 0
    deleted_status: int = 0


def test_a_whep_player_sees_live_video_and_hears_sound(stack, add_camera, add_device, note):
    device_id = add_device(add_camera(codec="h264", audio="aac", key_frame_seconds=1))
    stack.wait_for_state(device_id, "running")
    grant = stack.api.post(f"/streams/{device_id}/viewers")

    seen = run_apart(play(grant["whep_url"], grant["token"], SECONDS))

    latency = Latency.of(seen.delays_ms)
    note(f"latency through WHEP in aiortc (its own jitter buffer counts): {latency}")
    assert seen.sizes == {(640, 360)}
    assert latency.frames > 50
    assert latency.median_ms < 1000
    assert seen.audio_frames > 100
    assert seen.deleted_status == 200
    stack.wait_until(lambda: stack.sfu_status()["viewers"] == 0, 5, "the SFU has closed the player's session")


def test_a_whep_player_without_a_valid_token_is_refused(stack, add_camera, add_device):
    device_id = add_device(add_camera())
    stack.wait_for_state(device_id, "running")
    grant = stack.api.post(f"/streams/{device_id}/viewers")
    other = add_device(add_camera("other"), start_mode="manual")

    def post(url: str, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        return requests.post(url, data="v=0\r\n", headers=headers, timeout=5).status_code

    assert post(grant["whep_url"], grant["token"][:-4] + "AAAA") == 401
    assert post(grant["whep_url"].replace(device_id, other), grant["token"]) == 401


def run_apart(coroutine):
    """Run a coroutine in a separate thread: Playwright has a loop in this one."""
    answer = {}

    def run() -> None:
        try:
            answer["result"] = asyncio.run(coroutine)
        except BaseException as error:
            answer["error"] = error

    thread = threading.Thread(target=run, name="whep player")
    thread.start()
    thread.join(60)
    if "error" in answer:
        raise answer["error"]
    return answer["result"]


async def play(url: str, token: str, seconds: float) -> Seen:
    """Connect by WHEP, watch for some seconds from the first picture on, and leave."""
    seen, connection = Seen(), RTCPeerConnection()
    first_picture, tasks = asyncio.Event(), []

    async def watch(track) -> None:
        while True:
            frame = await track.recv()
            now = time.time()
            # Only the first plane is needed: the brightness.
            plane = frame.planes[0]
            reading = (
                read_clock(bytes(plane), plane.line_size, plane.height) if plane.line_size == frame.width else None
            )
            reading = reading or read_clock(frame.to_ndarray(format="gray"))
            seen.sizes.add((frame.width, frame.height))
            if reading:
                seen.delays_ms.append(now * 1000 - reading.time_ms)
                first_picture.set()

    async def listen(track) -> None:
        while True:
            await track.recv()
            seen.audio_frames += 1

    connection.on(
        "track",
        lambda track: tasks.append(asyncio.ensure_future(watch(track) if track.kind == "video" else listen(track))),
    )
    connection.addTransceiver("video", direction="recvonly")
    connection.addTransceiver("audio", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    answer = await asyncio.to_thread(
        requests.post, url, data=connection.localDescription.sdp, headers=headers, timeout=10
    )
    assert answer.status_code == 201, answer.text
    await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
    try:
        async with asyncio.timeout(20):
            await first_picture.wait()
        await asyncio.sleep(seconds)
    finally:
        session = requests.compat.urljoin(url, answer.headers["Location"])
        gone = await asyncio.to_thread(requests.delete, session, headers=headers, timeout=10)
        seen.deleted_status = gone.status_code
        for task in tasks:
            task.cancel()
        await connection.close()
    return seen
