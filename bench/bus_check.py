"""Whether the media bus lost anything: parts one after the other, all frames in them, none dropped before it."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

from gateway.media import Position
from gateway.streams.bus import MediaBus
from gateway.streams.live_stats import LiveFigures
from tests.stack import Stack

FPS = 25


@dataclass(frozen=True)
class BusState:
    """What was lost on the bus over a time. `gaps` are missing or foreign parts, `frames_missing` is of the last
    window.
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
    """The newest part of each device."""
    with closing(stack.redis.client()) as client:
        groups = {device: MediaBus(client).latest_group(device) for device in devices}
    return {device: group[1][-1].position for device, group in groups.items() if group}


def check_bus(stack: Stack, devices: Sequence[str], since: dict[str, Position]) -> BusState:
    """What happened since `since` was read: the run is the same, and the window that the bus holds is whole."""
    parts = gaps = missing = dropped = 0
    with closing(stack.redis.client()) as client:
        bus, live = MediaBus(client), LiveFigures(client).read_many(devices)
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
            # By the media's own time: a frame that is not there leaves a longer part behind.
            seconds = sum(part.duration for part in held)
            missing += max(0, round(seconds * FPS) - sum(part.frames for part in held))
            missing += max(0, round((held[-1].start - held[0].start) * FPS) - sum(p.frames for p in held[:-1]) - 1)
            dropped += live.get(device, {}).get("dropped_parts", 0)
    return BusState(parts, gaps, missing, dropped)
