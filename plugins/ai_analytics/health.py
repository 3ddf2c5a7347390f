"""The component `analytics` of `/api/v1/health` and `vas doctor`."""

from typing import Any

import redis

from gateway.plugin_api import ComponentHealth, Config, HealthCheck, connect_redis
from plugins.ai_analytics.figures import FiguresStore

_REMEDY = "see the options of the plugin 'ai_analytics', and the log of its process"


def build_health_check(config: Config) -> HealthCheck:
    """Build the health check of all analyses."""
    store = FiguresStore(connect_redis(config.redis_url, timeout_seconds=1.0))
    return HealthCheck("analytics", lambda: check_analytics(store))


def check_analytics(store: FiguresStore) -> ComponentHealth:
    """Whether detectors work, and whether all pictures that are wanted are analysed."""
    try:
        devices, processes = store.read_all()
    except redis.RedisError:
        return ComponentHealth("degraded", "unknown while Redis does not answer", "check REDIS_URL")
    detectors = [one for process in processes.values() for one in process.get("detectors") or ()]
    detail: dict[str, Any] = {
        "devices": len(devices),
        "wanted_pictures_per_second": round(sum(one.get("wanted_fps") or 0 for one in devices.values()), 1),
        "given_pictures_per_second": round(sum(one.get("given_fps") or 0 for one in devices.values()), 1),
        "detectors": detectors,
        "waiting_events": sum(one.get("waiting_events") or 0 for one in processes.values()),
    }
    broken = next((one for one in detectors if one.get("problem")), None)
    if broken is not None:
        return ComponentHealth("degraded", f"detector '{broken['name']}': {broken['problem']}", _REMEDY, detail)
    slowed = sum(bool(one.get("is_slowed")) for one in devices.values())
    if slowed:
        return ComponentHealth(
            "degraded",
            f"fewer pictures than wanted are analysed for {slowed} of {len(devices)} devices: the machine is too busy",
            "analyse fewer devices or fewer pictures a second, or start more analytics processes",
            detail,
        )
    lost = sum(one.get("lost_events") or 0 for one in processes.values())
    problem = next((one["problem"] for one in processes.values() if one.get("problem")), None)
    if lost or problem:
        reason = f"{lost} events were lost" if lost else f"events wait: {problem}"
        return ComponentHealth("degraded", reason, "check the database", detail)
    return ComponentHealth("ok", detail=detail)
