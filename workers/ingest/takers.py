"""Passes a camera's packets to the outputs that want them; one that raises or is slow is left out, the others go on."""

import logging
from collections.abc import Callable
from functools import partial
from time import monotonic

from gateway.isolation.guard import GUARD
from gateway.outputs import PacketTaker

log = logging.getLogger(__name__)

#: A call delays all cameras of the process. So many slow ones within this time, or one that is very slow, are too many.
SLOW_SECONDS, VERY_SLOW_SECONDS = 0.05, 2.0
MOST_SLOW, WITHIN_SECONDS = 3, 60.0


#: The problem of an output whose taker has failed begins so; it is to be attached again.
TAKER_FAILED = "it failed with a packet:"


class SlowTaker(Exception):
    """A taker has blocked the loop of all cameras repeatedly."""


class TakerGroup(PacketTaker):
    """The takers of one track, by the names of their outputs. `on_failed(name, error)` reports one that raised."""

    def __init__(self, on_failed: Callable[[str, BaseException], None]) -> None:
        self._takers: dict[str, PacketTaker] = {}
        self._numbers: dict[str, tuple[int, int]] = {}
        self._slow: dict[str, list[float]] = {}
        self._on_failed = on_failed
        self._begun: tuple[str, str, tuple[bytes, ...]] | None = None

    @property
    def is_wanted(self) -> bool:
        return any(taker.is_wanted for taker in self._takers.values())

    def put(self, name: str, taker: PacketTaker | None) -> None:
        """Use this taker for the output of this name, from now on; None: none."""
        if self._takers.get(name) is taker:
            return
        self._takers.pop(name, None)
        if taker is not None:
            self._takers[name] = taker
            self._numbers[name] = GUARD.number(taker.plugin or name, "packets")
            if self._begun is not None:
                self._call(name, partial(taker.begin, *self._begun))

    def clear(self) -> None:
        """Pass packets to nobody any more."""
        self._takers.clear()

    def begin(self, kind: str, codec: str, parameter_sets: tuple[bytes, ...]) -> None:
        self._begun = (kind, codec, parameter_sets)
        for name, taker in list(self._takers.items()):
            self._call(name, partial(taker.begin, kind, codec, parameter_sets))

    def take(self, kind: str, payload: bytes, time: float, *, ends_unit: bool) -> None:
        for name, taker in tuple(self._takers.items()):
            if taker.is_wanted:
                # As `_call`: without another function for each packet.
                started = monotonic()
                before = GUARD.enter(self._numbers[name])
                try:
                    taker.take(kind, payload, time, ends_unit=ends_unit)
                except BaseException as error:
                    self._fail(name, error)
                GUARD.enter(before)
                if monotonic() - started > SLOW_SECONDS:
                    self._note_slow(name, started)

    def lost(self, kind: str, packets: int) -> None:
        for name, taker in list(self._takers.items()):
            if taker.is_wanted:
                self._call(name, partial(taker.lost, kind, packets))

    def flush(self) -> None:
        for name, taker in tuple(self._takers.items()):
            if taker.is_wanted:
                self._call(name, taker.flush)

    def _call(self, name: str, function: Callable[[], None]) -> None:
        started = monotonic()
        before = GUARD.enter(self._numbers[name])
        try:
            function()
        except BaseException as error:
            # SystemExit would end the loop, and with it the streams of all cameras.
            self._fail(name, error)
        GUARD.enter(before)
        if monotonic() - started > SLOW_SECONDS:
            self._note_slow(name, started)

    def _note_slow(self, name: str, started: float) -> None:
        now = monotonic()
        slow = self._slow[name] = [at for at in self._slow.get(name, []) if now - at < WITHIN_SECONDS] + [now]
        if name in self._takers and (len(slow) >= MOST_SLOW or now - started > VERY_SLOW_SECONDS):
            self._slow[name] = []
            self._fail(name, SlowTaker(f"it blocked the loop for {now - started:.2f} s"))

    def _fail(self, name: str, error: BaseException) -> None:
        log.error("output '%s' failed with a packet: it is left out", name, exc_info=error)
        self._takers.pop(name, None)
        self._on_failed(name, error)
