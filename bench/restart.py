"""Footage that a restart of `make run` costs each camera, and where its seconds go."""

import time
from statistics import median

from tests.stack.local_stack import LocalStack

from .options import Options
from .report import Result, Table

#: The demo camera that drops out on purpose is not measured.
UNSTEADY = "Lighthouse"
STEADY = 3
SETTLE_SECONDS = 10
BUDGET = "8"
#: The ends of the stages, by the first line after the request to stop that contains the text.
STAGES = (
    ("web, clock, snapshot and jobs end", "stream | ", "Worker shutdown notification"),
    ("streams and their FFmpeg end", "record | ", "Worker shutdown notification"),
    ("record, SFU and Redis end", "  stopped (", ""),
    ("start of the program, Redis, migrations", "database: ", ""),
    ("start of the SFU and the workers", "stream | ", "stream worker"),
    ("clock finds the cameras", "clock | ", "started device"),
    ("first camera connects and shows a key frame", "stream | ", "running after"),
)


def run(options: Options) -> Result:
    """Restart it several times, and read the footage that is missing from the index."""
    rounds = 1 if options.quick else 5
    lost: list[dict[str, float]] = []
    stages: list[list[float]] = []
    holes_each: list[int] = []
    with LocalStack() as stack:
        stack.start()
        stack.wait_recorded(STEADY, time.time() + 1)
        for number in range(rounds):
            time.sleep(SETTLE_SECONDS)
            options.say(f"restart {number + 1}")
            since, first_line = time.time(), len(stack.lines)
            stack.stop()
            stack.start()
            stack.wait_recorded(STEADY, time.time() + 0.5)
            time.sleep(SETTLE_SECONDS)
            holes = {name: found for name, found in stack.holes(since).items() if name != UNSTEADY}
            lost.append({name: sum(hole.seconds for hole in found) for name, found in holes.items()})
            holes_each.append(max(len(found) for found in holes.values()))
            stages.append(_read_stages(stack.lines[first_line:], since))
    return _report(lost, stages, holes_each)


def _read_stages(lines: list[tuple[float, str]], since: float) -> list[float]:
    """Seconds from the request to stop until the end of each stage; -1 for one that is not in the output."""
    ends, at = [], 0
    for _, source, text in STAGES:
        found = next((n for n in range(at, len(lines)) if source in lines[n][1] and text in lines[n][1]), None)
        ends.append(lines[found][0] - since if found is not None else -1.0)
        at = found if found is not None else at
    return ends


def _report(lost: list[dict[str, float]], stages: list[list[float]], holes_each: list[int]) -> Result:
    names = sorted(lost[0])
    rows = [
        [name, f"{median(r[name] for r in lost):.1f}", f"{max(r[name] for r in lost):.1f}", BUDGET] for name in names
    ]
    ends = [median(times[place] for times in stages) for place in range(len(STAGES))]
    steps = [
        [name, f"{end - (ends[place - 1] if place else 0):.1f}", f"{end:.1f}"]
        for place, ((name, _, _), end) in enumerate(zip(STAGES, ends, strict=True))
    ]
    return Result(
        "restart",
        "",
        {},
        tables=[
            Table(
                "Footage lost by a restart of `make run`, s",
                ["demo camera", "median", "most", "budget"],
                rows,
            ),
            Table("Where the seconds go: median", ["stage", "takes", "ends after"], steps),
        ],
        notes=[
            f"{len(lost)} restarts: Ctrl-C, then the program of `make run` again. The cameras are restarted with it.",
            f"The most holes that a camera had after a restart: {max(holes_each)}.",
            "The footage continues until the second stage, and begins with the last one.",
        ],
        raw={"lost": lost, "stages": stages},
    )
