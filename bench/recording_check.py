"""Whether recorders lost anything: what the product's own timeline says of the time of a measurement."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.stack import Stack

#: The index is a few seconds behind the present.
_BEHIND_SECONDS = 8.0


@dataclass(frozen=True)
class RecordingState:
    """What recorders made of some seconds: seconds that are missing, of all cameras together, and MB in files."""

    seconds: float
    lost_seconds: float
    recorded_mb: float

    @property
    def is_whole(self) -> bool:
        return self.lost_seconds == 0

    def __str__(self) -> str:
        return "none" if self.is_whole else f"{self.lost_seconds:.1f} s"


def read_recorded_mb(stack: Stack) -> float:
    """MB of all files of footage now."""
    folder = Path(stack.env["RECORDINGS_DIR"])
    return sum(path.stat().st_size for path in folder.rglob("*.mp4")) / 1e6


def check_recording(stack: Stack, devices: Sequence[str], since: float, recorded_mb: float) -> RecordingState:
    """Ask the timeline of each device for gaps since a moment (seconds since 1970). `recorded_mb` is only passed on."""
    until = time.time()
    time.sleep(_BEHIND_SECONDS)
    lost = 0.0
    for device in devices:
        path = f"/recordings/devices/{device}/timeline?start={_format(since)}&end={_format(until)}"
        for gap in stack.api.get(path)["gaps"]:
            start, end = _parse(gap["start"]), _parse(gap["end"]) if gap["end"] else until
            lost += max(0.0, min(end, until) - max(start, since))
    return RecordingState(until - since, lost, recorded_mb)


def _format(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def _parse(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
