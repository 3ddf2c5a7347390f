"""Schedules of snapshots: at an interval or at times of day. Moments are milliseconds since 1970, UTC.

Callers of the API write the plan, the clock process writes the outcome (gateway/captures/due_schedules.py). Every
function opens its own transaction and raises `gateway.database.DatabaseUnavailable` when the database is away.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.devices.model import Device
from gateway.errors import Conflict, NotFound, VersionChanged
from gateway.jobs.model import JOB_ERRORS
from gateway.schedules.snapshot_plan import SnapshotPlan, next_moment
from gateway.states import Reason, reason_for
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TenantScope, TimeField

#: The maximum number of schedules of a device.
MAX_SCHEDULES = 50

MISSED, NO_WORKER = "slot_missed", "snapshot_worker_away"

#: Why a schedule took no picture, in addition to the reasons of streams and jobs.
SCHEDULE_REASONS = {
    reason.code: reason
    for reason in (
        Reason(MISSED, "the clock process was away at its time", "nothing to do: the next picture will be on time"),
        Reason(NO_WORKER, "no snapshot worker answered in time", "start the snapshot process, or more of them"),
        Reason("disk_full", "the disk of the snapshots is full", "make room, or keep fewer of them"),
    )
}


class SnapshotSchedule(TenantRow):
    """A plan of automatic snapshots of a device. `times` (`["08:00"]`), `weekdays` and `tags` are JSON lists.

    `last_at_ms` is the newest moment that was due, `last_taken_at_ms` the newest with a picture.
    """

    id = peewee.BigAutoField()
    device_id = IdField()
    name = peewee.TextField()
    enabled = peewee.SmallIntegerField()
    every_seconds = peewee.IntegerField(null=True)
    times = peewee.TextField()
    weekdays = peewee.TextField()
    time_zone = peewee.TextField()
    tags = peewee.TextField()
    keep_days = peewee.IntegerField(null=True)
    keep_count = peewee.IntegerField(null=True)
    next_at_ms = peewee.BigIntegerField(null=True)
    last_at_ms = peewee.BigIntegerField(null=True)
    last_taken_at_ms = peewee.BigIntegerField(null=True)
    reason_code = peewee.TextField(null=True)
    reason_message = peewee.TextField(null=True)
    version = peewee.IntegerField()
    created_by = peewee.TextField()
    created_at = TimeField()

    class Meta:
        table_name = "snapshot_schedules"

    @property
    def plan(self) -> SnapshotPlan:
        """The plan of its moments."""
        return SnapshotPlan(
            self.every_seconds, tuple(json.loads(self.times)), tuple(json.loads(self.weekdays)), self.time_zone
        )

    @property
    def tag_list(self) -> tuple[str, ...]:
        """The tags of its snapshots."""
        return tuple(json.loads(self.tags))


@dataclass(frozen=True, slots=True)
class ScheduleValues:
    """The values of a schedule that a caller may set."""

    name: str
    plan: SnapshotPlan
    enabled: bool = True
    tags: tuple[str, ...] = ()
    keep_days: int | None = None
    keep_count: int | None = None


def format_schedule_reason(code: str, message: str | None = None) -> Reason:
    """The reason why a schedule took no picture, with the more exact `message` where there is one."""
    known = SCHEDULE_REASONS.get(code) or JOB_ERRORS.get(code)
    return Reason(code, message or known.message, known.remedy) if known else reason_for(code, message)


def create_schedule(
    scope: TenantScope, device_id: str, values: ScheduleValues, *, created_by: str = "", at: datetime | None = None
) -> SnapshotSchedule:
    """Create a schedule of an existing device. Raises Conflict `too_many_schedules`."""
    now = at or utc_now()
    with database.transaction():
        count = scope.select(SnapshotSchedule).where(SnapshotSchedule.device_id == device_id).count()
        if count >= MAX_SCHEDULES:
            raise Conflict(
                f"the device has {count} schedules, and at most {MAX_SCHEDULES} are allowed: delete one first",
                reason="too_many_schedules",
            )
        schedule_id = scope.insert(
            SnapshotSchedule,
            device_id=device_id,
            version=1,
            created_by=created_by,
            created_at=now,
            **_columns(values),
            next_at_ms=_next(values, now),
        ).execute()
    return find_schedule(scope, schedule_id)


def find_schedule(scope: EveryTenantScope, schedule_id: int) -> SnapshotSchedule:
    """A schedule with its device's name as `.device_name`; raises NotFound."""
    with database.session():
        row = _with_device(scope).where(SnapshotSchedule.id == schedule_id).objects().first()
    if row is None:
        raise NotFound(f"there is no schedule with id {schedule_id}")
    return row


def list_schedules(
    scope: EveryTenantScope, *, device_id: str | None = None, limit: int = 50, offset: int = 0
) -> tuple[list[SnapshotSchedule], int]:
    """A page of schedules in the form of `find_schedule`, the oldest first, and the total count."""
    query = _with_device(scope)
    if device_id is not None:
        query = query.where(SnapshotSchedule.device_id == device_id)
    with database.session():
        total = query.count()
        return list(query.order_by(SnapshotSchedule.id).limit(limit).offset(offset).objects()), total


def replace_schedule(
    scope: TenantScope,
    schedule_id: int,
    values: ScheduleValues,
    *,
    if_version: int | None = None,
    at: datetime | None = None,
) -> SnapshotSchedule:
    """Replace the values of a schedule; equal values change nothing. Raises NotFound, VersionChanged."""
    now = at or utc_now()
    with database.transaction():
        before = find_schedule(scope, schedule_id)
        if if_version is not None and before.version != if_version:
            raise VersionChanged(f"schedule {schedule_id} was changed in the meantime: read it again")
        columns = _columns(values)
        if any(getattr(before, name) != value for name, value in columns.items()):
            changed = scope.update(
                SnapshotSchedule, **columns, version=before.version + 1, next_at_ms=_next(values, now)
            )
            mine = (SnapshotSchedule.id == schedule_id) & (SnapshotSchedule.version == before.version)
            if not changed.where(mine).execute():
                raise VersionChanged(f"schedule {schedule_id} was changed in the meantime: read it again")
    return find_schedule(scope, schedule_id)


def delete_schedule(scope: TenantScope, schedule_id: int) -> None:
    """Delete a schedule; its snapshots stay. Raises NotFound."""
    with database.transaction():
        if not scope.delete(SnapshotSchedule).where(SnapshotSchedule.id == schedule_id).execute():
            raise NotFound(f"there is no schedule with id {schedule_id}")


def schedules_with_limits() -> list[SnapshotSchedule]:
    """Schedules that limit the age or the number of their snapshots."""
    limited = SnapshotSchedule.keep_days.is_null(False) | SnapshotSchedule.keep_count.is_null(False)
    with database.session():
        return list(EVERY_TENANT.select(SnapshotSchedule).where(limited))


def _with_device(scope: EveryTenantScope) -> peewee.ModelSelect:
    query = scope.select(SnapshotSchedule, SnapshotSchedule, Device.name.alias("device_name"))
    return query.join(Device, on=(Device.id == SnapshotSchedule.device_id))


def _columns(values: ScheduleValues) -> dict[str, Any]:
    plan = values.plan
    return {
        "name": values.name,
        "enabled": int(values.enabled),
        "every_seconds": plan.every_seconds,
        "times": _list(plan.times),
        "weekdays": _list(plan.weekdays),
        "time_zone": plan.time_zone,
        "tags": _list(values.tags),
        "keep_days": values.keep_days,
        "keep_count": values.keep_count,
    }


def _list(texts: Iterable[str]) -> str:
    return json.dumps(list(texts), ensure_ascii=False)


def _next(values: ScheduleValues, now: datetime) -> int | None:
    return next_moment(values.plan, int(now.timestamp() * 1000)) if values.enabled else None
