"""Passes a camera's packets to the outputs that want them; an output that raises is left out, the others go on."""

import logging
from collections.abc import Callable
from functools import partial

from gateway.outputs import PacketTaker

log = logging.getLogger(__name__)


class TakerGroup(PacketTaker):
    """The takers of one track, by the names of their outputs. `on_failed(name, error)` reports one that raised."""

    def __init__(self, on_failed: Callable[[str, Exception], None]) -> None:
        self._takers: dict[str, PacketTaker] = {}
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
                try:
                    taker.take(kind, payload, time, ends_unit=ends_unit)
                except Exception as error:
                    self._fail(name, error)

    def lost(self, kind: str, packets: int) -> None:
        for name, taker in list(self._takers.items()):
            if taker.is_wanted:
                self._call(name, partial(taker.lost, kind, packets))

    def flush(self) -> None:
        for name, taker in tuple(self._takers.items()):
            if taker.is_wanted:
                self._call(name, taker.flush)

    def _call(self, name: str, function: Callable[[], None]) -> None:
        try:
            function()
        except Exception as error:
            self._fail(name, error)

    def _fail(self, name: str, error: Exception) -> None:
        log.error("output '%s' failed with a packet: it is left out", name, exc_info=error)
        self._takers.pop(name, None)
        self._on_failed(name, error)
