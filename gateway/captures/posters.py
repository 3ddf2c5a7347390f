"""Posters: the newest picture of each device, cached in the Redis of the media bus; concurrent requests share one.

A poster is fresh for some seconds. After that the first request has a newer one made, and concurrent requests wait
for the same one. No request waits longer than about a second; then it gets the last known poster, which is kept for a
day.
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
from gateway.redis_values import accept, is_integer, is_text, parse_object, require

#: Widths in pixels that are made; a requested width is rounded up to the next one.
POSTER_WIDTHS = (160, 320, 480, 640, 960, 1280, 1920)

#: How long a request waits for a newer poster.
WAIT_SECONDS = 1.0
_KEEP_SECONDS = 86_400
#: After a worker or Redis did not answer, no request waits for this long.
_LATE_SECONDS = 2.0
_POLL_SECONDS = 0.05


class PosterLate(Unavailable):
    """No snapshot worker answered in time."""

    reason = "no_worker"


@dataclass(frozen=True, slots=True)
class Poster:
    """A JPEG that was taken at `at_ms` (ms since 1970, UTC); with `at_ms` None there is none, for the reason `message`.

    `checked_ms` is the time at which it was known to be the newest picture.
    """

    picture: bytes = field(default=b"", repr=False)
    at_ms: int | None = None
    message: str = ""
    checked_ms: int = 0


class _Flight:
    """A poster that one thread makes while others wait for it."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.poster: Poster | None = None


class Posters:
    """The posters of all devices. Every method raises Unavailable `redis_unavailable` when Redis is away."""

    def __init__(
        self, client: redis.Redis, *, fresh_seconds: float, slots: int, clock: Callable[[], float] = time.time
    ) -> None:
        """`slots`: the number of threads of this process that may wait for posters at once."""
        self.fresh_seconds = fresh_seconds
        self._redis = client
        self._clock = clock
        self._slots = threading.BoundedSemaphore(slots)
        self._lock = threading.Lock()
        self._flights: dict[tuple[str, int], _Flight] = {}
        self._late_until = 0.0
        self._away_until = 0.0

    def get(self, device_id: str, width: int, make: Callable[[Poster | None], Poster]) -> Poster:
        """The poster of a device; `width` is one of POSTER_WIDTHS.

        `make` takes the last known poster and returns a newer one, or the same if there is none. Raises PosterLate if
        `make` did so and no poster is known yet.
        """
        if time.monotonic() < self._away_until:
            raise _outage()
        known = self._read(device_id, width)
        if known is not None and self.seconds_left(known) > 0:
            return known
        if time.monotonic() < self._late_until:
            return _require(known)
        key = (device_id, width)
        with self._lock:
            flight = self._flights.get(key)
            is_first = flight is None
            if flight is None:
                flight = self._flights[key] = _Flight()
        if not is_first:
            flight.ended.wait(WAIT_SECONDS)
            return _require(flight.poster or known)
        try:
            flight.poster = self._renew(device_id, width, known, make)
            return _require(flight.poster)
        finally:
            with self._lock:
                del self._flights[key]
            flight.ended.set()

    def seconds_left(self, poster: Poster) -> float:
        """How long the poster stays fresh."""
        return self.fresh_seconds - abs(self._clock() - poster.checked_ms / 1000)

    def _renew(
        self, device_id: str, width: int, known: Poster | None, make: Callable[[Poster | None], Poster]
    ) -> Poster | None:
        if not self._slots.acquire(timeout=WAIT_SECONDS if known is None else 0.1):
            return known
        try:
            if not self._claim(device_id, width):
                return self._await_other(device_id, width) or known
            try:
                # Another process may have made one since the last read.
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
            self._slots.release()

    def _await_other(self, device_id: str, width: int) -> Poster | None:
        """Wait for the poster that another process makes; None if it takes too long."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            poster = self._read(device_id, width)
            if poster is not None and self.seconds_left(poster) > 0:
                return poster
        return None

    def _read(self, device_id: str, width: int) -> Poster | None:
        with self._translate_errors():
            data = self._redis.get(_key(device_id, width))
        if data is None:
            return None
        return accept(self._redis, "poster", lambda: _decode(data))

    def _write(self, device_id: str, width: int, poster: Poster) -> None:
        header: dict[str, Any] = {"at_ms": poster.at_ms, "message": poster.message, "checked_ms": poster.checked_ms}
        with self._translate_errors():
            self._redis.set(
                _key(device_id, width), json.dumps(header).encode() + b"\n" + poster.picture, ex=_KEEP_SECONDS
            )

    def _claim(self, device_id: str, width: int) -> bool:
        """Whether this process may make the poster; the claim expires if the process ends."""
        with self._translate_errors():
            return bool(self._redis.set(_key(device_id, width) + ":claim", 1, nx=True, px=int(WAIT_SECONDS * 3000)))

    def _unclaim(self, device_id: str, width: int) -> None:
        with self._translate_errors():
            self._redis.delete(_key(device_id, width) + ":claim")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Turn Redis errors into Unavailable; for some time afterwards, other requests fail without waiting."""
        try:
            yield
        except redis.RedisError as error:
            self._away_until = time.monotonic() + _LATE_SECONDS
            raise _outage() from error


def round_width(width: int) -> int:
    """The width that is made for a requested width."""
    return next((known for known in POSTER_WIDTHS if known >= width), POSTER_WIDTHS[-1])


def _outage() -> Unavailable:
    return Unavailable("the posters cannot be read: Redis does not answer", reason="redis_unavailable")


def _require(poster: Poster | None) -> Poster:
    if poster is None:
        raise PosterLate("no snapshot worker has made a picture in time: check that the snapshot process runs")
    return poster


def _decode(data: bytes) -> Poster:
    """The reverse of what `_write` stores. Raises RefusedValue."""
    header, _, picture = data.partition(b"\n")
    values = parse_object(header)
    require(values.keys() == {"at_ms", "message", "checked_ms"}, "it has not the values of a poster")
    require(values["at_ms"] is None or is_integer(values["at_ms"]), "'at_ms' is not a time")
    require(is_integer(values["checked_ms"]), "'checked_ms' is not a time")
    require(values["message"] is None or is_text(values["message"], 10_000), "'message' is not a text")
    require(not picture or picture.startswith(b"\xff\xd8"), "its picture is not a JPEG")
    return Poster(picture, **values)


def _key(device_id: str, width: int) -> str:
    return f"vas:poster:{device_id}:{width}"
