"""Puts RTP packets that came by UDP into the order of their sequence numbers, within a bounded window."""

from collections.abc import Callable

#: Packets that wait at most for one that is missing, and how long they wait.
WINDOW_PACKETS = 64
WINDOW_SECONDS = 0.1
#: A jump of more is a restart of the camera's numbers, not a loss or a late packet (RFC 3550, appendix A.1).
_MAX_STEP = 3000
#: So many late packets in a row mean that the camera began again with lower numbers.
_MAX_LATE = 32


class Reorder:
    """Calls `deliver(packet, arrived)` in the order of sequence numbers; drops duplicates and what comes too late."""

    def __init__(self, deliver: Callable[[bytes, float], None]) -> None:
        self._deliver = deliver
        self._next: int | None = None
        self._waiting: dict[int, tuple[bytes, float]] = {}
        self._late_in_row = 0
        self._stray: tuple[int, bytes, float] | None = None
        #: Packets dropped because they were duplicates or too late.
        self.dropped = 0

    @property
    def deadline(self) -> float | None:
        """When the packets that wait are passed on at the latest; None if none wait."""
        # The first to come waits longest: a dict keeps their order.
        return next(iter(self._waiting.values()))[1] + WINDOW_SECONDS if self._waiting else None

    def take(self, packet: bytes, arrived: float) -> None:
        """Take the next packet as it came."""
        sequence = packet[2] << 8 | packet[3]
        if sequence == self._next:
            self._next = (sequence + 1) & 0xFFFF
            self._late_in_row = 0
            self._stray = None
            self._deliver(packet, arrived)
            if self._waiting:
                self._pass_row()
            return
        if self._next is None:
            self._restart(sequence, packet, arrived)
            return
        ahead = (sequence - self._next) & 0xFFFF
        if ahead < _MAX_STEP:
            self._late_in_row = 0
            if sequence in self._waiting:
                self.dropped += 1
                return
            self._waiting[sequence] = (packet, arrived)
            if len(self._waiting) > WINDOW_PACKETS:
                self.flush(arrived, force=True)
        elif ahead > 0x10000 - _MAX_STEP:
            self.dropped += 1
            self._late_in_row += 1
            if self._late_in_row > _MAX_LATE:
                self._restart(sequence, packet, arrived)
        else:
            self._take_stray(sequence, packet, arrived)

    def flush(self, now: float, *, force: bool = False) -> None:
        """Pass on what has waited long enough; with `force`, the next that waits and all that follow it at once."""
        while self._waiting and (force or now >= self._oldest() + WINDOW_SECONDS):
            force = False
            expected = self._next or 0
            self._next = min(self._waiting, key=lambda number: (number - expected) & 0xFFFF)
            self._pass_row()

    def _oldest(self) -> float:
        return next(iter(self._waiting.values()))[1]

    def _pass_row(self) -> None:
        while (found := self._waiting.pop(self._next, None)) is not None:
            self._next = (self._next + 1) & 0xFFFF
            self._deliver(*found)

    def _restart(self, sequence: int, packet: bytes, arrived: float) -> None:
        self._pass_all()
        self._next = (sequence + 1) & 0xFFFF
        self._late_in_row = 0
        self._stray = None
        self._deliver(packet, arrived)

    def _take_stray(self, sequence: int, packet: bytes, arrived: float) -> None:
        """A number far away: believed when the next one follows it."""
        stray, self._stray = self._stray, (sequence, packet, arrived)
        if stray is None:
            return
        if (sequence - stray[0]) & 0xFFFF == 1:
            self._restart(*stray)
            self.take(packet, arrived)
        else:
            self.dropped += 1

    def _pass_all(self) -> None:
        while self._waiting:
            self.flush(0.0, force=True)
