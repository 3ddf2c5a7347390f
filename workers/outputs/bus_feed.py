"""Reads the media bus for all consumers of a process: one blocking call serves many devices."""

import logging
import math
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.errors import BusUnavailable
from gateway.media import Position
from gateway.streams.bus import BusEntry

log = logging.getLogger(__name__)

#: Devices that one connection reads; more of them would make each call long.
DEVICES_PER_LANE = 64
#: Maximum duration of a call: a device that is asked for meanwhile is in the next one.
_CALL_SECONDS = 0.25
#: Pause between two calls, in which consumers take their parts and ask again.
_GATHER_SECONDS = 0.05
#: Maximum number of parts of a call and of one device in it, which all are in memory at once.
_CALL_PARTS = 256
_DEVICE_PARTS = 16


@dataclass(slots=True, eq=False)
class _Request:
    """A consumer's wait for the parts after a position."""

    device_id: str
    after: Position | None
    entries: list[BusEntry] = field(default_factory=list)
    failure: str | None = None
    is_answered: threading.Event = field(default_factory=threading.Event)


class Bus(Protocol):
    """What is read: MediaBus or SubBus."""

    def read_many(
        self, positions: Mapping[str, Position | None], *, count: int, wait_seconds: float
    ) -> dict[str, list[BusEntry]]: ...

    def decode(self, device_id: str, entries: Iterable[BusEntry]) -> list[Any]: ...


class BusFeed:
    """The bus for the consumers of a process, which call `read` from their own threads."""

    def __init__(self, bus: Bus, *, devices: int) -> None:
        """`devices`: the maximum number of devices, which are divided among the connections."""
        self._bus = bus
        self._lanes = [_Lane(bus) for _ in range(math.ceil(devices / DEVICES_PER_LANE))]

    def read(self, device_id: str, after: Position | None, *, wait_seconds: float) -> list[Any]:
        """Parts after a position (None: from the oldest on), oldest first; waits up to `wait_seconds` for the first.

        Raises BusUnavailable when Redis is away.
        """
        lane = self._lanes[zlib.crc32(device_id.encode()) % len(self._lanes)]
        deadline = time.monotonic() + wait_seconds
        while True:
            request = _Request(device_id, after)
            lane.add(request)
            try:
                request.is_answered.wait(max(0.0, deadline - time.monotonic()))
            finally:
                lane.remove(request)
            if request.failure is not None:
                raise BusUnavailable("the media bus does not answer", detail=request.failure)
            parts = self._bus.decode(device_id, request.entries)
            if parts or not request.entries:
                return parts
            # All of them were refused: the consumer would ask for them again.
            after = Position.parse(request.entries[-1][0])

    def close(self) -> None:
        """End the threads. May be called twice; reads return nothing afterwards."""
        for lane in self._lanes:
            lane.close()


class _Lane:
    """The requests of some devices, and the thread that answers them."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._requests: dict[_Request, None] = {}
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, request: _Request) -> None:
        with self._changed:
            self._requests[request] = None
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="bus feed", daemon=True)
                self._thread.start()
            self._changed.notify()

    def remove(self, request: _Request) -> None:
        with self._changed:
            self._requests.pop(request, None)

    def close(self) -> None:
        with self._changed:
            self._closing.set()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_CALL_SECONDS + 1)

    def _run(self) -> None:
        while self._answer_once():
            self._closing.wait(_GATHER_SECONDS)

    def _answer_once(self) -> bool:
        """Answer the requests of one call; False when the feed is closed. No part stays in memory afterwards."""
        requests = self._await_requests()
        if not requests:
            return False
        try:
            self._answer(requests)
        except BusUnavailable as error:
            for request in requests:
                request.failure = error.detail
                request.is_answered.set()
        except Exception:
            # The consumers ask again.
            log.exception("the media bus cannot be read")
        return True

    def _await_requests(self) -> list[_Request]:
        """The oldest request of each device, and those for the same position; none when the feed is closed."""
        with self._changed:
            while not self._closing.is_set():
                if waiting := [request for request in self._requests if not request.is_answered.is_set()]:
                    break
                self._changed.wait()
            else:
                return []
        positions: dict[str, Position | None] = {}
        for request in waiting:
            positions.setdefault(request.device_id, request.after)
        return [request for request in waiting if positions[request.device_id] == request.after]

    def _answer(self, requests: Iterable[_Request]) -> None:
        positions = {request.device_id: request.after for request in requests}
        count = max(1, min(_DEVICE_PARTS, _CALL_PARTS // max(1, len(positions))))
        found = self._bus.read_many(positions, count=count, wait_seconds=_CALL_SECONDS)
        for request in requests:
            if entries := found.get(request.device_id):
                request.entries = entries
                request.is_answered.set()
