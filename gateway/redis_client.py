"""Connections to Redis: the one place for time limits and retries."""

import time

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from gateway.errors import Unavailable

#: A thread uses one connection at a time, so the threads of a process are the limit of its pool: one that is smaller
#: fails calls, and no process has as many threads as this.
_MAX_CONNECTIONS = 10_000


def connect_redis(url: str, *, timeout_seconds: float = 3.0) -> redis.Redis:
    """A thread-safe client with its own pool; `url` as `parse_redis_url` in gateway/setting_parsers.py accepts it.

    Every call ends within `timeout_seconds` (blocking reads add their own wait). Callers decide themselves whether to
    retry, so that no thread blocks on a Redis that is away. One immediate retry covers a connection that Redis closed
    while it was idle.
    """
    # A Unix socket has no keep-alive, and needs none: the kernel reports the end of the other side.
    network_options = {} if url.startswith("unix:") else {"socket_keepalive": True}
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
        max_connections=_MAX_CONNECTIONS,
        **network_options,
    )


class Outage:
    """A circuit breaker: after Redis failed to answer, optional uses of it are skipped, so that no thread waits."""

    PAUSE_SECONDS = 2.0

    def __init__(self) -> None:
        self.until = 0.0

    def begin(self) -> None:
        self.until = time.monotonic() + self.PAUSE_SECONDS

    @property
    def is_active(self) -> bool:
        return time.monotonic() < self.until


class RedisErrorsAs:
    """`with RedisErrorsAs(BusUnavailable, "the media bus does not answer"):` turns Redis errors into a domain error.

    The text of a Redis error names host and port: it becomes the error's `detail`, for the log only. Stateless.
    """

    def __init__(
        self,
        kind: type[Unavailable],
        message: str,
        *,
        reason: str | None = None,
        errors: tuple[type[Exception], ...] = (RedisError,),
    ) -> None:
        self._kind = kind
        self._message = message
        self._reason = reason
        self._errors = errors

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, self._errors):
            raise self._kind(self._message, reason=self._reason, detail=str(error)) from error


def queue_answers(*errors: type[Exception]) -> RedisErrorsAs:
    """For the queues of messages and picture requests; `errors`: a broker's errors in addition to those of Redis."""
    return RedisErrorsAs(
        Unavailable, "the queue (Redis) does not answer", reason="redis_unavailable", errors=(RedisError, *errors)
    )
