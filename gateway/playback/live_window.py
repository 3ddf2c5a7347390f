"""Follows the media bus for the HLS viewers of a device: one reader for all requests of a web process.

Playlists need no bytes, but Redis delivers a part only with them. So each part is read once, not once per request.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Condition, Lock

from gateway.media import Position
from gateway.playback.live_playlist import LivePart
from gateway.streams.bus import MediaBus

#: Maximum duration of one blocking read of the bus; the time limit of the connection is longer.
_WAIT_SECONDS = 1.0
#: A device without requests for this long is no longer followed.
_FORGET_SECONDS = 60.0


class LiveWindow:
    """The parts of one device that are on the bus."""

    def __init__(self, bus: MediaBus, device_id: str) -> None:
        self._bus = bus
        self._device_id = device_id
        self._changed = Condition()
        self._parts: deque[LivePart] = deque()
        self._is_being_read = False
        self.asked_at = time.monotonic()
        #: Time at which the demand for the device was last noted; set by the caller.
        self.demand_noted_at: float | None = None

    def parts(self) -> tuple[LivePart, ...]:
        """The parts now on the bus, oldest first. Raises BusUnavailable."""
        return self.wait(lambda _: True, 0)

    def wait(self, is_enough: Callable[[tuple[LivePart, ...]], bool], seconds: float) -> tuple[LivePart, ...]:
        """The parts as soon as `is_enough` accepts them, or after `seconds`. Raises BusUnavailable."""
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
                    # Another thread reads the bus, and notifies all others.
                    if self._newest() == newest:
                        self._changed.wait(min(left, _WAIT_SECONDS))
                    continue
            self._read(min(left, _WAIT_SECONDS))

    def _read(self, wait_seconds: float) -> None:
        """Read all new parts, waiting for the first. One thread reads at a time; the others use its result."""
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
                # Only the newest parts are still on the bus: older ones were trimmed, or the bus was emptied.
                while len(self._parts) > held:
                    self._parts.popleft()
                self._changed.notify_all()

    def _newest(self) -> Position | None:
        return self._parts[-1].position if self._parts else None


class LiveWindows:
    """The windows of all devices that are being watched."""

    def __init__(self, bus: MediaBus) -> None:
        self._bus = bus
        self._lock = Lock()
        self._windows: dict[str, LiveWindow] = {}

    def of(self, device_id: str) -> LiveWindow:
        """The window of a device; from now on the device is followed."""
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
