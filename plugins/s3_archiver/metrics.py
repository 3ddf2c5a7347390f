"""Figures of the uploads for monitoring."""

import time
from collections.abc import Callable
from datetime import datetime

from gateway.plugin_api import Metric, PluginContext, connect_redis
from plugins.s3_archiver.status import STATES, Status, StatusStore

#: What the metrics here read.
Value = int | float | list[tuple[dict[str, str], float]] | None


def build_metrics(plugin: PluginContext) -> list[Metric]:
    """Build the metrics of the uploads."""
    return metrics_of(StatusStore(connect_redis(plugin.config.redis_url, timeout_seconds=1.0)).read, time.time)


def metrics_of(read: Callable[[], Status | None], now: Callable[[], float]) -> list[Metric]:
    """The metrics of the state that `read` returns; none of them has a value while no process uploads."""

    def of(value: Callable[[Status], Value]) -> Callable[[], Value]:
        def read_value() -> Value:
            status = read()
            return None if status is None else value(status)

        return read_value

    def oldest(status: Status) -> float:
        return max(0.0, now() - datetime.fromisoformat(status.oldest_at).timestamp()) if status.oldest_at else 0.0

    def states(status: Status) -> Value:
        return [({"state": state}, int(status.state == state)) for state in STATES]

    return [
        Metric("state", "gauge", "1 for the present state of the uploads.", of(states)),
        Metric(
            "uploaded_bytes_total",
            "counter",
            "Verified uploads since the start of the process that uploads.",
            of(lambda status: status.uploaded_bytes),
            unit="bytes",
        ),
        Metric(
            "uploaded_objects_total",
            "counter",
            "Verified uploads since the start of the process that uploads.",
            of(lambda status: status.uploaded_objects),
        ),
        Metric(
            "backlog_bytes",
            "gauge",
            "What waits for its upload.",
            of(lambda status: status.backlog_bytes),
            unit="bytes",
        ),
        Metric(
            "failing_objects", "gauge", "Files that failed by themselves.", of(lambda status: status.failing_objects)
        ),
        Metric(
            "oldest_seconds", "gauge", "Age of the oldest that waits; 0 if nothing does.", of(oldest), unit="seconds"
        ),
    ]
