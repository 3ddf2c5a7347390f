"""An injectable clock, so that tests can control time, and the one format of a time."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

DAY_MS = 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """The readings of time that the code uses."""

    def wall(self) -> float:
        """Seconds since 1970 in UTC; may jump."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary fixed moment; never goes back."""


class SystemClock:
    """The clock of the machine."""

    def wall(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class FakeClock:
    """A clock that tests move by hand. Both readings move together unless `jump` is called."""

    def __init__(self, wall: float = 1_750_000_000.0) -> None:
        self._wall = wall
        self._monotonic = 1_000.0
        self._lock = threading.Lock()

    def wall(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both readings forward by `seconds`."""
        with self._lock:
            self._wall += seconds
            self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall clock by `seconds`, as an administrator or NTP does; the monotonic reading stays."""
        with self._lock:
            self._wall += seconds


def utc_now() -> datetime:
    """The present time, timezone-aware, in UTC."""
    return datetime.now(UTC)


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 of a timezone-aware datetime, rounded down."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def format_time(at_ms: int) -> str:
    """Format milliseconds since 1970 as RFC 3339 in UTC with milliseconds and Z."""
    at = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
