"""The component `recorder` of `/api/v1/health` and `vas doctor`."""

from dataclasses import asdict
from typing import Any

import redis

from gateway.footage.recorder_status import RECORDER_REASONS, EvidenceReader, read_wanted_statuses
from gateway.plugin_api import (
    ComponentHealth,
    Config,
    DatabaseUnavailable,
    HealthCheck,
    connect_redis,
    reason_for,
)
from plugins.hls_recorder.metrics import NAME, RecorderMetricsStore

#: Age of data that is not durable from which on health is degraded.
_UNSAFE_SECONDS = 5.0


def build_health_check(config: Config) -> HealthCheck:
    """Build the health check of all recorders."""
    metrics_store = RecorderMetricsStore(connect_redis(config.redis_url, timeout_seconds=1.0))
    return HealthCheck("recorder", lambda: check_recorders(metrics_store))


def check_recorders(metrics_store: RecorderMetricsStore) -> ComponentHealth:
    """Whether all wanted footage is recorded, apart from reasons that lie in cameras."""
    try:
        statuses = read_wanted_statuses(EvidenceReader(metrics_store.client, recorder=lambda: NAME))
    except DatabaseUnavailable:
        return ComponentHealth("down", "unknown while the database does not answer", "check DATABASE_URL")
    detail: dict[str, Any] = {
        "wanted": len(statuses),
        "recording": sum(status.observed == "recording" for status in statuses),
    }
    try:
        metrics = metrics_store.read()
    except redis.RedisError:
        metrics = None
    if metrics is not None:
        detail |= asdict(metrics)
    hindered = [status.reason.code for status in statuses if status.reason and status.reason.code in RECORDER_REASONS]
    if hindered:
        worst = reason_for(max(sorted(set(hindered)), key=hindered.count))
        return ComponentHealth(
            "degraded",
            f"{len(hindered)} of {len(statuses)} devices are not recorded: {worst.message}",
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
