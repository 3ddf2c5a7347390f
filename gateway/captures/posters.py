"""Posters: the newest picture of each device, cached in the Redis of the media bus; concurrent requests share one.

A poster is fresh for some seconds. After that the first request has a newer one made, and concurrent requests wait
for the same one. No request waits longer than about a second; then it gets the last known poster, which is kept for a
day.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import redis

from gateway.errors import Unavailable
from gateway.redis_values import accept, is_integer, is_text, parse_object
from gateway.redis_values import require as require_value

#: Widths in pixels that are made; a requested width is rounded up to the next one.
POSTER_WIDTHS = (160, 320, 480, 640, 960, 1280, 1920)

#: How long a request waits for a newer poster.
WAIT_SECONDS = 1.0
_KEEP_SECONDS = 86_400
#: After a worker or Redis did not answer, no request waits for this long.
_LATE_SECONDS = 2.0


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


class Posters:
    """The posters of all devices. Every method raises Unavailable `redis_unavailable` when Redis is away.

    No method waits. The caller asks `known`, then takes part in a Flight, of which this process has one per poster.
    """

    def __init__(self, client: redis.Redis, *, fresh_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self.fresh_seconds = fresh_seconds
        self._redis = client
        self._clock = clock
        self._lock = threading.Lock()
        self._flights: dict[tuple[str, int], Flight] = {}
        self._late_until = 0.0
        self._away_until = 0.0

    def known(self, device_id: str, width: int) -> tuple[Poster | None, bool]:
        """The last poster of a device, and whether it is to be used as it is; `width` is one of POSTER_WIDTHS.

        Raises PosterLate if there is none, and no worker answered a moment ago.
        """
        if time.monotonic() < self._away_until:
            raise _outage()
        poster = self._read(device_id, width)
        if poster is not None and self.seconds_left(poster) > 0:
            return poster, True
        if time.monotonic() < self._late_until:
            return require(poster), True
        return poster, False

    def join(self, device_id: str, width: int) -> tuple["Flight", bool]:
        """The Flight of a poster, and whether the caller is the first, who makes the poster and ends the Flight."""
        key = (device_id, width)
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = Flight(self, device_id, width)
            return flight, True

    def seconds_left(self, poster: Poster) -> float:
        """How long the poster stays fresh."""
        return self.fresh_seconds - abs(self._clock() - poster.checked_ms / 1000)

    def note_late(self) -> None:
        """No worker answered: for some time, no request waits for one."""
        self._late_until = time.monotonic() + _LATE_SECONDS

    def fresh(self, device_id: str, width: int) -> Poster | None:
        """The poster, if another request or process has made it by now."""
        poster = self._read(device_id, width)
        return poster if poster is not None and self.seconds_left(poster) > 0 else None

    def claim(self, device_id: str, width: int) -> bool:
        """Whether this process may make the poster; the claim expires if the process ends."""
        with self._translate_errors():
            return bool(self._redis.set(_claim_key(device_id, width), 1, nx=True, px=int(WAIT_SECONDS * 3000)))

    def unclaim(self, device_id: str, width: int) -> None:
        with self._translate_errors():
            self._redis.delete(_claim_key(device_id, width))

    def keep(self, device_id: str, width: int, poster: Poster) -> Poster:
        """Store a poster that was made now; returns it with the time of this check."""
        poster = replace(poster, checked_ms=int(self._clock() * 1000))
        self._write(device_id, width, poster)
        return poster

    def forget(self, flight: "Flight") -> None:
        with self._lock:
            if self._flights.get((flight.device_id, flight.width)) is flight:
                del self._flights[flight.device_id, flight.width]

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

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Turn Redis errors into Unavailable; for some time afterwards, other requests fail without waiting."""
        try:
            yield
        except redis.RedisError as error:
            self._away_until = time.monotonic() + _LATE_SECONDS
            raise _outage() from error


class Flight:
    """A poster that one request makes while others wait for it."""

    def __init__(self, posters: Posters, device_id: str, width: int) -> None:
        self.device_id = device_id
        self.width = width
        #: The poster, or None if none was made.
        self.ended: Future[Poster | None] = Future()
        self._posters = posters
        self._is_claimed = False

    def claim(self) -> bool:
        """Whether this process may make the poster; otherwise another one is making it."""
        self._is_claimed = self._posters.claim(self.device_id, self.width)
        return self._is_claimed

    def end(self, poster: Poster) -> Poster:
        """The poster was made: store it, and give it to all who wait."""
        kept = self._posters.keep(self.device_id, self.width, poster)
        self._end(kept)
        return kept

    def close(self, poster: Poster | None = None) -> None:
        """End the flight if it has not ended, with the poster of another process or with none. May be called twice."""
        self._end(poster)
        if self._is_claimed:
            self._is_claimed = False
            with suppress(Unavailable):
                self._posters.unclaim(self.device_id, self.width)

    def _end(self, poster: Poster | None) -> None:
        self._posters.forget(self)
        with suppress(InvalidStateError):
            self.ended.set_result(poster)


def round_width(width: int) -> int:
    """The width that is made for a requested width."""
    return next((known for known in POSTER_WIDTHS if known >= width), POSTER_WIDTHS[-1])


def _outage() -> Unavailable:
    return Unavailable("the posters cannot be read: Redis does not answer", reason="redis_unavailable")


def require(poster: Poster | None) -> Poster:
    """The poster; raises PosterLate without one."""
    if poster is None:
        raise PosterLate("no snapshot worker has made a picture in time: check that the snapshot process runs")
    return poster


def _decode(data: bytes) -> Poster:
    """The reverse of what `_write` stores. Raises RefusedValue."""
    header, _, picture = data.partition(b"\n")
    values = parse_object(header)
    require_value(values.keys() == {"at_ms", "message", "checked_ms"}, "it has not the values of a poster")
    require_value(values["at_ms"] is None or is_integer(values["at_ms"]), "'at_ms' is not a time")
    require_value(is_integer(values["checked_ms"]), "'checked_ms' is not a time")
    require_value(values["message"] is None or is_text(values["message"], 10_000), "'message' is not a text")
    require_value(not picture or picture.startswith(b"\xff\xd8"), "its picture is not a JPEG")
    return Poster(picture, **values)


def _claim_key(device_id: str, width: int) -> str:
    return f"{_key(device_id, width)}:claim"


def _key(device_id: str, width: int) -> str:
    return f"vas:poster:{device_id}:{width}"
