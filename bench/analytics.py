"""Analysis of pictures on real footage: people counted by hand against ours, cost of a camera, twenty cameras at once.

The film is vtest.avi of Debian's package opencv-doc: a CCTV view of 80 s with walkers and parked cars.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

import av

from gateway.detectors import Frame
from plugins.ai_analytics.detectors.objects import ObjectDetector
from tests.stack import Stack, procfs

from .film_server import FILM_SECONDS
from .options import Options
from .processes import measure_usage
from .product import open_product
from .recording_check import RecordingState, check_recording, read_recorded_mb
from .report import Result, Table

FILM = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
#: Frames of the film, and the people in them that two looks at each picture have found, those at its edge included.
BY_HAND = {
    20: 5, 60: 6, 100: 7, 140: 9, 180: 7, 220: 7, 260: 7, 300: 6, 340: 6, 380: 4,
    420: 3, 460: 4, 500: 4, 540: 6, 580: 6, 620: 6, 660: 6, 700: 8, 740: 9, 780: 8,
}  # fmt: skip
SCORE = 0.4
FILM_FPS = 10
COST_CAMERAS = 4
MANY = 20
BUDGET = "idle 0.7 %, busy 9 % of a core"


@dataclass(frozen=True)
class Cost:
    """CPU of the whole product in percent of a core, without and with analysis, by the number of cameras."""

    cameras: int
    before: float
    after: float
    detectors: float
    given_fps: float

    @property
    def each(self) -> float:
        return (self.after - self.before) / self.cameras


@dataclass(frozen=True)
class Many:
    """Many cameras at once, all with walkers."""

    recording: RecordingState
    given_fps: list[float]
    problems: list[str]
    cpu: float
    detector_pictures: float
    health: str


def run(options: Options) -> Result:
    """Count, then measure. Needs the film: VAS_FILM names another file."""
    film = find_film()
    seconds = 8.0 if options.quick else 60.0
    options.say("counting")
    counts = count_people(film)
    with serve_film(film) as url:
        costs = {}
        for name, kind, has_sub in (
            ("nothing moves, sub-stream", "still", True),
            ("nothing moves, key frames", "still", False),
            ("walkers, sub-stream", "film", True),
        ):
            options.say(name)
            cameras = COST_CAMERAS if kind == "still" else 1
            costs[name] = measure_cost(url, kind, cameras, seconds, has_sub=has_sub)
        options.say("events against the film")
        events = follow_film(url, 2 if options.quick else FILM_SECONDS)
        options.say(f"{MANY} cameras at once")
        many = measure_many(url, 3 if options.quick else MANY, seconds)
    return report(counts, costs, events, many)


def find_film() -> Path:
    """The film. Raises RuntimeError without it."""
    path = Path(os.environ.get("VAS_FILM") or FILM)
    if not path.is_file():
        raise RuntimeError(f"the film is missing: `apt-get install opencv-doc` brings {FILM}, or set VAS_FILM")
    return path


def count_people(film: Path) -> dict[int, int]:
    """The people that the detector finds in the frames counted by hand."""
    session = ObjectDetector().open({})
    found = {}
    with av.open(str(film)) as container:
        for number, picture in enumerate(islice(container.decode(video=0), max(BY_HAND) + 1)):
            if number in BY_HAND:
                rgb = picture.reformat(300, 300, "rgb24").to_ndarray().tobytes()
                seen = session.detect(Frame("film", 0, 300, 300, rgb))
                found[number] = sum(one.label == "person" and one.score >= SCORE for one in seen)
    return found


@contextmanager
def serve_film(film: Path) -> Iterator[str]:
    """Cameras that show the film."""
    command = [sys.executable, "-m", "bench.film_server", "--film", str(film)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.stdin.close()
        process.wait(10)


@contextmanager
def watch(url: str, kind: str, count: int, *, has_sub: bool = True) -> Iterator[tuple[Stack, list[str]]]:
    """A product with cameras that are recorded and not analysed yet."""
    with open_product(stream_slots=64, record_slots=128, recording_mode="continuous") as stack:
        devices = []
        for number in range(1, count + 1):
            address = f"{url}/{kind}/{number}"
            sub = {"sub_source_url": f"{address}/sub"} if has_sub else {}
            devices.append(stack.add_device(f"{kind} {number}", address, **sub)["id"])
        for device in devices:
            stack.wait_for_state(device, "running", 60)
        yield stack, devices


def analyse(stack: Stack, devices: list[str]) -> None:
    """Switch the analysis on, and wait until it runs."""
    for device in devices:
        stack.api.put(f"/devices/{device}/plugins/ai_analytics", {"values": {"is_on": True}})
    for device in devices:
        stack.wait_until(lambda one=device: analysis(stack, one)["given_fps"], 60, "pictures are analysed")


def analysis(stack: Stack, device: str) -> dict:
    """The state of the analysis of a device."""
    return stack.api.get(f"/devices/{device}/analysis")


def measure_cost(url: str, kind: str, count: int, seconds: float, *, has_sub: bool) -> Cost:
    """The difference that the analysis makes to the CPU of all processes of the product."""
    with watch(url, kind, count, has_sub=has_sub) as (stack, devices):
        time.sleep(20)
        before = measure_usage(lambda: {"all": find_pids(stack)}, seconds).cpu_total
        analyse(stack, devices)
        time.sleep(15)
        after = measure_usage(lambda: group(stack), seconds)
        fps = sum(analysis(stack, device)["given_fps"] or 0 for device in devices) / count
        return Cost(count, before, after.cpu_total, after.cpu["detectors"], fps)


def follow_film(url: str, seconds: float) -> list[tuple[float, float]]:
    """The times in the film at which events of people began and ended, over one showing."""
    with watch(url, "film", 1) as (stack, (device,)):
        analyse(stack, [device])
        time.sleep(FILM_SECONDS - time.time() % FILM_SECONDS)
        began = time.time()
        time.sleep(seconds + 8)
        found = stack.api.get(f"/detections?page_size=200&kind=object&label=person&device_id={device}")
        events = []
        for event in found:
            start = datetime.fromisoformat(event["start"]).timestamp() - began
            end = datetime.fromisoformat(event["end"]).timestamp() - began if event["end"] else seconds
            if start < seconds and end > 0:
                events.append((start, end))
        return sorted(events)


def measure_many(url: str, count: int, seconds: float) -> Many:
    """Recording and analysis of many cameras at once."""
    with watch(url, "film", count) as (stack, devices):
        time.sleep(10)
        since, before = time.time(), read_recorded_mb(stack)
        analyse(stack, devices)
        usage = measure_usage(lambda: group(stack), 2 * seconds)
        states = [analysis(stack, device) for device in devices]
        components = stack.api.get("/health")["components"]
        health = (
            components["analytics"]
            if isinstance(components, dict)
            else next(one for one in components if one["name"] == "analytics")
        )
        detectors = (health.get("detail") or {}).get("detectors") or []
        recording = check_recording(stack, devices, since, read_recorded_mb(stack) - before)
        return Many(
            recording,
            [state["given_fps"] or 0.0 for state in states],
            sorted({problem for state in states for problem in state["problems"]}),
            usage.cpu_total,
            sum(one["pictures_per_second"] for one in detectors),
            f"{health['status']}: {health.get('reason')}",
        )


def find_pids(stack: Stack) -> list[int]:
    """All processes of the product, the servers that it needs included."""
    return procfs.find_by_environment("VAS_STACK", stack.folder.name)


def group(stack: Stack) -> dict[str, list[int]]:
    """The processes of detectors, and all others."""
    pids = find_pids(stack)
    detectors = [pid for pid in pids if "plugins.ai_analytics.detectors.child" in procfs.command(pid)]
    return {"all": [pid for pid in pids if pid not in detectors], "detectors": detectors}


def report(counts: dict[int, int], costs: dict[str, Cost], events: list[tuple[float, float]], many: Many) -> Result:
    """The tables."""
    shown = {frame: sum(s <= frame / FILM_FPS <= e for s, e in events) for frame in BY_HAND if frame < 780}
    hand = sum(BY_HAND.values())
    rows = [
        [str(frame), str(number), str(counts[frame]), str(shown.get(frame, "-"))] for frame, number in BY_HAND.items()
    ]
    rows.append(["all", str(hand), str(sum(counts.values())), str(sum(shown.values()))])
    given = many.given_fps
    return Result(
        "analytics",
        "",
        {},
        tables=[
            Table("People in frames of the film", ["frame", "by hand", "detector, 0.4", "events that go on"], rows),
            Table(
                f"CPU, % of a core, of all processes of the product; budget for a camera: {BUDGET}",
                ["", "cameras", "without", "with analysis", "of it detectors", "pictures/s", "a camera"],
                [
                    [
                        name,
                        str(cost.cameras),
                        f"{cost.before:.1f}",
                        f"{cost.after:.1f}",
                        f"{cost.detectors:.1f}",
                        f"{cost.given_fps:.1f}",
                        f"{cost.each:.2f}",
                    ]
                    for name, cost in costs.items()
                ],
            ),
            Table(
                f"{len(given)} cameras with walkers, recorded and analysed at once",
                ["", "value"],
                [
                    ["lost of recordings", str(many.recording)],
                    ["seconds watched", f"{many.recording.seconds:.0f}"],
                    ["pictures/s of a camera, least to most", f"{min(given):.1f} to {max(given):.1f}"],
                    ["pictures/s of the detector, all cameras", f"{many.detector_pictures:.1f}"],
                    ["CPU, % of a core", f"{many.cpu:.0f}"],
                    ["health", many.health],
                ],
            ),
        ],
        notes=[f"{len(events)} events of people in one showing of the film.", *many.problems],
        raw={
            "by_hand": BY_HAND,
            "counts": counts,
            "events": events,
            "costs": {name: [cost.cameras, cost.before, cost.after, cost.given_fps] for name, cost in costs.items()},
            "given_fps": given,
            "lost_seconds": many.recording.lost_seconds,
        },
    )
