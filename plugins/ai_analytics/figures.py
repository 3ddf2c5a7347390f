"""What the analysis does now, for the API and the health check: written to Redis by the processes that do it."""

import json
from collections.abc import Iterable
from typing import Any

import redis

from gateway.redis_values import accept, parse_object

_TTL_SECONDS = 15
_MOST_BYTES = 64 << 10
_PICTURES = "vas:analytics:pictures"
_MOST_DIGITS = 15


class FiguresStore:
    """Figures of devices, and of the detectors of each process. Raises redis.RedisError when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def write_device(self, device_id: str, figures: dict[str, Any]) -> None:
        """Replace the figures of a device; they expire by themselves."""
        self._redis.set(f"vas:analytics:device:{device_id}", json.dumps(figures), ex=_TTL_SECONDS)

    def write_process(self, worker: str, figures: dict[str, Any]) -> None:
        """Replace the figures of a process."""
        self._redis.set(f"vas:analytics:process:{worker}", json.dumps(figures), ex=_TTL_SECONDS)

    def count_pictures(self, number: int) -> None:
        """Add to the number of pictures that were analysed."""
        self._redis.incrby(_PICTURES, number)

    def read_pictures(self) -> int:
        """The number of pictures that were analysed since Redis was empty."""
        found = self._redis.get(_PICTURES) or b"0"
        return int(found) if found.isdigit() and len(found) <= _MOST_DIGITS else 0

    def read_devices(self, device_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The figures of those devices that have any."""
        ids = list(device_ids)
        values = self._redis.mget([f"vas:analytics:device:{device_id}" for device_id in ids]) if ids else []
        found = {device_id: self._parse(value) for device_id, value in zip(ids, values, strict=True)}
        return {device_id: figures for device_id, figures in found.items() if figures is not None}

    def read_all(self) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        """The figures of all devices and of all processes."""
        return self._scan("vas:analytics:device:"), self._scan("vas:analytics:process:")

    def _scan(self, prefix: str) -> dict[str, dict[str, Any]]:
        keys = sorted(self._redis.scan_iter(match=f"{prefix}*", count=500))
        values = self._redis.mget(keys) if keys else []
        found = {}
        for key, value in zip(keys, values, strict=True):
            if (figures := self._parse(value)) is not None:
                found[key.decode("utf-8", "replace").removeprefix(prefix)] = figures
        return found

    def _parse(self, value: bytes | None) -> dict[str, Any] | None:
        if value is None or len(value) > _MOST_BYTES:
            return None
        return accept(self._redis, "figures of analysis", lambda: parse_object(value))
