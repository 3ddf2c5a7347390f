"""Passes the payloads of a track to the direct output that takes them."""

from collections.abc import Callable

from gateway.outputs import PacketTaker
from workers.rtp.units import CodecData


class TakerFeed:
    """The taker of one track, which may be set at any time; one that raises is taken off.

    While `holds_back` is True each payload waits for the next one, because only that tells whether it ends its unit.
    """

    def __init__(self, kind: str, codec: str) -> None:
        self.taker: PacketTaker | None = None
        self.on_error: Callable[[PacketTaker, Exception], None] | None = None
        self.holds_back = False
        self._kind = kind
        self._codec = codec
        self._sets: tuple[bytes, ...] = ()
        self._held: tuple[bytes, float] | None = None

    def set(self, taker: PacketTaker | None) -> None:
        """Pass to this output from now on."""
        self.taker = taker
        self._held = None
        if taker is not None:
            self._begin(taker)

    def announce(self, data: CodecData) -> None:
        """The codec data of the track are known, or others."""
        sets, codec = data.parameter_sets, data.codec
        if (sets, codec) != (self._sets, self._codec):
            self._sets, self._codec = sets, codec
            if self.taker is not None:
                self._begin(self.taker)

    def take(self, payload: bytes, time: float, ends_unit: bool) -> None:
        """Pass a payload, if the taker wants it now."""
        taker = self.taker
        if taker is None:
            return
        try:
            if not taker.is_wanted:
                self._held = None
            elif self.holds_back:
                held, self._held = self._held, (payload, time)
                if held is not None:
                    taker.take(self._kind, *held, ends_unit=False)
            else:
                if self._held is not None:
                    self.end_unit()
                taker.take(self._kind, payload, time, ends_unit=ends_unit)
        except Exception as error:
            self._fail(taker, error)

    def end_unit(self) -> None:
        """Pass the payload that is held as the last of its unit."""
        self._release(ends_unit=True)

    def _release(self, *, ends_unit: bool) -> None:
        held, self._held = self._held, None
        taker = self.taker
        if held is None or taker is None:
            return
        try:
            if taker.is_wanted:
                taker.take(self._kind, *held, ends_unit=ends_unit)
        except Exception as error:
            self._fail(taker, error)

    def lost(self, packets: int) -> None:
        """Report packets that are missing before the next one."""
        self._release(ends_unit=False)
        taker = self.taker
        if taker is None:
            return
        try:
            if taker.is_wanted:
                taker.lost(self._kind, packets)
        except Exception as error:
            self._fail(taker, error)

    def _begin(self, taker: PacketTaker) -> None:
        try:
            taker.begin(self._kind, self._codec, self._sets)
        except Exception as error:
            self._fail(taker, error)

    def _fail(self, taker: PacketTaker, error: Exception) -> None:
        if self.taker is taker:
            self.taker = None
            self._held = None
        if self.on_error is not None:
            self.on_error(taker, error)
