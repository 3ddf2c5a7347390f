"""The last report of housekeeping, in Redis: written by a record worker, read by the API, health and commands."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import redis

from gateway.redis_values import accept, is_integer, is_number, is_text, parse_object, require

_KEY = "vas:storage:report"
_SWEEP_KEY = "vas:storage:sweep"
#: Expiry of a report that is no longer renewed.
_KEEP_SECONDS = 7 * 86_400

OK, FULL, SUSPICIOUS, UNAVAILABLE = "ok", "full", "suspicious", "unavailable"
#: Reason of a suspicious state: see gateway.storage.clock_trust.
CLOCK_DOUBTED = "clock_doubted"


@dataclass(slots=True)
class StorageReport:
    """`state` is `ok`, `full` (nothing may be deleted), `suspicious` (a person must check) or `unavailable`.

    `reason` is a code of gateway.states or `too_many_missing`; None when all is well. Times are seconds since 1970.
    `waiting` counts the devices with footage beyond its limits that waits for a copy in an archive; `unarchived_at` is
    when footage was last deleted without one because the disk was full. `found` counts what the last sweep compared and
    repaired, `deleted` what the last pass of retention deleted.
    """

    state: str = OK
    reason: str | None = None
    message: str = ""
    at: float = 0.0
    worker: str = ""
    retention_at: float | None = None
    checked_at: float | None = None
    found: dict[str, int] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    unarchived_at: float | None = None


class StorageReports:
    """The one report, and the position of the sweep. Every method raises redis.RedisError when Redis is unavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def read(self) -> StorageReport | None:
        """The last report; None before the first one."""
        values = self._load(_KEY)
        if values is None:
            return None
        return accept(self._redis, "storage report", lambda: _parse(values))

    def write(self, report: StorageReport) -> None:
        """Replace the report."""
        self._redis.set(_KEY, json.dumps(asdict(report)), ex=_KEEP_SECONDS)

    def forget_doubt(self) -> None:
        """Remove a doubt of the clock from the report, once a person has confirmed the clock."""
        report = self.read()
        if report is not None and report.reason == CLOCK_DOUBTED:
            report.state, report.reason, report.message = OK, None, ""
            self.write(report)

    def read_sweep(self) -> dict[str, Any] | None:
        """The stored position of the sweep; None without one."""
        return self._load(_SWEEP_KEY)

    def write_sweep(self, values: dict[str, Any]) -> None:
        """Store the position of the sweep."""
        self._redis.set(_SWEEP_KEY, json.dumps(values), ex=_KEEP_SECONDS)

    def forget_sweep(self) -> None:
        """Delete the position, so that the next sweep starts from the beginning."""
        self._redis.delete(_SWEEP_KEY)

    def _load(self, key: str) -> dict[str, Any] | None:
        text = self._redis.get(key)
        return accept(self._redis, "storage report", lambda: parse_object(text)) if text else None


def _parse(values: dict[str, Any]) -> StorageReport:
    known = {name: value for name, value in values.items() if name in StorageReport.__dataclass_fields__}
    report = StorageReport(**known)
    require(report.state in (OK, FULL, SUSPICIOUS, UNAVAILABLE), "'state' is unknown")
    require(report.reason is None or is_text(report.reason, 100), "'reason' is not a code")
    require(is_text(report.message, 10_000) and is_text(report.worker, 300), "'message' or 'worker' is not a text")
    times = (report.at, report.retention_at, report.checked_at, report.unarchived_at)
    require(all(at is None or is_number(at) for at in times), "a time is not a number")
    require(is_integer(report.waiting), "'waiting' is not a number")
    for counts in (report.found, report.deleted):
        require(isinstance(counts, dict) and all(map(is_integer, counts.values())), "counts are not numbers")
    return report
