"""An injectable clock, so that tests can control time, and the one spelling of a moment."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

DAY_MS = 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What the code asks of time."""

    def wall(self) -> float:
        """Seconds since 1970 in UTC; may jump."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""


class SystemClock:
    """The machine's own time."""

    def wall(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class FakeClock:
    """A clock that moves only when told. Both readings move together unless `jump` is called."""

    def __init__(self, wall: float = 1_750_000_000.0) -> None:
        self._wall = wall
        self._monotonic = 1_000.0
        self._lock = threading.Lock()

    def wall(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        with self._lock:
            self._wall += seconds
            self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock by `seconds`, as an administrator or NTP does; time itself does not pass."""
        with self._lock:
            self._wall += seconds


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime, rounded down."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def format_time(at_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds and Z, of milliseconds since 1970."""
    at = _EPOCH + timedelta(milliseconds=at_ms)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
