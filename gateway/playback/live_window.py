"""Follows the media bus for the HLS viewers of a device: one reader for all requests of a web process.

Playlists need no bytes, but Redis delivers a part only with them. So each part is read once, not once per request.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition, Lock

from gateway.errors import BusUnavailable
from gateway.media import Position
from gateway.playback.live_playlist import LivePart, LivePlaylist
from gateway.streams.bus import MediaBus, Waker

logger = logging.getLogger(__name__)

#: Maximum duration of one blocking read of the bus; the time limit of the connection is longer.
_WAIT_SECONDS = 1.0
#: A device without requests for this long is no longer followed.
_FORGET_SECONDS = 60.0


class LiveWindow:
    """The parts of one device that are on the bus."""

    def __init__(self, bus: MediaBus, device_id: str, follower: LiveFollower | None = None) -> None:
        self._bus = bus
        self._device_id = device_id
        self._follower = follower or LiveFollower(bus)
        self._changed = Condition()
        self._parts: deque[LivePart] = deque()
        self._playlist = LivePlaylist(())
        self._is_being_read = False
        self._waiting: list[tuple[Callable[[LivePlaylist], bool], Future]] = []
        self.asked_at = time.monotonic()
        #: Time at which the demand for the device was last noted; set by the caller.
        self.demand_noted_at: float | None = None

    @property
    def device_id(self) -> str:
        return self._device_id

    def read(self) -> LivePlaylist:
        """The playlist of the parts now on the bus. Raises BusUnavailable.

        While somebody waits, the reader knows the parts, and Redis is not asked.
        """
        is_followed = self._follower.is_following(self)
        with self._changed:
            self.asked_at = time.monotonic()
            if is_followed:
                return self._playlist
            if self._is_being_read:
                # Another thread reads the bus at this moment.
                self._changed.wait_for(lambda: not self._is_being_read, _WAIT_SECONDS)
                return self._playlist
            self._is_being_read = True
            position = self.newest
        try:
            found: list[LivePart] = []
            until = position
            while parts := self._bus.read(self._device_id, until):
                found += map(LivePart.of, parts)
                until = parts[-1].position
            self.take(found, held=self._bus.count(self._device_id), until=until)
        finally:
            with self._changed:
                self._is_being_read = False
                self._changed.notify_all()
        return self._playlist

    def known(self) -> LivePlaylist:
        """The playlist as of the last reading; asks nobody."""
        return self._playlist

    def when(self, is_enough: Callable[[LivePlaylist], bool]) -> Future:
        """A future that is done as soon as `is_enough` accepts the playlist; it gets BusUnavailable if the bus is away.

        Cancel it to wait no longer. Raises BusUnavailable.
        """
        future: Future = Future()
        with self._changed:
            self._waiting.append((is_enough, future))
            self.asked_at = time.monotonic()
        try:
            self._follower.follow(self)
        except BusUnavailable:
            future.cancel()
            raise
        # The part may have come since the caller looked.
        self._answer()
        return future

    @property
    def newest(self) -> Position | None:
        """The position of the newest part that was read."""
        return self._parts[-1].position if self._parts else None

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for a later playlist."""
        with self._changed:
            self._waiting = [waiting for waiting in self._waiting if not waiting[1].done()]
            return bool(self._waiting)

    def take(self, found: list[LivePart], *, held: int, until: Position | None) -> None:
        """Add new parts. `held` is the number of parts on the bus up to the position `until`."""
        with self._changed:
            newest = self.newest
            self._parts += (part for part in found if newest is None or part.position > newest)
            # Only the newest parts are still on the bus: older ones were trimmed, or the bus was emptied. Another
            # reading may have added later parts meanwhile.
            later = sum(1 for part in self._parts if until is None or part.position > until)
            is_changed = bool(found) or len(self._parts) > held + later
            while len(self._parts) > held + later:
                self._parts.popleft()
            if is_changed:
                self._playlist = LivePlaylist(tuple(self._parts))
        if is_changed:
            self._answer()

    def fail(self, error: BusUnavailable) -> None:
        """Tell all who wait that the bus is away."""
        with self._changed:
            waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(error)

    def _answer(self) -> None:
        answered, others = [], []
        with self._changed:
            playlist = self._playlist
            for waiting in self._waiting:
                (answered if waiting[0](playlist) else others).append(waiting)
            self._waiting = others
        for _, future in answered:
            if future.set_running_or_notify_cancel():
                future.set_result(playlist)


class LiveFollower:
    """Reads the bus for all windows that somebody waits at: one thread, which ends when nobody does."""

    def __init__(self, bus: MediaBus) -> None:
        self._bus = bus
        self._waker = Waker()
        self._refused_until: dict[str, Position] = {}
        self._lock = Lock()
        self._windows: dict[str, LiveWindow] = {}
        self._thread: threading.Thread | None = None

    def follow(self, window: LiveWindow) -> None:
        """Read the bus for a window as long as somebody waits at it. Raises BusUnavailable."""
        with self._lock:
            is_new = self._windows.get(window.device_id) is not window
            self._windows[window.device_id] = window
            is_running = self._thread is not None
            if not is_running:
                self._thread = threading.Thread(target=self._run, name="live-follower", daemon=True)
                self._thread.start()
        if is_new and is_running:
            self._bus.wake(self._waker)

    def is_following(self, window: LiveWindow) -> bool:
        """Whether the bus is being read for a window."""
        with self._lock:
            return self._thread is not None and self._windows.get(window.device_id) is window

    def _run(self) -> None:
        while windows := self._awaited():
            try:
                self._read(windows)
            except Exception as error:
                if not isinstance(error, BusUnavailable):
                    logger.exception("reading the media bus failed")
                    error = BusUnavailable("the media bus cannot be read")
                for window in windows.values():
                    window.fail(error)

    def _awaited(self) -> dict[str, LiveWindow]:
        """The windows that somebody waits at; without any, the thread must end."""
        with self._lock:
            self._windows = {each: window for each, window in self._windows.items() if window.is_awaited}
            if not self._windows:
                self._thread = None
            return dict(self._windows)

    def _read(self, windows: dict[str, LiveWindow]) -> None:
        positions = {device_id: self._position(window) for device_id, window in windows.items()}
        found = self._bus.read_many(positions, wait_seconds=_WAIT_SECONDS, waker=self._waker)
        counts = self._bus.counts(list(found))
        for device_id, entries in found.items():
            parts = self._bus.decode(device_id, entries)
            if not parts:
                # All of them were refused: they are not read again.
                self._refused_until[device_id] = Position.parse(entries[-1][0])
                continue
            self._refused_until.pop(device_id, None)
            windows[device_id].take(list(map(LivePart.of, parts)), held=counts[device_id], until=parts[-1].position)

    def _position(self, window: LiveWindow) -> Position | None:
        """The position from which to read on."""
        known = [each for each in (window.newest, self._refused_until.get(window.device_id)) if each is not None]
        return max(known, default=None)


class LiveWindows:
    """The windows of all devices that are being watched."""

    def __init__(self, bus: MediaBus) -> None:
        self._bus = bus
        self._follower = LiveFollower(bus)
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
                self._windows[device_id] = LiveWindow(self._bus, device_id, self._follower)
            window = self._windows[device_id]
            window.asked_at = now
            return window
