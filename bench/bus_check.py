"""Losses on the media bus: missing parts, missing frames in the parts, and parts dropped before the bus."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

from gateway.media import Position
from gateway.streams.bus import MediaBus
from gateway.streams.live_stats import LiveStats
from tests.stack import Stack

FPS = 25


@dataclass(frozen=True)
class BusState:
    """Losses on the bus during a measurement.

    `gaps` counts missing parts and changes of the run, `frames_missing` covers the last window only.
    """

    parts: int
    gaps: int
    frames_missing: int
    parts_dropped: int

    @property
    def is_whole(self) -> bool:
        return not (self.gaps or self.frames_missing or self.parts_dropped)

    def __str__(self) -> str:
        if self.is_whole:
            return "none"
        return f"{self.gaps} gaps, {self.frames_missing} frames, {self.parts_dropped} dropped"


def read_positions(stack: Stack, devices: Sequence[str]) -> dict[str, Position]:
    """Return the position of the newest part of each device."""
    with closing(stack.redis.client()) as client:
        groups = {device: MediaBus(client).latest_group(device) for device in devices}
    return {device: group[1][-1].position for device, group in groups.items() if group}


def check_bus(stack: Stack, devices: Sequence[str], since: dict[str, Position]) -> BusState:
    """Check what happened since `since` was read: the run must be the same, and the bus's window complete."""
    parts = gaps = missing = dropped = 0
    with closing(stack.redis.client()) as client:
        bus, live = MediaBus(client), LiveStats(client).read_many(devices)
        for device in devices:
            held = bus.read(device, None, count=1000)
            start = since.get(device)
            if not held or start is None or held[-1].run != start.run:
                gaps += 1
                continue
            parts += held[-1].sequence - start.sequence
            held = [part for part in held if part.run == start.run]
            pairs = list(pairwise(held))
            gaps += sum(later.sequence != part.sequence + 1 for part, later in pairs)
            # By media time: a missing frame makes its part longer.
            seconds = sum(part.duration for part in held)
            missing += max(0, round(seconds * FPS) - sum(part.frames for part in held))
            missing += max(0, round((held[-1].start - held[0].start) * FPS) - sum(p.frames for p in held[:-1]) - 1)
            dropped += live.get(device, {}).get("dropped_parts", 0)
    return BusState(parts, gaps, missing, dropped)
