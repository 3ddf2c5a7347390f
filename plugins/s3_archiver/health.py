"""The component `s3_archiver` of `/api/v1/health` and `vas doctor`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import redis

from gateway.plugin_api import (
    ComponentHealth,
    DatabaseUnavailable,
    HealthCheck,
    PluginContext,
    PluginError,
    connect_redis,
)
from plugins.s3_archiver.settings import read_settings
from plugins.s3_archiver.status import CLOSED, FAILING, UNCONFIGURED, Status, StatusStore

_NO_PROCESS = ComponentHealth(
    "degraded",
    "nothing uploads: the service of s3_archiver does not run",
    "start the process 'plugins' (python -m workers plugins), or see its log",
)


def build_health_check(plugin: PluginContext) -> HealthCheck:
    """Build the check of the uploads."""
    store = StatusStore(connect_redis(plugin.config.redis_url, timeout_seconds=1.0))
    return HealthCheck("s3_archiver", lambda: check_uploads(plugin, store))


def check_uploads(plugin: PluginContext, store: StatusStore) -> ComponentHealth:
    """Whether what is to be archived arrives; `ok` without a bucket."""
    try:
        is_configured = read_settings(plugin.options.installation()).bucket is not None
    except (DatabaseUnavailable, PluginError):
        return ComponentHealth("degraded", "its options cannot be read", "see the components 'database' and 'plugins'")
    if not is_configured:
        return ComponentHealth("ok", detail={"state": UNCONFIGURED})
    try:
        status = store.read()
    except redis.RedisError:
        return ComponentHealth("degraded", "unknown while Redis does not answer", "see the component 'redis'")
    return _NO_PROCESS if status is None else judge(status, datetime.now(UTC))


def judge(status: Status, now: datetime) -> ComponentHealth:
    """The health of a state."""
    detail = _detail(status)
    if status.state == FAILING and status.reason:
        waiting = f"; {_amount(status)} wait" if status.backlog_bytes else ""
        return ComponentHealth("degraded", f"{status.reason['message']}{waiting}", status.reason["remedy"], detail)
    age = now - datetime.fromisoformat(status.oldest_at) if status.oldest_at else timedelta()
    # A backlog that shrinks, such as the footage of years at the beginning, needs nobody.
    if age > timedelta(hours=status.warn_hours) and status.ends_at is None:
        return ComponentHealth(
            "degraded",
            f"{_amount(status)} wait for their upload, the oldest for {age.total_seconds() / 3600:.0f} hours",
            "allow more bandwidth or hours, use a faster connection, or archive less"
            if status.state != CLOSED
            else "make the window of the uploads longer, or archive less",
            detail,
        )
    return ComponentHealth("ok", detail=detail)


def _amount(status: Status) -> str:
    return f"{status.backlog_bytes / 1e9:.1f} GB"


def _detail(status: Status) -> dict[str, Any]:
    names = ("state", "backlog_bytes", "backlog_objects", "oldest_at", "failing_objects", "bytes_per_second", "ends_at")
    return {name: getattr(status, name) for name in names}
