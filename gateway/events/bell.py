"""Wakes those who follow the events, in all processes, through Redis; and carries passing facts to them.

The database is the truth: a wake-up that is lost delays an event until the next look at the table. Sending never blocks
the caller and never fails it: one thread per process sends, and many rings in a moment are sent as one.
"""

import json
import logging
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError

from gateway.config import Config
from gateway.errors import InvalidValue
from gateway.redis_client import Outage, connect_redis

logger = logging.getLogger(__name__)

#: The channels: a message on the first says that there are new events; one on the second is a passing fact.
WAKE_CHANNEL, PASSING_CHANNEL = "vas:events", "vas:events:passing"
#: Passing facts that wait to be sent; when there are more, the oldest are dropped.
_MAX_WAITING = 1000
#: Longest JSON of a passing fact.
MAX_PASSING_BYTES = 64 << 10
#: Seconds between two wake-ups of a process.
_PAUSE_SECONDS = 0.02
_TIMEOUT_SECONDS = 1.0


class Bell:
    """Sends wake-ups and passing facts of one process. Thread-safe; its thread starts with the first of them."""

    def __init__(self, redis_url: str) -> None:
        self._redis = connect_redis(redis_url, timeout_seconds=_TIMEOUT_SECONDS)
        self._lock = threading.Lock()
        self._is_due = threading.Event()
        self._is_rung = False
        self._passing: deque[str] = deque(maxlen=_MAX_WAITING)
        self._thread: threading.Thread | None = None
        self._outage = Outage()
        self._stop = threading.Event()

    def ring(self) -> None:
        """Announce that there are new events."""
        self._is_rung = True
        self._wake()

    def show(self, fact: Mapping[str, Any]) -> None:
        """Send a passing fact. Raises InvalidValue for one that is no JSON or too large."""
        try:
            text = json.dumps(fact, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            size = len(text.encode())
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidValue("data", f"'data' must be an object of JSON: {str(error)[:100]}") from None
        if size > MAX_PASSING_BYTES:
            raise InvalidValue("data", f"'data' must have at most {MAX_PASSING_BYTES} bytes as JSON, not {size}")
        self._passing.append(text)
        self._wake()

    def close(self) -> None:
        """End the thread once it has sent what is due. May be called twice."""
        self._stop.set()
        self._is_due.set()
        if self._thread is not None:
            self._thread.join(2 * _TIMEOUT_SECONDS)
        self._redis.close()

    def _wake(self) -> None:
        self._is_due.set()
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="events-bell", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            self._is_due.wait()
            self._is_due.clear()
            self._send()
            if self._stop.wait(_PAUSE_SECONDS):
                self._send()
                return

    def _send(self) -> None:
        is_rung, self._is_rung = self._is_rung, False
        texts = [self._passing.popleft() for _ in range(len(self._passing))]
        if self._outage.is_active or not (is_rung or texts):
            return
        try:
            pipeline = self._redis.pipeline(transaction=False)
            if is_rung:
                pipeline.publish(WAKE_CHANNEL, b"")
            for text in texts:
                pipeline.publish(PASSING_CHANNEL, text)
            pipeline.execute()
        except RedisError as error:
            self._outage.begin()
            logger.debug("those who follow the events are not woken: %s", error)
        except Exception:
            logger.exception("waking those who follow the events failed")


class _Hung:
    """The bell of this process."""

    bell: Bell | None = None


def hang_bell(config: Config) -> Bell:
    """Create the bell of this process. Call it after a fork, not before; a second call replaces the first bell."""
    take_bell_down()
    _Hung.bell = Bell(config.redis_url)
    return _Hung.bell


def take_bell_down() -> None:
    """Send what is due, and end the bell of this process; at its end. May be called twice."""
    bell, _Hung.bell = _Hung.bell, None
    if bell is not None:
        bell.close()


def ensure_bell(config: Config) -> None:
    """As `hang_bell`, unless this process has a bell."""
    if _Hung.bell is None:
        hang_bell(config)


def ring() -> None:
    """Announce that there are new events; in a process without a bell, those who follow find them a moment later."""
    if _Hung.bell is not None:
        _Hung.bell.ring()


def show_passing(
    tenant_id: str, device_id: str | None, kind: str, data: Mapping[str, Any], *, plugin: str | None = None
) -> None:
    """Send a passing fact to those who listen now. Raises InvalidValue for data that is no JSON or too large."""
    if _Hung.bell is not None:
        _Hung.bell.show(
            {"tenant_id": tenant_id, "device_id": device_id, "kind": kind, "plugin": plugin, "data": dict(data)}
        )
