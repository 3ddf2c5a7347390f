"""The component `recorder` of `/api/v1/health` and `vas doctor`."""

import time
from dataclasses import asdict
from typing import Any

import redis

from gateway import database
from gateway.config import Config
from gateway.footage.recorder_state import read_observed
from gateway.footage.recordings import recordings_wanted
from gateway.hookspecs import ComponentHealth, HealthCheck
from gateway.redis_client import connect_redis
from gateway.states import reason_for
from plugins.hls_recorder.metrics import RecorderMetricsStore

#: Reasons that lie in the recorder or its disk; an offline camera is no fault of recording.
_OUR_REASONS = frozenset(
    {
        "disk_full",
        "storage_unmounted",
        "storage_read_only",
        "storage_failed",
        "file_missing",
        "recorder_away",
        "too_slow",
        "bus_lost",
    }
)
#: Age of data that is not durable from which on health is degraded.
_UNSAFE_SECONDS = 5.0


def build_health_check(config: Config) -> HealthCheck:
    """Build the health check of all recorders."""
    metrics_store = RecorderMetricsStore(connect_redis(config.redis_url, timeout_seconds=1.0))
    return HealthCheck("recorder", lambda: check_recorders(metrics_store))


def check_recorders(metrics_store: RecorderMetricsStore) -> ComponentHealth:
    """Whether all wanted footage is recorded, apart from reasons that lie in cameras."""
    try:
        wanted = set(recordings_wanted(round(time.time() * 1000)))
        rows = read_observed()
    except database.DatabaseUnavailable:
        return ComponentHealth("down", "unknown while the database does not answer", "check DATABASE_URL")
    states = [(observed, reason) for device_id, observed, reason in rows if device_id in wanted]
    detail: dict[str, Any] = {
        "wanted": len(wanted),
        "recording": sum(observed == "recording" for observed, _ in states),
    }
    try:
        metrics = metrics_store.read()
    except redis.RedisError:
        metrics = None
    if metrics is not None:
        detail |= asdict(metrics)
    hindered = [reason for observed, reason in states if observed == "interrupted" and reason in _OUR_REASONS]
    if hindered:
        worst = reason_for(max(sorted(set(hindered)), key=hindered.count))
        return ComponentHealth(
            "degraded",
            f"{len(hindered)} of {len(wanted)} devices are not recorded: {worst.message}",
            worst.remedy,
            detail,
        )
    if metrics is not None and metrics.unsafe_seconds > _UNSAFE_SECONDS:
        return ComponentHealth(
            "degraded",
            f"footage has waited {metrics.unsafe_seconds:.0f} s to be written durably to its disk",
            "use a faster disk, or fewer devices on it",
            detail,
        )
    return ComponentHealth("ok", detail=detail)
