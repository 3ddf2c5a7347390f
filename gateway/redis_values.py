"""Checks of what comes out of Redis, because others may be able to write to it.

A value of the wrong shape, or one that names what belongs to another tenant, is refused, counted and logged; it never
reaches a path, a query or the code of a caller.
"""

import json
import logging
import math
import re
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis

log = logging.getLogger(__name__)

_COUNTS = "vas:refused"
#: Seconds after which the counts are forgotten if nothing more was refused.
KEEP_SECONDS = 3600
#: Log lines about one kind of value are this many seconds apart.
_LOG_SECONDS = 10.0

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
#: Larger numbers are not exact in JSON.
_MAX_INTEGER = 2**53

T = TypeVar("T")

_lock = threading.Lock()
_logged_at: dict[str, float] = {}


class RefusedValue(ValueError):
    """A value from Redis that is not what it should be; the text says what is wrong with it."""


def require(condition: bool, problem: str) -> None:
    """Raise RefusedValue unless the condition holds."""
    if not condition:
        raise RefusedValue(problem)


def is_id(value: Any) -> bool:
    """Whether the value may be an id: no path, no pattern, no key of another kind."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_integer(value: Any, low: int = 0, high: int = _MAX_INTEGER) -> bool:
    """Whether the value is an integer (not a boolean) from `low` to `high`."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_number(value: Any, low: float = 0.0, high: float = float(_MAX_INTEGER)) -> bool:
    """Whether the value is a finite number from `low` to `high`."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high
    )


def is_text(value: Any, most: int) -> bool:
    """Whether the value is a text of at most so many characters."""
    return isinstance(value, str) and len(value) <= most


def parse_object(text: bytes | str) -> dict[str, Any]:
    """Parse a JSON object. Raises RefusedValue."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise RefusedValue("it is not JSON") from None
    require(isinstance(values, dict), "it is not an object")
    return values


def accept(client: redis.Redis, kind: str, parse: Callable[[], T]) -> T | None:
    """Return what `parse` returns; None, after counting it, if it raises RefusedValue."""
    try:
        return parse()
    except RefusedValue as error:
        note_refusal(client, kind, str(error))
        return None


def note_refusal(client: redis.Redis, kind: str, problem: str) -> None:
    """Count and log a refused value of a kind, such as `capture request`. Never raises because Redis is away."""
    now = time.monotonic()
    with _lock:
        is_due = now - _logged_at.get(kind, -_LOG_SECONDS) >= _LOG_SECONDS
        if is_due:
            _logged_at[kind] = now
    if is_due:
        log.warning("refused a %s in Redis: %s", kind, problem)
    try:
        pipeline = client.pipeline()
        pipeline.hincrby(_COUNTS, kind, 1)
        pipeline.expire(_COUNTS, KEEP_SECONDS)
        pipeline.execute()
    except redis.RedisError as error:
        log.debug("the refusal is not counted: %s", error)


def read_refusals(client: redis.Redis) -> dict[str, int]:
    """The number of refused values of late by their kind. Raises redis.RedisError."""
    counts = client.hgetall(_COUNTS)
    return {
        kind.decode("utf-8", "replace"): int(count)
        for kind, count in sorted(counts.items())
        if count.isdigit() and len(count) <= 18 and len(kind) <= 64
    }
