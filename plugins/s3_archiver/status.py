"""The state of the uploads: measured in the uploading process, published in Redis, read by the API and health."""

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import redis

from gateway.redis_values import accept, parse_object, require
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.settings import Settings

_KEY = "vas:s3_archiver:status"
_RETRY = "vas:s3_archiver:retry"
#: A state that was not renewed for so long is that of a dead process.
_KEEP_SECONDS = 30
#: Windows of the rate of upload, and of the rate at which the backlog shrinks.
_RATE_SECONDS = 60.0
_DRAIN_SECONDS = 600.0

UNCONFIGURED, IDLE, UPLOADING, CLOSED, FAILING = STATES = ("unconfigured", "idle", "uploading", "closed", "failing")


@dataclass(frozen=True, slots=True)
class Waiting:
    """The backlog. `oldest_at` is the capture or creation time of the oldest; `objects` counts files but segments."""

    bytes: int = 0
    objects: int = 0
    oldest_at: datetime | None = None
    failing: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """The state as the API shows it. Times are RFC 3339 texts, None where there is none."""

    state: str
    reason: dict[str, str] | None = None
    failing_since: str | None = None
    next_try_at: str | None = None
    backlog_bytes: int = 0
    backlog_objects: int = 0
    oldest_at: str | None = None
    failing_objects: int = 0
    bytes_per_second: float = 0.0
    ends_at: str | None = None
    uploaded_bytes: int = 0
    uploaded_objects: int = 0
    warn_hours: int = 24
    active: list[dict[str, Any]] = field(default_factory=list)
    updated_at: str | None = None


class Meter:
    """Counts what is uploaded and how the backlog changes. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: deque[tuple[float, int]] = deque()
        self._sizes: deque[tuple[float, int]] = deque()
        self.backlog = Waiting()
        self.bytes = self.objects = 0

    def sent(self, count: int) -> None:
        """Bytes that were read for an upload."""
        now = self._clock()
        with self._lock:
            self._sent.append((now, count))
            _forget(self._sent, now - _RATE_SECONDS)

    def done(self, size: int) -> None:
        """A verified object."""
        with self._lock:
            self.bytes, self.objects = self.bytes + size, self.objects + 1

    def set_backlog(self, backlog: Waiting) -> None:
        """The backlog as it was counted now."""
        now = self._clock()
        with self._lock:
            self.backlog = backlog
            self._sizes.append((now, backlog.bytes))
            _forget(self._sizes, now - _DRAIN_SECONDS)

    def rate(self) -> float:
        """Bytes a second over the last minute."""
        now = self._clock()
        with self._lock:
            _forget(self._sent, now - _RATE_SECONDS)
            if not self._sent:
                return 0.0
            return sum(count for _, count in self._sent) / max(now - self._sent[0][0], 1.0)

    def seconds_left(self) -> float | None:
        """Seconds until the backlog is empty at the rate at which it shrinks; None while it does not."""
        with self._lock:
            if not self.backlog.bytes:
                return 0.0
            if len(self._sizes) < 2:
                return None
            (first_at, first), (last_at, last) = self._sizes[0], self._sizes[-1]
        if last >= first or last_at <= first_at:
            return None
        return last / ((first - last) / (last_at - first_at))


def build_status(
    *,
    settings: Settings,
    failure: StoreFailure | None,
    failed_since: datetime | None,
    next_try_at: datetime | None,
    opens_in: float,
    active: list[tuple[str, str, int, int]],
    meter: Meter,
    now: datetime,
) -> Status:
    """Put the parts together."""
    backlog, left = meter.backlog, meter.seconds_left()
    if settings.bucket is None:
        state = UNCONFIGURED
    elif failure is not None:
        state = FAILING
    elif opens_in > 0:
        state, next_try_at = CLOSED, now + timedelta(seconds=opens_in)
    else:
        state = UPLOADING if active else IDLE
    return Status(
        state=state,
        reason=None if failure is None else describe_failure(failure),
        failing_since=_text(failed_since),
        next_try_at=_text(next_try_at),
        backlog_bytes=backlog.bytes,
        backlog_objects=backlog.objects,
        oldest_at=_text(backlog.oldest_at),
        failing_objects=backlog.failing,
        bytes_per_second=round(meter.rate(), 1),
        ends_at=_text(now + timedelta(seconds=left)) if left and left < 10 * 366 * 86_400 else None,
        uploaded_bytes=meter.bytes,
        uploaded_objects=meter.objects,
        warn_hours=settings.uploads.warn_hours,
        active=[{"kind": kind, "key": key, "size": size, "sent": sent} for kind, key, size, sent in active],
        updated_at=_text(now),
    )


def describe_failure(failure: StoreFailure) -> dict[str, str]:
    """A failure as the API shows it."""
    return {
        "code": failure.reason,
        "message": failure.message,
        "remedy": failure.remedy,
        "detail": failure.detail[:300],
    }


class StatusStore:
    """The state in Redis. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._seen: bytes | None = None

    def write(self, status: Status) -> None:
        """Publish the state; call it every few seconds."""
        self._client.set(_KEY, json.dumps(asdict(status)), ex=_KEEP_SECONDS)

    def read(self) -> Status | None:
        """The state of the uploading process; None if there is none."""
        text = self._client.get(_KEY)
        return None if text is None else accept(self._client, "archiver's state", lambda: _parse(text))

    def ask_to_retry(self) -> None:
        """Ask the uploading process to try at once what waits after failures."""
        self._client.incr(_RETRY)

    def asked_to_retry(self) -> bool:
        """Whether `ask_to_retry` was called since the last look; the first look only remembers."""
        found = self._client.get(_RETRY) or b"0"
        seen, self._seen = self._seen, found
        return seen is not None and seen != found


def _parse(text: bytes) -> Status:
    """Parse a state; that of another version may have other fields."""
    values = parse_object(text)
    known = {name: values[name] for name in Status.__dataclass_fields__ if name in values}
    require(known.get("state") in STATES, "it has no state")
    require(known.get("reason") is None or isinstance(known["reason"], dict), "its reason is no object")
    require(isinstance(known.get("active", []), list), "its uploads are no list")
    return Status(**known)


def _forget(entries: deque[tuple[float, int]], before: float) -> None:
    while entries and entries[0][0] < before:
        entries.popleft()


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
