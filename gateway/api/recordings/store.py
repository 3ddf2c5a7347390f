"""The state of the store, as the API shows it: what housekeeping says, and the room that there is now."""

from typing import Any

import redis

from gateway.api.base import current_scope, services
from gateway.api.recordings.views import now_ms, recorded_sums
from gateway.models.recording_lists import bytes_of_all
from gateway.models.usage import bytes_per_hour
from gateway.retention import free_bytes_floor
from gateway.states import reason_for
from gateway.storage import Space, StorageUnavailable, open_storage
from gateway.storage_report import OK, UNAVAILABLE, StorageReport, StorageReports


def storage_view() -> dict[str, Any]:
    """As in the schema `Storage`; never fails for want of the store itself."""
    config = services().config
    used, per_day = bytes_of_all(current_scope(), now_ms(), recorded_sums())
    view: dict[str, Any] = {
        "state": OK, "reason": None, "total_bytes": None, "free_bytes": None, "used_by_recordings_bytes": used,
        "floor_bytes": None, "bytes_per_day": per_day, "days_left": None,
    }
    report = _read_report()
    if report is not None and report.state != OK:
        view["state"] = report.state
        view["reason"] = reason_for(report.reason or "storage_failed", report.message or None)
    storage = open_storage(config)
    try:
        if report is not None or used:
            storage.check()  # a new installation has no store before its first recording
        space = storage.space()
    except StorageUnavailable as error:
        if report is None and not used:
            return view
        return view | {"state": UNAVAILABLE, "reason": reason_for(error.reason, error.message)}
    floor = free_bytes_floor(config, space, bytes_per_hour(now_ms()))
    return view | {
        "total_bytes": space.total,
        "free_bytes": space.free,
        "floor_bytes": floor,
        "days_left": _days_left(space, floor, per_day),
    }


def _days_left(space: Space, floor: int, per_day: int) -> float | None:
    return round(max(0, space.free - floor) / per_day, 2) if per_day > 0 else None


def _read_report() -> StorageReport | None:
    wired = services()
    if wired.redis_outage.lasts:
        return None
    try:
        return StorageReports(wired.redis).read()
    except redis.RedisError:
        wired.redis_outage.begins()
        return None
