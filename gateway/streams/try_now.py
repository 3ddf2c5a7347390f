"""A person's request to try a lost stream at once, instead of after the pause between two attempts."""

import redis

#: A request that no owner takes expires.
_KEEP_SECONDS = 60


class TryNow:
    """Requests by device, in Redis. Both methods raise redis.RedisError when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def request(self, device_id: str) -> None:
        """Ask the owner of the device's stream to end its pause."""
        self._redis.set(_key(device_id), 1, ex=_KEEP_SECONDS)

    def take(self, device_id: str) -> bool:
        """Whether there is a request, which is then done."""
        return bool(self._redis.delete(_key(device_id)))


def _key(device_id: str) -> str:
    return f"vas:try-now:{device_id}"
