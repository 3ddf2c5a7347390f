"""Follows one device on the media bus in a thread: when each part arrived, and its time range."""

import threading
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

from gateway.errors import BusUnavailable
from gateway.media import Position
from gateway.streams.bus import MediaBus
from tests.stack import Stack

_RETRY_SECONDS = 0.05


@dataclass(frozen=True)
class SeenPart:
    """Times in seconds since 1970: of the arrival, and of start and end of the media."""

    seen: float
    start: float
    end: float
    run: int


class BusWatch:
    """Reads from its position on like an output, also across failures of Redis."""

    def __init__(self, stack: Stack, device_id: str) -> None:
        self._stack = stack
        self._device_id = device_id
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="bus watch", daemon=True)
        self._parts: list[SeenPart] = []

    def __enter__(self) -> "BusWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(5)

    def parts_since(self, moment: float) -> list[SeenPart]:
        """Return the parts seen since a time (seconds since 1970)."""
        return [part for part in list(self._parts) if part.seen >= moment]

    def longest_gap(self, since: float) -> float:
        """Return the longest gap in media time, in seconds, between parts seen since a time."""
        parts = self.parts_since(since)
        return max((later.start - part.end for part, later in pairwise(parts)), default=0.0)

    def _watch(self) -> None:
        position: Position | None = None
        with closing(self._stack.redis.client()) as client:
            bus = MediaBus(client)
            while not self._end.is_set():
                try:
                    parts = bus.read(self._device_id, position, wait_seconds=0.5)
                except BusUnavailable:
                    self._end.wait(_RETRY_SECONDS)
                    continue
                now = time.time()
                for part in parts:
                    position = part.position
                    self._parts.append(SeenPart(now, part.start, part.start + part.duration, part.run))
