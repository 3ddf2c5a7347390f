"""What a stranger's plugin costs that fails in any hook: seconds of live video and recording, of two cameras."""

import tempfile
from pathlib import Path

from tests.stranger.isolation import Lost, ask_health, ask_view, bookmark, connect_again, drop_out, open_trial

from .options import Options
from .report import Result, Table

FAULTS = ("block", "raise", "sys_exit", "os_exit", "c_exit", "segfault", "busy", "leak", "gil")
#: In the order of the table, with what provokes them and the seconds for which they are watched.
HOOKS = {
    "take": (None, 15),
    "tick": (None, 15),
    "attach": (None, 15),
    "close": (None, 15),
    "wanted": (None, 15),
    "direct.attach": (None, 15),
    "check": (None, 15),
    "figures": (None, 15),
    "packets": (None, 15),
    "resolve": (connect_again, 15),
    "on_stream_state": (drop_out, 15),
    "on_segment": (None, 65),
    "on_bookmark": (bookmark, 15),
    "health": (ask_health, 15),
    "view": (ask_view, 15),
}
#: Seconds for faults that end processes, to come three times, and for those whose effect is there at once.
_OF_FAULT = {"c_exit": 25, "segfault": 25, "raise": 8, "sys_exit": 8, "os_exit": 8, "leak": 8}
_QUICK = {("take", "block"), ("take", "segfault"), ("check", "os_exit"), ("on_stream_state", "segfault")}


def run(options: Options) -> Result:
    """Run every fault in every hook; with --quick a few."""
    rows, raw = [], {}
    with tempfile.TemporaryDirectory() as folder, open_trial(Path(folder)) as trial:
        for hook, (provoke, seconds) in HOOKS.items():
            for fault in FAULTS:
                if options.quick and (hook, fault) not in _QUICK:
                    continue
                options.say(f"{hook}: {fault}")
                # A file of footage ends once a minute.
                watched = seconds if hook == "on_segment" else _OF_FAULT.get(fault, seconds)
                own, other = trial.measure(hook, fault, watched, provoke)
                state = trial.plugin()
                rows.append([f"{hook}: {fault}", *_cells(own), *_cells(other), state["state"]])
                raw[f"{hook} {fault}"] = {"own": _figures(own), "other": _figures(other), "plugin": state}
    return Result(
        "isolation",
        "",
        {},
        tables=[
            Table(
                "Seconds lost while a plugin fails again and again",
                ["hook: fault", "live", "recording", "live, other camera", "recording, other camera", "plugin"],
                rows,
            )
        ],
        notes=[
            "block: 60 s; busy: a loop of 30 s; c_exit: `_exit` of the C library; leak: 200 MB a call; gil: 10 s "
            "without giving up Python's lock.",
            "Pauses of less than 2 s are not counted as lost live video.",
        ],
        raw=raw,
    )


def _cells(lost: Lost) -> list[str]:
    return [f"{lost.live:.1f}", f"{lost.recorded:.1f}"]


def _figures(lost: Lost) -> dict[str, float]:
    return {"live": lost.live, "recorded": lost.recorded}
