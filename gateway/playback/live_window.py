"""Follows the media bus for whoever watches a device by HLS: one reader for all requests of a web process.

Playlists need no bytes, but Redis gives a part only with them. So each part is read once, not once for each request.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Condition, Lock

from gateway.media import Position
from gateway.playback.live_playlist import LivePart
from gateway.streams.bus import MediaBus

#: One wait on the bus; the connection's own time limit is longer.
_WAIT_SECONDS = 1.0
#: A device for which nobody asked for so long is no longer followed.
_FORGET_SECONDS = 60.0


class LiveWindow:
    """The parts of one device, as far as the bus has them."""

    def __init__(self, bus: MediaBus, device_id: str) -> None:
        self._bus = bus
        self._device_id = device_id
        self._changed = Condition()
        self._parts: deque[LivePart] = deque()
        self._is_being_read = False
        self.asked_at = time.monotonic()
        #: When the demand for the device was last noted; its user's to keep.
        self.demand_noted_at: float | None = None

    def parts(self) -> tuple[LivePart, ...]:
        """What is there now, oldest first. Raises BusUnavailable."""
        return self.wait(lambda _: True, 0)

    def wait(self, is_enough: Callable[[tuple[LivePart, ...]], bool], seconds: float) -> tuple[LivePart, ...]:
        """What is there as soon as it is enough, or after `seconds`. Raises BusUnavailable."""
        deadline = time.monotonic() + seconds
        self._read(0)
        while True:
            with self._changed:
                self.asked_at = time.monotonic()
                seen = tuple(self._parts)
            left = deadline - time.monotonic()
            if is_enough(seen) or left <= 0:
                return seen
            newest = seen[-1].position if seen else None
            with self._changed:
                if self._is_being_read:
                    # Somebody else waits on the bus, and tells all others.
                    if self._newest() == newest:
                        self._changed.wait(min(left, _WAIT_SECONDS))
                    continue
            self._read(min(left, _WAIT_SECONDS))

    def _read(self, wait_seconds: float) -> None:
        """Read all that is new; waits for the first of it. Only one thread does, the others find it done."""
        with self._changed:
            if self._is_being_read:
                if not wait_seconds:
                    self._changed.wait_for(lambda: not self._is_being_read or self._parts, _WAIT_SECONDS)
                return
            self._is_being_read = True
            position = self._newest()
        found: list[LivePart] = []
        held = 0
        try:
            while parts := self._bus.read(self._device_id, position, wait_seconds=wait_seconds):
                found += map(LivePart.of, parts)
                position, wait_seconds = parts[-1].position, 0
            held = self._bus.count(self._device_id)
        finally:
            with self._changed:
                self._is_being_read = False
                self._parts += found
                # The bus holds no more than these, the newest: the others are trimmed, or it was emptied.
                while len(self._parts) > held:
                    self._parts.popleft()
                self._changed.notify_all()

    def _newest(self) -> Position | None:
        return self._parts[-1].position if self._parts else None


class LiveWindows:
    """The windows of all devices that somebody watches."""

    def __init__(self, bus: MediaBus) -> None:
        self._bus = bus
        self._lock = Lock()
        self._windows: dict[str, LiveWindow] = {}

    def of(self, device_id: str) -> LiveWindow:
        """The window of a device, which is followed from now on."""
        now = time.monotonic()
        with self._lock:
            for known, window in list(self._windows.items()):
                if now - window.asked_at > _FORGET_SECONDS:
                    del self._windows[known]
            if device_id not in self._windows:
                self._windows[device_id] = LiveWindow(self._bus, device_id)
            window = self._windows[device_id]
            window.asked_at = now
            return window
