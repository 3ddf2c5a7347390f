"""Latency of live and historical snapshots and of a grid of posters, and their cost."""

import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

import requests

from tests.cameras import LoadCameras
from tests.stack import Stack

from .footage import LOOP_SECONDS, record_footage
from .options import Options
from .processes import group_stack, measure_usage
from .product import open_product
from .report import Result, Table
from .statistics import percentile, spread

GOPS = (1.0, 2.0, 4.0)
CAMERAS = 6
GRIDS = (30, 100)
#: Number of concurrent requests of a browser to one server.
CONCURRENT_REQUESTS = 6
POSTER_WIDTH = 320
#: A low bitrate, so that with a hundred cameras the machine is busy with posters instead of media.
GRID_KBPS = 1000
BURST = 200


@dataclass(frozen=True)
class Answer:
    """One request: times of request and response (seconds, monotonic), and its status."""

    began: float
    ended: float
    status: int

    @property
    def ms(self) -> float:
        return (self.ended - self.began) * 1000


def run(options: Options) -> Result:
    """Measure cameras with each key-frame interval, recorded footage, a burst of captures, and grids of posters."""
    gops, count, grids = ((2.0,), 6, (6,)) if options.quick else (GOPS, 40, GRIDS)
    with open_product(recording_mode="off", web_threads=16) as stack:
        live = {f"{gop:g}": _measure_live(stack, options, gop, count) for gop in gops}
        options.say("recorded footage")
        historical = _measure_historical(stack, 6 if options.quick else 60, count)
        options.say(f"{BURST} concurrent captures")
        bursts = _measure_bursts(stack)
    posters = {str(cameras): _measure_grid(options, cameras) for cameras in grids}
    return _report(live, historical, bursts, posters)


# ---- snapshots -------------------------------------------------------------------------------------------------


def _measure_live(stack: Stack, options: Options, gop: float, count: int) -> dict[str, list[Answer]]:
    """Measure captures of several cameras in turn, so that each finds a new key frame."""
    with LoadCameras(CAMERAS, gop) as cameras:
        devices = _add_devices(stack, cameras.urls)
        time.sleep(gop + 2)
        found = {}
        for accuracy in ("key_frame", "exact"):
            options.say(f"live, key frame every {gop:g} s, {accuracy}")
            found[accuracy] = _capture(
                stack,
                ((device, {"accuracy": accuracy}) for device in _rotate(devices, count)),
                "live",
                pause=lambda: time.sleep(gop / CAMERAS * (1 + random.random())),
            )
        found["FFmpeg"] = [_grab(cameras.urls[number % CAMERAS]) for number in range(max(2, count // 5))]
        _remove_devices(stack, devices)
    return found


def _measure_historical(stack: Stack, loops: int, count: int) -> dict[str, list[Answer]]:
    """Measure random moments of a recording of a stopped device."""
    device = stack.add_device("recorded", "rtsp://192.0.2.1/recorded", start_mode="manual")["id"]
    start_ms = round(time.time() * 1000) - 3_600_000
    record_footage(stack, device, [start_ms], loops)
    dice, length_ms = random.Random(7), loops * LOOP_SECONDS * 1000

    def bodies(accuracy: str) -> Iterable[tuple[str, dict[str, Any]]]:
        for _ in range(count):
            yield device, {"accuracy": accuracy, "at": _format_time(start_ms + dice.randrange(length_ms - 1000))}

    found = {accuracy: _capture(stack, bodies(accuracy), "historical") for accuracy in ("key_frame", "exact")}
    stack.delete_device(device)
    return found


def _measure_bursts(stack: Stack) -> dict[str, list[Answer]]:
    """Measure concurrent captures of one and of several cameras; those that take over five seconds become jobs."""
    found = {}
    with LoadCameras(CAMERAS) as cameras:
        devices = _add_devices(stack, cameras.urls)
        time.sleep(4)
        for name, chosen in (("one camera", devices[:1]), (f"{CAMERAS} cameras", devices)):
            pause = threading.Barrier(BURST).wait
            wanted = [(device, {"wait_seconds": 5}) for device in _rotate(chosen, BURST)]
            with ThreadPoolExecutor(BURST) as pool:
                captures = [pool.submit(_capture, stack, [one], "live", pause=pause) for one in wanted]
                found[name] = [capture.result()[0] for capture in captures]
        _remove_devices(stack, devices)
    return found


def _capture(
    stack: Stack, wanted: Iterable[tuple[str, dict[str, Any]]], kind: str, *, pause: Callable[[], object] = lambda: None
) -> list[Answer]:
    """Request one snapshot after the other over one connection."""
    answers = []
    with requests.Session() as session:
        for device, body in wanted:
            pause()
            url = f"{stack.url}/api/v1/snapshots/devices/{device}/capture/{kind}"
            began = time.monotonic()
            answer = session.post(url, json=body, timeout=60)
            answers.append(Answer(began, time.monotonic(), answer.status_code))
    return answers


def _grab(url: str) -> Answer:
    """The alternative without VAS: FFmpeg connects to the camera and waits for a key frame."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i", url]
    command += ["-frames:v", "1", "-f", "mjpeg", "-"]
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=60)
    return Answer(began, time.monotonic(), 201 if done.returncode == 0 else 500)


# ---- posters ---------------------------------------------------------------------------------------------------


def _measure_grid(options: Options, count: int) -> dict[str, Any]:
    """Measure a page of `count` cameras: opened first, opened again immediately, and kept open."""
    seconds = 10 if options.quick else 30
    with (
        open_product(recording_mode="off", stream_slots=count, web_threads=16) as stack,
        LoadCameras(count, bitrate_kbps=GRID_KBPS) as cameras,
    ):
        options.say(f"{count} cameras start")
        devices = _add_devices(stack, cameras.urls)
        time.sleep(4)
        options.say(f"posters of {count} cameras")
        cold, warm = _fetch_grid(stack, devices), _fetch_grid(stack, devices)
        idle = measure_usage(lambda: group_stack(stack), seconds, apart=[cameras.pid])
        closed = threading.Event()
        page = threading.Thread(target=_keep_open, args=(stack, devices, closed))
        page.start()
        shown = measure_usage(lambda: group_stack(stack), seconds, apart=[cameras.pid])
        closed.set()
        page.join()
    return {"cold": cold, "warm": warm, "idle": idle.cpu, "shown": shown.cpu}


def _fetch_grid(stack: Stack, devices: list[str]) -> list[Answer]:
    local = threading.local()

    def fetch(device: str) -> Answer:
        session = local.__dict__.setdefault("session", requests.Session())
        began = time.monotonic()
        answer = session.get(f"{stack.url}/api/v1/devices/{device}/poster.jpg?width={POSTER_WIDTH}", timeout=30)
        return Answer(began, time.monotonic(), answer.status_code)

    with ThreadPoolExecutor(CONCURRENT_REQUESTS) as pool:
        return list(pool.map(fetch, devices))


def _keep_open(stack: Stack, devices: list[str], closed: threading.Event) -> None:
    """Like the page, fetch all posters again every ten seconds."""
    while not closed.is_set():
        began = time.monotonic()
        _fetch_grid(stack, devices)
        closed.wait(max(0.0, began + 10 - time.monotonic()))


# ---- shared ----------------------------------------------------------------------------------------------------


def _add_devices(stack: Stack, urls: list[str]) -> list[str]:
    devices = [stack.add_device(f"camera {number}", url)["id"] for number, url in enumerate(urls)]
    for device in devices:
        stack.wait_for_state(device, "running", 120)
    return devices


def _remove_devices(stack: Stack, devices: list[str]) -> None:
    for device in devices:
        stack.delete_device(device)


def _rotate(devices: list[str], count: int) -> Iterable[str]:
    return (devices[number % len(devices)] for number in range(count))


def _format_time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def _report(live: dict, historical: dict, bursts: dict, posters: dict) -> Result:
    names = {
        "key_frame": "newest key frame",
        "exact": "newest frame",
        "FFmpeg": "FFmpeg, with a new connection to the camera",
    }
    snapshots = [
        [f"live, key frame every {gop} s: {names[way]}", *_statistics(answers), "150" if way == "key_frame" else ""]
        for gop, found in live.items()
        for way, answers in found.items()
    ]
    names = {"key_frame": "key frame", "exact": "exact"}
    snapshots += [[f"recorded: {names[way]}", *_statistics(answers), ""] for way, answers in historical.items()]
    at_once = [
        [
            f"{len(answers)} of {name}",
            f"{max(a.ended for a in answers) - min(a.began for a in answers):.1f}",
            *_statistics(answers),
        ]
        for name, answers in bursts.items()
    ]
    grids = []
    for count, found in posters.items():
        more = sum(found["shown"].values()) - sum(found["idle"].values())
        for visit in ("cold", "warm"):
            answers = found[visit]
            whole = max(a.ended for a in answers) - min(a.began for a in answers)
            grids.append(
                [f"{count}, {visit}", f"{whole:.2f}", *_statistics(answers), f"{more:.1f}" if visit == "warm" else ""]
            )
    head = ["median", "95 %", "maximum", "responses"]
    return Result(
        "captures",
        "",
        {},
        tables=[
            Table("Snapshots over the API, 1080p25 4 Mbps, ms", ["", *head, "budget: median"], snapshots),
            Table(f"{BURST} concurrent captures, ms", ["", "all complete, s", *head], at_once),
            Table(
                f"Posters {POSTER_WIDTH} pixels wide, {CONCURRENT_REQUESTS} concurrent requests, ms",
                ["cameras in the grid", "all loaded, s", *head, "page kept open: CPU, % of one core"],
                grids,
            ),
        ],
        notes=[
            f"Consecutive captures are of different cameras out of {CAMERAS}, so that each finds a new key frame; "
            "the snapshot is on disk and in the database before the response. 201 is a snapshot, 202 a job that "
            "creates it.",
            "FFmpeg opens a second connection to the camera and stores nothing.",
            "Cold: posters that have not been requested before. Kept open: all are requested every ten seconds; the "
            f"CPU is the additional use of all processes of VAS. These cameras send 1080p25 at {GRID_KBPS} kbps.",
        ],
        raw=_raw(live, historical, bursts, posters),
    )


def _statistics(answers: list[Answer]) -> list[str]:
    times = [answer.ms for answer in answers]
    statuses = Counter(answer.status for answer in answers)
    counts = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    return [f"{median(times):.0f}", f"{percentile(times, 0.95):.0f}", f"{max(times):.0f}", counts]


def _raw(live: dict, historical: dict, bursts: dict, posters: dict) -> dict[str, Any]:
    def summarize(answers: list[Answer]) -> dict[str, Any]:
        times = [round(answer.ms, 1) for answer in answers]
        return spread(times) | {"statuses": dict(Counter(answer.status for answer in answers)), "ms": times}

    return {
        "live": {gop: {way: summarize(answers) for way, answers in found.items()} for gop, found in live.items()},
        "historical": {way: summarize(answers) for way, answers in historical.items()},
        "at_once": {name: summarize(answers) for name, answers in bursts.items()},
        "posters": {
            count: found | {"cold": summarize(found["cold"]), "warm": summarize(found["warm"])}
            for count, found in posters.items()
        },
    }
