"""Passes packets to a taker in a thread of its own: whatever it does there, the loop of all cameras goes on."""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable

from gateway.isolation.guard import GUARD
from gateway.isolation.threads import watch_calls
from gateway.outputs import PacketTaker

#: Packets that wait for a slow taker: some seconds of a camera. Further ones are lost to it, and it is told.
_MOST_WAITING = 2000
#: A taker that wants nothing is asked again after this time, if it does not ask by itself.
_LOOK_SECONDS = 1.0


class ThreadedTaker(PacketTaker):
    """Stands on the loop for the taker of an output. `on_failed` is called there if the taker raises."""

    def __init__(
        self, taker: PacketTaker, name: str, loop: asyncio.AbstractEventLoop, on_failed: Callable[[BaseException], None]
    ) -> None:
        self.plugin = taker.plugin
        self.name = f"packets {name}"
        self.is_wanted = False
        #: The present call, as of a PluginThread.
        self.busy: tuple[str, float] | None = None
        self._taker = taker
        self._loop = loop
        self._on_failed = on_failed
        self._waiting: queue.Queue[tuple[str, tuple, dict]] = queue.Queue(_MOST_WAITING)
        self._lost: dict[str, int] = {}
        self.is_closed = False
        watch_calls(self)
        taker.on_asked = self._asked
        self._thread = threading.Thread(target=self._serve, name=self.name[:40], daemon=True)
        self._thread.start()

    def begin(self, kind: str, codec: str, parameter_sets: tuple[bytes, ...]) -> None:
        self._put("begin", kind, codec, parameter_sets)

    def take(self, kind: str, payload: bytes, time: float, *, ends_unit: bool) -> None:
        if (lost := self._lost.pop(kind, 0)) and not self._put("lost", kind, lost):
            self._lost[kind] = lost
        if not self._put("take", kind, bytes(payload), time, ends_unit=ends_unit):
            self._lost[kind] = self._lost.get(kind, 0) + 1

    def lost(self, kind: str, packets: int) -> None:
        if not self._put("lost", kind, packets):
            self._lost[kind] = self._lost.get(kind, 0) + packets

    def flush(self) -> None:
        self._put("flush")

    def close(self) -> None:
        """Pass nothing more. The thread ends when the taker returns."""
        self.is_closed = True
        self.is_wanted = False

    def _put(self, method: str, *values: object, **names: object) -> bool:
        try:
            self._waiting.put_nowait((method, values, names))
        except queue.Full:
            return False
        return True

    def _asked(self) -> None:
        """The taker asks for packets, in a thread of the plugin's."""
        self.is_wanted = bool(self._taker.is_wanted) and not self.is_closed
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.ask)

    def _serve(self) -> None:
        numbers = GUARD.number(self.plugin or self.name, "packets")
        while not self.is_closed:
            try:
                method, values, names = self._waiting.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                method, values, names = "", (), {}
            self.busy = "packets", time.monotonic()
            before = GUARD.enter(numbers)
            try:
                if method:
                    getattr(self._taker, method)(*values, **names)
                self.is_wanted = bool(self._taker.is_wanted) and not self.is_closed
            except BaseException as error:
                self.close()
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._on_failed, error)
            GUARD.enter(before)
            self.busy = None
        GUARD.leave_thread()
