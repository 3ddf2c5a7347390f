"""Connections to Redis: one place for time limits and retries."""

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

#: What a caller catches when Redis is away, also in the midst of a restart.
RedisDown = RedisError


def connect_redis(url: str, *, timeout_seconds: float = 3.0) -> redis.Redis:
    """A thread-safe client with its own pool.

    Every call ends within `timeout_seconds` (blocking reads add their own wait): a caller decides
    itself whether to try again, so that no thread is ever stuck on a Redis that is away. One retry at once
    covers a connection that Redis closed while it was idle.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
    )
