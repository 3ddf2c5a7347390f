"""Whether a device's packets are needed at the SFU, and whether they arrive there."""

from collections.abc import Callable

#: Packets flow this long after the last viewer has left: most come back at once, with a reloaded page.
LINGER_SECONDS = 10.0
#: The longest time that one answer of the SFU can prove.
_MAX_INTERVAL_SECONDS = 5.0


class Audience:
    """The number of viewers of one device; `on_change(is_wanted)` is called when the need for packets changes."""

    def __init__(self, on_change: Callable[[bool], None]) -> None:
        self.viewers = 0
        self.is_wanted = False
        self._on_change = on_change
        self._left_at: float | None = None

    def count(self, viewers: int, now: float) -> None:
        """The SFU has so many viewers now."""
        self.viewers = viewers
        if viewers > 0:
            self._left_at = None
            self._set(True)
        elif self.is_wanted and self._left_at is None:
            self._left_at = now

    def tick(self, now: float) -> None:
        """Call about each second."""
        if self._left_at is not None and now - self._left_at >= LINGER_SECONDS:
            self._left_at = None
            self._set(False)

    def _set(self, is_wanted: bool) -> None:
        if self.is_wanted != is_wanted:
            self.is_wanted = is_wanted
            self._on_change(is_wanted)


class Arrivals:
    """How long the SFU has answered that no packet arrives, while packets were sent.

    Time without an answer proves nothing, nor does time in which the camera sent nothing.
    """

    def __init__(self) -> None:
        self.missing_seconds = 0.0
        self._before: tuple[int, int, float] | None = None

    def answered(self, sent: int, arrived: int, now: float) -> None:
        """Compare the packets sent so far with those that the SFU has counted."""
        if self._before is not None:
            sent_before, arrived_before, at = self._before
            if arrived != arrived_before:
                self.missing_seconds = 0.0
            elif sent != sent_before:
                self.missing_seconds += min(now - at, _MAX_INTERVAL_SECONDS)
        self._before = (sent, arrived, now)

    def not_answered(self) -> None:
        """The SFU did not answer, or the Worker with this room did not."""
        self._before = None

    def reset(self) -> None:
        """The track was opened anew."""
        self.missing_seconds, self._before = 0.0, None
