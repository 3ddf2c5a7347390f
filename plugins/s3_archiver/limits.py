"""How much the uploads may take: bytes a second, hours of the day, and pauses after failures."""

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

#: Pauses after failures of the same thing in a row.
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15 * 60.0


class Stopped(Exception):
    """The process is asked to stop: an upload under way is given up."""


class Bandwidth:
    """A limit of bytes a second that all uploads of the process share; None is no limit.

    `take` returns when the bytes may be sent. A wait is never longer than the bytes of one call need, and time that
    nobody used is not saved up.
    """

    def __init__(
        self,
        bytes_per_second: float | None,
        *,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self._rate = bytes_per_second
        self._clock = clock
        self._stop = stop
        self._wait = wait or stop.wait
        self._lock = threading.Lock()
        self._free_at = 0.0

    def set_rate(self, bytes_per_second: float | None) -> None:
        """Change the limit; it applies from the next bytes on."""
        with self._lock:
            self._rate = bytes_per_second
            self._free_at = min(self._free_at, self._clock() + 1.0)

    def take(self, count: int) -> None:
        """Wait until `count` bytes may be sent. Raises Stopped."""
        with self._lock:
            if not self._rate:
                pause = 0.0
            else:
                now = self._clock()
                begin = max(self._free_at, now)
                self._free_at = begin + count / self._rate
                pause = begin - now
        if self._stop.is_set() or (pause > 0 and self._wait(pause)):
            raise Stopped


def seconds_until_open(window: dict[str, str] | None, now: datetime, time_zone: str = "") -> float:
    """Seconds until the window of the day (`from` and `to` as HH:MM, local time) opens; 0 while it is open or None.

    It goes over midnight if it ends before it begins. `time_zone` is an IANA name, otherwise that of the machine.
    """
    if window is None:
        return 0.0
    local = now.astimezone(ZoneInfo(time_zone)) if time_zone else now.astimezone()
    minute = local.hour * 60 + local.minute
    begin, end = _minutes(window["from"]), _minutes(window["to"])
    inside = begin <= minute < end if begin < end else (minute >= begin or minute < end)
    if inside:
        return 0.0
    opens = local.replace(hour=begin // 60 % 24, minute=begin % 60, second=0, microsecond=0)
    if opens <= local:
        opens += timedelta(days=1)
    return (opens - local).total_seconds()


def pause_after(failures: int, *, spread: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures in a row: doubled each time, with a spread of a quarter."""
    pause = min(FIRST_PAUSE_SECONDS * 2 ** min(max(failures, 1) - 1, 20), LONGEST_PAUSE_SECONDS)
    return pause * (1 - 0.25 * spread())


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)
