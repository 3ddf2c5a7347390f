"""What a fault of the stranger's plugin costs: seconds of live video and of recording, of its camera and of another."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests

from bench.bus_watch import BusWatch
from gateway.isolation.deaths import Deaths
from gateway.isolation.guard import FOLDER
from gateway.testing.api import ApiProblem
from tests.cameras import CameraServer
from tests.stack import Stack
from tests.stack.stack import ROOT
from tests.stack.store import CLOSED, OPEN, Store
from tests.stranger.package import Stranger

#: Pauses that a busy machine causes by itself, in seconds: between arrivals of parts, and behind the newest footage.
_USUAL_PAUSE, _USUAL_LAG = 2.0, 5.0
_HOLE_SECONDS = 0.3
_CAMERA = {"width": 640, "height": 360, "fps": 15, "bitrate_kbps": 600, "key_frame_seconds": 1}


@dataclass(frozen=True)
class Lost:
    """Seconds that one camera lost."""

    live: float
    recorded: float


@dataclass
class Watch:
    """A camera that is watched on the bus and in the index of its recording."""

    stack: Stack
    device_id: str
    bus: BusWatch

    def lost_since(self, begun: float) -> Lost:
        """What it lost from `begun` until now."""
        now = time.time()
        parts = self.bus.parts_since(begun - 3)
        seen = [*(part.seen for part in parts), now]
        pause = max((later - earlier for earlier, later in pairwise(seen)), default=now - begun)
        holes = sum(hole for a, b in pairwise(parts) if (hole := b.start - a.end) > _HOLE_SECONDS)
        live = max(holes, pause if pause > _USUAL_PAUSE else 0.0)
        return Lost(round(live, 1), round(self._recorded_since(begun, now), 1))

    def _recorded_since(self, begun: float, now: float) -> float:
        rows = [row for row in Store.of(self.stack, self.device_id).segments() if row.state in (OPEN, CLOSED)]
        rows = [row for row in rows if row.end_ms / 1000 > begun - 3]
        if not rows:
            return now - begun
        holes = [(b.start_ms - a.end_ms) / 1000 for a, b in pairwise(rows)]
        behind = now - rows[-1].end_ms / 1000
        return sum(hole for hole in holes if hole > _HOLE_SECONDS) + (behind if behind > _USUAL_LAG else 0.0)

    def is_recorded(self) -> bool:
        """Whether its newest footage is of now."""
        with contextlib.suppress(IndexError):
            rows = Store.of(self.stack, self.device_id).segments()
            return bool(rows) and time.time() - rows[-1].end_ms / 1000 < 3
        return False


class Trial:
    """A running product with the stranger's plugin and four cameras: its own, another, one that drops out, and one that
    a source of the plugin reads."""

    def __init__(self, stack: Stack, stranger: Stranger, own: Watch, other: Watch, *, flaky: str, sourced: str) -> None:
        self.stack, self.stranger, self.own, self.other = stack, stranger, own, other
        self.flaky, self.sourced = flaky, sourced

    def measure(
        self,
        hook: str,
        fault: str,
        seconds: float,
        provoke: Callable[["Trial"], None] | None = None,
        *,
        until: str | None = None,
    ) -> tuple[Lost, Lost]:
        """Order a fault, provoke it every two seconds, and return what both cameras lost until `seconds` are over and
        the plugin is in the state `until`. Fails if that takes longer than a further minute."""
        Deaths(Path(self.stack.env["VAR_DIR"]) / FOLDER).forget("stranger")
        self.await_calm()
        begun = time.time()
        self.stranger.order(hook, fault, self.own.device_id if hook in PER_DEVICE else None)
        while time.time() < begun + seconds or (until and self.plugin()["state"] != until):
            assert time.time() < begun + 60 + seconds, f"the plugin is not {until}"
            if provoke is not None:
                with contextlib.suppress(requests.RequestException, ApiProblem):
                    provoke(self)
            time.sleep(2)
        lost = self.own.lost_since(begun), self.other.lost_since(begun)
        self.stranger.calm()
        return lost

    def await_calm(self) -> None:
        """Wait until both cameras are live and recorded."""

        def is_calm() -> bool:
            now = time.time()
            cameras = (self.own, self.other)
            return all(len(one.bus.parts_since(now - 3)) >= 4 and one.is_recorded() for one in cameras)

        self.stack.wait_until(is_calm, 120, "both cameras are live and recorded")

    def plugin(self) -> dict[str, Any]:
        """The plugin as the API shows it."""
        return next(one for one in self.stack.api.get("/plugins") if one["name"] == "stranger")

    def outputs(self) -> dict[str, dict[str, Any]]:
        """The outputs of the plugin's camera by name."""
        return {one["name"]: one for one in self.stack.stream(self.own.device_id)["outputs"]}


#: Hooks that fail for the plugin's own camera only.
PER_DEVICE = {"take", "tick", "attach", "close", "direct.attach", "check", "figures", "packets", "on_segment"}


def drop_out(trial: Trial) -> None:
    """Change the state of the camera that drops out."""
    _restart(trial, trial.flaky)


def connect_again(trial: Trial) -> None:
    """Connect to the camera that the plugin's source reads."""
    _restart(trial, trial.sourced)


def _restart(trial: Trial, device_id: str) -> None:
    trial.stack.api.post(f"/rtsp/streams/{device_id}/stop")
    time.sleep(0.5)
    trial.stack.api.post(f"/rtsp/streams/{device_id}/start")


def bookmark(trial: Trial) -> None:
    """Create a bookmark."""
    trial.stack.api.post("/bookmarks", {"device_id": trial.other.device_id, "title": "x"})


def ask_health(trial: Trial) -> None:
    """Read the health."""
    trial.stack.api.get("/health")


def ask_view(trial: Trial) -> None:
    """Call the plugin's view."""
    trial.stack.api.get("/stranger")


@contextmanager
def open_trial(folder: Path, **settings: Any) -> Iterator[Trial]:
    """Start a product with the plugin and its cameras."""
    stranger = Stranger(folder)
    values = {"recording_mode": "continuous", **stranger.settings(ROOT), **settings}
    with CameraServer() as cameras, Stack(**values) as stack, ExitStack() as watches:
        found = []
        for name in ("own", "other"):
            device_id = stack.add_device(name, cameras.add(f"/{name}", **_CAMERA))["id"]
            found.append(Watch(stack, device_id, watches.enter_context(BusWatch(stack, device_id))))
        flaky = stack.add_device("flaky", cameras.add("/flaky", **_CAMERA))["id"]
        url = cameras.add("/sourced", **_CAMERA).replace("rtsp://", "strange://", 1)
        sourced = stack.add_device("sourced", url)["id"]
        trial = Trial(stack, stranger, *found, flaky=flaky, sourced=sourced)
        trial.await_calm()
        yield trial
