"""Losses in recordings, from VAS's own timeline of the time of a measurement."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.stack import Stack

#: The index lags a few seconds behind.
_BEHIND_SECONDS = 8.0


@dataclass(frozen=True)
class RecordingState:
    """Result of recording for `seconds`: missing seconds of all cameras together, and MB in files."""

    seconds: float
    lost_seconds: float
    recorded_mb: float

    @property
    def is_whole(self) -> bool:
        return self.lost_seconds == 0

    def __str__(self) -> str:
        return "none" if self.is_whole else f"{self.lost_seconds:.1f} s"


def read_recorded_mb(stack: Stack) -> float:
    """Return the current size of all footage files in MB."""
    folder = Path(stack.env["RECORDINGS_DIR"])
    return sum(path.stat().st_size for path in folder.rglob("*.mp4")) / 1e6


def check_recording(stack: Stack, devices: Sequence[str], since: float, recorded_mb: float) -> RecordingState:
    """Read the gaps since a time (seconds since 1970) from each device's timeline. `recorded_mb` is only passed on."""
    until = time.time()
    time.sleep(_BEHIND_SECONDS)
    lost = 0.0
    for device in devices:
        path = f"/recordings/devices/{device}/timeline?start={_format_time(since)}&end={_format_time(until)}"
        for gap in stack.api.get(path)["gaps"]:
            start, end = _parse(gap["start"]), _parse(gap["end"]) if gap["end"] else until
            lost += max(0.0, min(end, until) - max(start, since))
    return RecordingState(until - since, lost, recorded_mb)


def _format_time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def _parse(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
