"""Time until pictures and parts return after a process is killed or the camera disappears."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from statistics import median

from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.cameras import CameraServer
from tests.stack import Stack

from .browser import View, open_browser, view_device
from .bus_watch import BusWatch
from .options import Options
from .product import open_product
from .report import Result, Table
from .statistics import find_longest_gap

CAMERA = {"codec": "h264", "width": 1280, "height": 720, "fps": 25, "bitrate_kbps": 2500, "key_frame_seconds": 1.0}
#: The stream counts as stable when for CALM_SECONDS no pause was longer than these, in seconds.
CALM_SECONDS = 4.0
CALM = {"pictures": 1.0, "parts": 2.5}
LIMIT_SECONDS = 90.0
AWAY_SECONDS = 10.0
BUDGET_KILLED, BUDGET_CAMERA = "15", "3"
#: Shorter pauses, in seconds, are no outages: the next picture or part was already on its way.
_NOTICEABLE = {"pictures": 0.25, "parts": 1.5}

Fault = Callable[[Stack, CameraServer, str], float]


def run(options: Options) -> Result:
    """Cause each fault several times, with a viewer and a reader of the bus that both stay connected."""
    rounds, minimum = (1, 8.0) if options.quick else (3, 13.0)
    faults = dict(list(FAULTS.items())[:3]) if options.quick else FAULTS
    raw: dict[str, list[dict[str, float]]] = {}
    failures: list[str] = []
    with CameraServer() as cameras, open_product() as stack, open_browser() as browser:
        device = stack.add_device("clock", cameras.add("/clock", **CAMERA))["id"]
        stack.wait_for_state(device, "running")
        with BusWatch(stack, device) as bus:
            for name, fault in faults.items():
                options.say(name)
                raw[name] = []
                try:
                    with view_device(browser, stack, device) as view:
                        for _ in range(rounds):
                            raw[name].append(_measure_fault(partial(fault, stack, cameras, device), view, bus, minimum))
                except (TimeoutError, PlaywrightTimeoutError) as error:
                    failures.append(f"{name}, round {len(raw[name]) + 1}: {str(error).splitlines()[0]}")
    return _report(raw, failures)


def _measure_fault(fault: Callable[[], float], view: View, bus: BusWatch, minimum: float) -> dict[str, float]:
    """Cause one fault and observe it for at minimum `minimum` seconds. Raises TimeoutError."""
    _await_calm(view, bus, time.time())
    begun = time.time()
    measured_from = fault()
    view.page.wait_for_timeout(minimum * 1000)
    _await_calm(view, bus, measured_from)
    return _sum_up(view, bus, begun, measured_from)


def _kill_ffmpeg(stack: Stack, _cameras: CameraServer, device: str) -> float:
    return _kill(stack.ffmpeg_pids(device)[0])


def _kill_mediasoup_worker(stack: Stack, *_: object) -> float:
    return _kill(next(worker["pid"] for worker in stack.sfu_status()["workers"] if worker["rooms"]))


def _kill_process(name: str) -> Fault:
    def kill(stack: Stack, *_: object) -> float:
        now = time.time()
        stack.kill(name)
        return now

    return kill


def _kill_redis(stack: Stack, *_: object) -> float:
    now = time.time()
    stack.redis.kill()
    time.sleep(1)
    stack.redis.start()
    return now


def _take_camera_away(_stack: Stack, cameras: CameraServer, _device: str) -> float:
    cameras.set_away("/clock", True)
    time.sleep(AWAY_SECONDS)
    cameras.set_away("/clock", False)
    return time.time()


def _restart_camera(_stack: Stack, cameras: CameraServer, _device: str) -> float:
    cameras.restart()
    return time.time()


def _kill(pid: int) -> float:
    now = time.time()
    os.kill(pid, signal.SIGKILL)
    return now


#: Each returns the time (seconds since 1970) from which the recovery is measured.
FAULTS: dict[str, Fault] = {
    "FFmpeg": _kill_ffmpeg,
    "SFU (Node.js)": _kill_process("sfu"),
    "camera away for 10 s": _take_camera_away,
    "camera restarts": _restart_camera,
    "mediasoup Worker": _kill_mediasoup_worker,
    "stream worker": _kill_process("stream"),
    "Redis, away for 1 s": _kill_redis,
    "clock": _kill_process("clock"),
    "web": _kill_process("web"),
}


def _await_calm(view: View, bus: BusWatch, since: float) -> None:
    """Wait until pictures and parts have arrived without a pause for CALM_SECONDS. Raises TimeoutError."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        now = time.time()
        recent = now - CALM_SECONDS
        pictures = [reading[0] / 1000 for reading in view.readings_since(recent)]
        parts = [part.seen for part in bus.parts_since(recent)]
        pauses = [find_longest_gap([recent, *times, now], recent)[0] for times in (pictures, parts)]
        if recent >= since and pauses[0] < CALM["pictures"] and pauses[1] < CALM["parts"]:
            return
        view.page.wait_for_timeout(200)
    raise TimeoutError(
        f"not recovered within {LIMIT_SECONDS:g} s: pauses of {pauses[0]:.1f} s (pictures) and {pauses[1]:.1f} s "
        "(parts)"
    )


def _sum_up(view: View, bus: BusWatch, begun: float, measured_from: float) -> dict[str, float]:
    # From shortly before the fault, because the pause begins with the last picture before it.
    pictures = [reading[0] / 1000 for reading in view.readings_since(begun - 3)]
    parts = [part.seen for part in bus.parts_since(begun - 3)]
    found = {"footage_hole": max(0.0, bus.longest_gap(begun - 3))}
    for name, times in (("pictures", pictures), ("parts", parts)):
        pause, end = find_longest_gap(times, begun)
        found[f"{name}_pause"] = pause
        found[f"{name}_back"] = max(0.0, end - measured_from) if pause > _NOTICEABLE[name] else 0.0
    return found


def _report(raw: dict[str, list[dict[str, float]]], failures: list[str]) -> Result:
    columns = ("pictures_back", "pictures_pause", "parts_back", "footage_hole")
    rows = []
    for name, found in raw.items():
        if not found:
            rows.append([name, f"not within {LIMIT_SECONDS:g}", *["-"] * (len(columns) - 1), ""])
            continue
        cells = [_both([item[column] for item in found]) for column in columns]
        rows.append([name, *cells, BUDGET_CAMERA if name.startswith("camera") else BUDGET_KILLED])
    return Result(
        "recovery",
        "",
        {},
        tables=[
            Table(
                "Seconds after kill -9, or after the return of the camera: median (maximum)",
                [
                    "",
                    "pictures again",
                    "longest pause of pictures",
                    "parts again",
                    "footage missing on the bus",
                    "budget",
                ],
                rows,
            )
        ],
        notes=[
            "A viewer's page stays open, without reload or any other action.",
            "'Again' is the end of the longest pause, measured from the kill or from the camera's return; 0 if no "
            "pause was longer than usual (0.25 s for pictures, 1.5 s for parts, which are about 0.5 s long).",
            *(f"Not measured: {failure}." for failure in failures),
        ],
        raw=raw,
    )


def _both(values: list[float]) -> str:
    return f"{median(values):.1f} ({max(values):.1f})"
