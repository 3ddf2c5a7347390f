"""Posters: the newest picture of each device, in the Redis of the media bus. Many ask, one has it made.

A poster is fresh for some seconds. After that the first who asks has a newer one made, and whoever comes meanwhile
waits for the same; nobody waits longer than about a second, and then sees the last one known, which is kept for a day.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import redis

from gateway.errors import Unavailable

#: Widths in pixels that are made; a wish between two of them gets the greater one.
POSTER_WIDTHS = (160, 320, 480, 640, 960, 1280, 1920)

#: A request waits so long for a newer poster.
WAIT_SECONDS = 1.0
_KEEP_SECONDS = 86_400
#: After an answer that did not come, of a worker or of Redis, nobody waits for one for so long.
_LATE_SECONDS = 2.0
_POLL_SECONDS = 0.05


class PosterLate(Unavailable):
    """No snapshot worker has answered in time."""

    reason = "no_worker"


@dataclass(frozen=True, slots=True)
class Poster:
    """A JPEG that was taken at `at_ms` (ms since 1970, UTC); without `at_ms` there is none, and `message` says why.

    `checked_ms` is when it was the newest that there was.
    """

    picture: bytes = field(default=b"", repr=False)
    at_ms: int | None = None
    message: str = ""
    checked_ms: int = 0


class _Flight:
    """A poster that is being made."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.poster: Poster | None = None


class Posters:
    """The posters of all devices. Every method raises Unavailable `redis_unavailable` when Redis is away."""

    def __init__(
        self, client: redis.Redis, *, fresh_seconds: float, seats: int, clock: Callable[[], float] = time.time
    ) -> None:
        """`seats`: how many of this process' threads may wait for posters at once."""
        self.fresh_seconds = fresh_seconds
        self._redis = client
        self._clock = clock
        self._seats = threading.BoundedSemaphore(seats)
        self._lock = threading.Lock()
        self._flights: dict[tuple[str, int], _Flight] = {}
        self._late_until = 0.0
        self._away_until = 0.0

    def get(self, device_id: str, width: int, make: Callable[[Poster | None], Poster]) -> Poster:
        """The poster of a device, `width` being one of POSTER_WIDTHS.

        `make` gets the last one known and gives a newer one, or the same where there is none. Raises PosterLate when
        it did and nothing is known yet.
        """
        if time.monotonic() < self._away_until:
            raise _outage()
        known = self._read(device_id, width)
        if known is not None and self.seconds_left(known) > 0:
            return known
        if time.monotonic() < self._late_until:
            return _shown(known)
        key = (device_id, width)
        with self._lock:
            flight = self._flights.get(key)
            is_first = flight is None
            if flight is None:
                flight = self._flights[key] = _Flight()
        if not is_first:
            flight.ended.wait(WAIT_SECONDS)
            return _shown(flight.poster or known)
        try:
            flight.poster = self._renew(device_id, width, known, make)
            return _shown(flight.poster)
        finally:
            with self._lock:
                del self._flights[key]
            flight.ended.set()

    def seconds_left(self, poster: Poster) -> float:
        """For how long the poster may be shown before a newer one is made."""
        return self.fresh_seconds - abs(self._clock() - poster.checked_ms / 1000)

    def _renew(
        self, device_id: str, width: int, known: Poster | None, make: Callable[[Poster | None], Poster]
    ) -> Poster | None:
        if not self._seats.acquire(timeout=WAIT_SECONDS if known is None else 0.1):
            return known
        try:
            if not self._claim(device_id, width):
                return self._await_other(device_id, width) or known
            try:
                # Another may have been made since it was last looked.
                now_known = self._read(device_id, width)
                if now_known is not None and self.seconds_left(now_known) > 0:
                    return now_known
                poster = replace(make(known), checked_ms=int(self._clock() * 1000))
                self._write(device_id, width, poster)
            finally:
                self._unclaim(device_id, width)
            return poster
        except PosterLate:
            self._late_until = time.monotonic() + _LATE_SECONDS
            if known is None:
                raise
            return known
        finally:
            self._seats.release()

    def _await_other(self, device_id: str, width: int) -> Poster | None:
        """What another process makes; None when it takes too long."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            poster = self._read(device_id, width)
            if poster is not None and self.seconds_left(poster) > 0:
                return poster
        return None

    def _read(self, device_id: str, width: int) -> Poster | None:
        with self._answering():
            data = self._redis.get(_key(device_id, width))
        if data is None:
            return None
        facts, _, picture = data.partition(b"\n")
        return Poster(picture, **json.loads(facts))

    def _write(self, device_id: str, width: int, poster: Poster) -> None:
        facts: dict[str, Any] = {"at_ms": poster.at_ms, "message": poster.message, "checked_ms": poster.checked_ms}
        with self._answering():
            self._redis.set(
                _key(device_id, width), json.dumps(facts).encode() + b"\n" + poster.picture, ex=_KEEP_SECONDS
            )

    def _claim(self, device_id: str, width: int) -> bool:
        """Whether this process may make it; a claim ends by itself, should the process."""
        with self._answering():
            return bool(self._redis.set(_key(device_id, width) + ":claim", 1, nx=True, px=int(WAIT_SECONDS * 3000)))

    def _unclaim(self, device_id: str, width: int) -> None:
        with self._answering():
            self._redis.delete(_key(device_id, width) + ":claim")

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turns Redis' own errors into the domain's; nobody else waits in vain for a while."""
        try:
            yield
        except redis.RedisError as error:
            self._away_until = time.monotonic() + _LATE_SECONDS
            raise _outage() from error


def round_width(width: int) -> int:
    """The width that is made for a wish."""
    return next((known for known in POSTER_WIDTHS if known >= width), POSTER_WIDTHS[-1])


def _outage() -> Unavailable:
    return Unavailable("the posters cannot be read: Redis does not answer", reason="redis_unavailable")


def _shown(poster: Poster | None) -> Poster:
    if poster is None:
        raise PosterLate("no snapshot worker has made a picture in time: see that the snapshot process runs")
    return poster


def _key(device_id: str, width: int) -> str:
    return f"vas:poster:{device_id}:{width}"
