"""Live metrics of the recorders of all record workers, in Redis, for the health page."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import redis

from gateway.redis_values import accept, is_number, parse_object, require

#: The name of the output.
NAME = "hls_recorder"

_PREFIX = "vas:recorders:"
#: Interval of publishing, and expiry of the metrics of a worker that is gone.
REPORT_SECONDS = 5.0
_KEEP_SECONDS = 15


@dataclass(frozen=True, slots=True)
class RecorderMetrics:
    """Metrics of one record worker, or the sum of several.

    `index_waiting`: queued index entries. `unsafe_seconds`: age of the oldest byte that is not durable.
    """

    devices: int
    bytes_per_second: float
    index_waiting: int
    unsafe_seconds: float


class RecorderMetricsStore:
    """The metrics of every worker. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    def write(self, worker: str, metrics: RecorderMetrics) -> None:
        """Publish the metrics of `worker`; call it every REPORT_SECONDS."""
        self.client.set(_PREFIX + worker, json.dumps(asdict(metrics)), ex=_KEEP_SECONDS)

    def read(self) -> RecorderMetrics | None:
        """The metrics of all workers together; None without any."""
        keys = list(self.client.scan_iter(match=_PREFIX + "*", count=500))
        values = self.client.mget(keys) if keys else []
        parsed = [accept(self.client, "recorder's metrics", lambda v=value: _parse(v)) for value in values if value]
        found = [metrics for metrics in parsed if metrics is not None]
        if not found:
            return None
        return RecorderMetrics(
            devices=sum(metrics.devices for metrics in found),
            bytes_per_second=sum(metrics.bytes_per_second for metrics in found),
            index_waiting=sum(metrics.index_waiting for metrics in found),
            unsafe_seconds=max(metrics.unsafe_seconds for metrics in found),
        )


def _parse(text: bytes) -> RecorderMetrics:
    """Parse a worker's metrics; a worker of another version may have published more of them."""
    values = parse_object(text)
    known = {name: values.get(name, 0) for name in RecorderMetrics.__dataclass_fields__}
    require(all(map(is_number, known.values())), "they are not numbers")
    return RecorderMetrics(**known)


class MetricsMeter:
    """Turns what recorders count into metrics a second."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._bytes = 0

    def measure(
        self, devices: int, bytes_written: int, unsafe_since: Iterable[float], index_waiting: int
    ) -> RecorderMetrics:
        """The metrics since the last call; `unsafe_since` are monotonic seconds."""
        now = time.monotonic()
        rate = max(0, bytes_written - self._bytes) / max(now - self._at, 0.001)
        self._at, self._bytes = now, bytes_written
        unsafe = max((now - since for since in unsafe_since), default=0.0)
        return RecorderMetrics(devices, round(rate, 1), index_waiting, round(unsafe, 3))
