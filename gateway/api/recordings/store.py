"""The state of the storage as the API shows it: the report of housekeeping, and the space that is free now."""

import math
import threading
import time
from typing import Any

import redis
from flask import current_app

from gateway.api.base import current_scope, services
from gateway.api.footage.views import recorded_sums
from gateway.api.recordings.archives import archive_view
from gateway.api.time_fields import now_ms
from gateway.clock import DAY_MS
from gateway.config import Config
from gateway.footage.lists import Usage, usage_of_all
from gateway.footage.recordings import Recording
from gateway.footage.segments import FIFTEEN_MINUTES_MS
from gateway.states import reason_for
from gateway.storage.forecast import Growth, Kept, days_until_full, kept_days, shared_days
from gateway.storage.interface import StorageUnavailable
from gateway.storage.limits import free_bytes_floor, limits_of
from gateway.storage.local import open_storage
from gateway.storage.report import OK, UNAVAILABLE, StorageReport, StorageReports
from gateway.storage.usage import bytes_per_hour

#: Age of the cached growth of all recordings at which it is read again.
_FORECAST_SECONDS = 30.0


def storage_view() -> dict[str, Any]:
    """As in the schema `Storage`; does not fail if the storage is unavailable."""
    config = services().config
    now = now_ms()
    usages = usage_of_all(current_scope(), now, recorded_sums())
    used, per_day = sum(usage.bytes for usage in usages), sum(usage.day_bytes for usage in usages)
    view: dict[str, Any] = {
        "state": OK,
        "reason": None,
        "total_bytes": None,
        "free_bytes": None,
        "used_by_recordings_bytes": used,
        "archive": archive_view(usages),
        "floor_bytes": None,
        "bytes_per_day": per_day,
        "days_left": None,
        "keep_bytes": config.keep_bytes or None,
        "tenant_keep_bytes": config.tenant_keep_bytes or None,
    }
    report = _read_report()
    if report is not None and report.state != OK:
        view["state"] = report.state
        view["reason"] = reason_for(report.reason or "storage_failed", report.message or None)
    storage = open_storage(config)
    try:
        if report is not None or used:
            storage.check()  # a new installation has no storage before its first recording
        space = storage.space()
    except StorageUnavailable as error:
        if report is None and not used:
            return view
        return view | {"state": UNAVAILABLE, "reason": reason_for(error.reason, error.message)}
    floor = free_bytes_floor(config, space, bytes_per_hour(now))
    return view | {
        "total_bytes": space.total,
        "free_bytes": space.free,
        "floor_bytes": floor,
        "days_left": _days_left(usages, max(0, space.free - floor), now, config),
    }


def forget_doubt() -> None:
    """Show no doubt of the clock any more; without Redis the next pass of retention does so."""
    wired = services()
    if wired.redis_outage.is_active:
        return
    try:
        StorageReports(wired.redis).forget_doubt()
    except redis.RedisError:
        wired.redis_outage.begin()


def _days_left(usages: list[Usage], free: int, now: int, config: Config) -> float | None:
    found = days_until_full(
        [_growth(usage, now, config) for usage in usages],
        free,
        tenant_max=config.tenant_keep_bytes or math.inf,
        store_max=config.keep_bytes or math.inf,
    )
    return None if found is None else round(found, 2)


def _growth(usage: Usage, now: int, config: Config) -> Growth:
    recording = usage.recording
    if recording.deleted_at is not None:
        return Growth(recording.tenant_id, usage.bytes, 0.0)
    per_day = _bytes_per_day(usage, now)
    limits = limits_of(recording, config)
    by_age = math.inf if limits.keep_ms is None else per_day * limits.keep_ms / DAY_MS
    return Growth(recording.tenant_id, usage.bytes, per_day, min(by_age, limits.keep_bytes or math.inf))


def _bytes_per_day(usage: Usage, now: int) -> float:
    # A device that has been recorded for only an hour will write more per day than in the last 24 hours.
    span = DAY_MS if usage.oldest_ms is None else min(DAY_MS, max(FIFTEEN_MINUTES_MS, now - usage.oldest_ms))
    return usage.day_bytes * DAY_MS / span


class KeptForecast:
    """How long the footage of a tenant's recordings will be kept. The growth of all of them is cached for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, dict[int, float], dict[str, float]]] = {}

    def read(self, recordings: list[Recording], now: int) -> dict[int, Kept]:
        """The forecasts by recording id."""
        scope, config = current_scope(), services().config
        with self._lock:
            until, per_day, shared = self._known.get(scope.tenant_id, (0.0, {}, {}))
        if time.monotonic() >= until or any(recording.id not in per_day for recording in recordings):
            usages = usage_of_all(scope, now, recorded_sums())
            per_day = {usage.recording.id: _bytes_per_day(usage, now) for usage in usages}
            shared = shared_days(
                [_growth(usage, now, config) for usage in usages],
                scope.tenant_id,
                tenant_max=config.tenant_keep_bytes or math.inf,
                store_max=config.keep_bytes or math.inf,
                disk_max=_room_of_disk(sum(usage.bytes for usage in usages), config, now),
            )
            with self._lock:
                self._known[scope.tenant_id] = (time.monotonic() + _FORECAST_SECONDS, per_day, shared)
        found = {}
        for recording in recordings:
            limits = limits_of(recording, config)
            found[recording.id] = kept_days(
                per_day.get(recording.id, 0.0),
                age=math.inf if limits.keep_ms is None else limits.keep_ms / DAY_MS,
                size=limits.keep_bytes or math.inf,
                shared=shared,
            )
        return found


def kept_forecast() -> KeptForecast:
    """The forecast of this web process."""
    return current_app.extensions.setdefault("vas_kept_forecast", KeptForecast())


def _room_of_disk(used: int, config: Config, now: int) -> float:
    """The bytes of footage that the disk can hold; infinite while it is unavailable."""
    try:
        space = open_storage(config).space()
    except StorageUnavailable:
        return math.inf
    return max(0, used + space.free - free_bytes_floor(config, space, bytes_per_hour(now)))


def _read_report() -> StorageReport | None:
    wired = services()
    if wired.redis_outage.is_active:
        return None
    try:
        return StorageReports(wired.redis).read()
    except redis.RedisError:
        wired.redis_outage.begin()
        return None
