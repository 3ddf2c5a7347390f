"""State of the store of footage, for the health page, `vas doctor` and `vas storage status`."""

import time
from dataclasses import dataclass

import redis

from gateway import database
from gateway.config import Config
from gateway.errors import Unavailable
from gateway.hookspecs import ComponentHealth
from gateway.states import reason_for
from gateway.storage.interface import Space, StorageUnavailable
from gateway.storage.limits import free_bytes_floor
from gateway.storage.local import open_storage
from gateway.storage.report import CLOCK_DOUBTED, FULL, SUSPICIOUS, StorageReport, StorageReports
from gateway.storage.usage import bytes_per_hour

#: Maximum age of a retention report; an older one means that no process does the housekeeping.
_SILENT_SECONDS = 600.0
#: How long the loss of footage without a copy is shown.
_UNARCHIVED_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class StorageState:
    """The present state of the store. `state` as in StorageReport; `space` is None while it is unavailable."""

    state: str
    reason: str | None
    message: str
    space: Space | None
    floor_bytes: int | None
    bytes_per_hour: int
    report: StorageReport | None


def read_storage_state(config: Config, client: redis.Redis) -> StorageState:
    """Check the store itself and read the last report of housekeeping. Raises DatabaseUnavailable."""
    report = _read_report(client)
    rate = bytes_per_hour(int(time.time() * 1000))
    storage = open_storage(config)
    try:
        storage.check()
        space = storage.space()
    except StorageUnavailable as error:
        return StorageState("unavailable", error.reason, error.message, None, None, rate, report)
    floor = free_bytes_floor(config, space, rate)
    reported = (report.state, report.reason, report.message) if report else ("ok", None, "")
    if reported[0] not in (FULL, SUSPICIOUS):
        reported = ("ok", None, "")
    return StorageState(*reported, space, floor, rate, report)


def check_storage(config: Config, client: redis.Redis) -> ComponentHealth:
    """Whether footage can be written, there is space, and rows and files agree."""
    try:
        found = read_storage_state(config, client)
    except database.DatabaseUnavailable:
        return ComponentHealth("down", "unknown while the database does not answer", "check DATABASE_URL")
    if found.space is None:
        if found.report is None and config.recording_mode == "off":
            return ComponentHealth("ok", detail={"used": False})
        return ComponentHealth("down", found.message, "check RECORDINGS_DIR and its disk; recording resumes by itself")
    detail = {
        "total_bytes": found.space.total,
        "free_bytes": found.space.free,
        "floor_bytes": found.floor_bytes,
        "written_per_hour_bytes": found.bytes_per_hour,
    }
    if found.reason == CLOCK_DOUBTED:
        return ComponentHealth("degraded", found.message, reason_for(CLOCK_DOUBTED).remedy, detail)
    if found.state == SUSPICIOUS:
        return ComponentHealth(
            "degraded",
            found.message,
            "mount the right disk; only if footage is really gone, run 'vas storage repair --accept'",
            detail,
        )
    if found.state == FULL:
        return ComponentHealth("degraded", found.message, "remove protections of footage, or add space", detail)
    if (unarchived := _describe_archive(found.report)) is not None:
        return ComponentHealth("degraded", unarchived, "see the state of the archive, or add disks", detail)
    retention_at = found.report.retention_at if found.report else None
    if found.bytes_per_hour and retention_at is not None and abs(time.time() - retention_at) > _SILENT_SECONDS:
        return ComponentHealth(
            "degraded",
            "no process has done the housekeeping of footage for some minutes",
            "see the log of the record workers",
            detail,
        )
    return ComponentHealth("ok", detail=detail)


def _describe_archive(report: StorageReport | None) -> str | None:
    """What is wrong because the archive is behind; None if nothing is."""
    if report is None:
        return None
    if report.unarchived_at is not None and time.time() - report.unarchived_at < _UNARCHIVED_SECONDS:
        return "the disk is full, and footage was deleted before it had a copy in the archive"
    if report.waiting:
        return f"footage of {report.waiting} devices is kept beyond its limits, because the archive has no copy yet"
    return None


def _read_report(client: redis.Redis) -> StorageReport | None:
    try:
        return StorageReports(client).read()
    except (redis.RedisError, Unavailable):
        return None
