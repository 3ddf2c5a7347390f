"""The wall clock of a run: capture times as seconds since 1970, and whether the machine's clock was set meanwhile."""

from gateway.clock import Clock

MAX_CHANGE_SECONDS = 1.0
MAX_SLEW = 0.0005  # the most by which NTP slews the clock of Linux


class WallClock:
    """Maps capture times to wall time, by the difference of the two clocks when the run began.

    A clock that is slewed is followed, at no more than NTP's 500 ppm; one that is set makes `has_jumped()` true, for
    good: the times of the run stay what they were, and a new run needs a new WallClock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.wall() - clock.monotonic()
        self._checked = clock.monotonic()
        self._has_jumped = False

    def wall(self, capture_time: float) -> float:
        """Seconds since 1970 at a capture time, which is in seconds of the monotonic clock."""
        return capture_time + self._offset

    def has_jumped(self) -> bool:
        """Tell whether the machine's clock was set by more than a second; also follows its slewing: call it often."""
        if self._has_jumped:
            return True
        now = self._clock.monotonic()
        change = self._clock.wall() - now - self._offset
        if abs(change) > MAX_CHANGE_SECONDS:
            self._has_jumped = True
            return True
        most = MAX_SLEW * max(0.0, now - self._checked)
        self._offset += max(-most, min(most, change))
        self._checked = now
        return False
