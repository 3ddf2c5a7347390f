"""Schedules of snapshots: each so many seconds, or at times of day. Moments are milliseconds since 1970, UTC.

People write the plan, the clock process writes what came of it. Every function opens its own transaction and raises
`gateway.database.DatabaseUnavailable` when the database is away.
"""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from gateway import database
from gateway.captures.snapshots import Snapshot
from gateway.clock import utc_now
from gateway.devices.model import Device
from gateway.errors import Conflict, NotFound, VersionChanged
from gateway.jobs.model import JOB_ERRORS
from gateway.schedules.snapshot_plan import SnapshotPlan, next_moment
from gateway.states import Reason, reason_for
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TenantScope, TimeField

#: A device has at most so many.
MAX_SCHEDULES = 50
#: From it and the moment the id of a scheduled snapshot is made: asked for twice, it is taken once.
_NAMESPACE = uuid.UUID("5d1f4f2e-8c55-4a52-9a39-0d1c1c2f6a10")

MISSED, NO_WORKER = "slot_missed", "snapshot_worker_away"

#: Why a schedule took no picture, beside the reasons of streams and jobs.
SCHEDULE_REASONS = {
    reason.code: reason
    for reason in (
        Reason(MISSED, "its time passed while the clock process was away", "nothing to do: the next comes in time"),
        Reason(NO_WORKER, "no snapshot worker answered in time", "start the snapshot process, or more of them"),
        Reason("disk_full", "the disk of the snapshots is full", "make room, or keep fewer of them"),
    )
}


class SnapshotSchedule(TenantRow):
    """When a device's snapshots are taken by themselves. `times` (`["08:00"]`), `weekdays` and `tags` are JSON lists.

    `last_at_ms` is the newest moment that was due, `last_taken_at_ms` the newest of which there is a picture.
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
        """When it is due."""
        return SnapshotPlan(
            self.every_seconds, tuple(json.loads(self.times)), tuple(json.loads(self.weekdays)), self.time_zone
        )

    @property
    def tag_list(self) -> tuple[str, ...]:
        """The tags that its snapshots get."""
        return tuple(json.loads(self.tags))


@dataclass(frozen=True, slots=True)
class ScheduleValues:
    """All that a caller may set of a schedule."""

    name: str
    plan: SnapshotPlan
    enabled: bool = True
    tags: tuple[str, ...] = ()
    keep_days: int | None = None
    keep_count: int | None = None


def format_schedule_reason(code: str, message: str | None = None) -> Reason:
    """The whole reason why a schedule took no picture, with the more exact `message` where there is one."""
    known = SCHEDULE_REASONS.get(code) or JOB_ERRORS.get(code)
    return Reason(code, message or known.message, known.remedy) if known else reason_for(code, message)


def snapshot_id_for(schedule_id: int, slot_ms: int) -> str:
    """The id of the snapshot that a schedule takes for a moment."""
    return str(uuid.uuid5(_NAMESPACE, f"{schedule_id}:{slot_ms}"))


# ---- what people ask ------------------------------------------------------------------------------------------


def create_schedule(
    scope: TenantScope, device_id: str, values: ScheduleValues, *, created_by: str = "", at: datetime | None = None
) -> SnapshotSchedule:
    """A new schedule of a device that exists. Raises Conflict `too_many_schedules`."""
    now = at or utc_now()
    with database.transaction():
        count = scope.select(SnapshotSchedule).where(SnapshotSchedule.device_id == device_id).count()
        if count >= MAX_SCHEDULES:
            raise Conflict(
                f"the device has {count} schedules, and {MAX_SCHEDULES} are the most: delete one first",
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
    """A page of schedules as `find_schedule` gives them, the oldest first, and how many there are on all pages."""
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
    """Replace all that a caller may set; raises NotFound, VersionChanged. The same values again change nothing."""
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
    """Take no more pictures; those that were taken stay. Raises NotFound."""
    with database.transaction():
        if not scope.delete(SnapshotSchedule).where(SnapshotSchedule.id == schedule_id).execute():
            raise NotFound(f"there is no schedule with id {schedule_id}")


# ---- the clock process ----------------------------------------------------------------------------------------


def due_schedules(now_ms: int, limit: int = 500) -> list[SnapshotSchedule]:
    """Those whose moment has come, the longest waiting first."""
    query = EVERY_TENANT.select(SnapshotSchedule).where(SnapshotSchedule.next_at_ms <= now_ms)
    with database.session():
        return list(query.order_by(SnapshotSchedule.next_at_ms).limit(limit))


def next_due_ms() -> int | None:
    """The earliest moment of all schedules; None without any."""
    with database.session():
        return EVERY_TENANT.select(SnapshotSchedule, peewee.fn.MIN(SnapshotSchedule.next_at_ms)).scalar()


def claim_slot(schedule: SnapshotSchedule, slot_ms: int, next_ms: int | None) -> bool:
    """Take the moment `slot_ms` of a schedule that is due, and set its next one. One caller wins.

    False when another clock was quicker, or somebody changed or deleted the schedule.
    """
    taken = EVERY_TENANT.update(SnapshotSchedule, last_at_ms=slot_ms, next_at_ms=next_ms)
    with database.transaction():
        return bool(
            taken.where(
                SnapshotSchedule.id == schedule.id,
                SnapshotSchedule.version == schedule.version,
                SnapshotSchedule.next_at_ms == schedule.next_at_ms,
            ).execute()
        )


def note_taken(schedule_id: int, slot_ms: int) -> None:
    """There is a picture for a moment."""
    changed = EVERY_TENANT.update(SnapshotSchedule, last_taken_at_ms=slot_ms, reason_code=None, reason_message=None)
    with database.transaction():
        changed.where(SnapshotSchedule.id == schedule_id, SnapshotSchedule.last_at_ms == slot_ms).execute()


def note_reason(schedule_id: int, slot_ms: int, code: str, message: str | None = None) -> None:
    """Why there is no picture for a moment; a newer moment's word stays."""
    changed = EVERY_TENANT.update(SnapshotSchedule, reason_code=code, reason_message=message)
    with database.transaction():
        changed.where(SnapshotSchedule.id == schedule_id, SnapshotSchedule.last_at_ms == slot_ms).execute()


def unanswered_slots() -> list[tuple[int, int, str | None]]:
    """Schedules, their newest moment and reason, of which no picture is known: a clock that died waited for an
    answer."""
    columns = (SnapshotSchedule.id, SnapshotSchedule.last_at_ms, SnapshotSchedule.reason_code)
    never = SnapshotSchedule.last_taken_at_ms.is_null() | (
        SnapshotSchedule.last_taken_at_ms < SnapshotSchedule.last_at_ms
    )
    with database.session():
        query = EVERY_TENANT.select(SnapshotSchedule, *columns)
        return list(query.where(SnapshotSchedule.last_at_ms.is_null(False), never).tuples())


def is_taken(schedule_id: int, slot_ms: int) -> bool:
    """Whether there is, or was, a picture of a moment."""
    with database.session():
        return EVERY_TENANT.select(Snapshot).where(Snapshot.id == snapshot_id_for(schedule_id, slot_ms)).exists()


def repair_times(now_ms: int) -> int:
    """Set the next moment of those whose own is missing or further away than it can be; gives how many.

    So it is after the machine's clock was far ahead, or a time zone got another rule.
    """
    mended = 0
    with database.session():
        rows = list(EVERY_TENANT.select(SnapshotSchedule).where(SnapshotSchedule.enabled == 1))
    for row in rows:
        due = next_moment(row.plan, now_ms)
        if due is not None and (row.next_at_ms is None or row.next_at_ms > due):
            with database.transaction():
                column = SnapshotSchedule.next_at_ms
                seen = column.is_null() if row.next_at_ms is None else column == row.next_at_ms
                changed = EVERY_TENANT.update(SnapshotSchedule, next_at_ms=due)
                mended += changed.where(
                    SnapshotSchedule.id == row.id, SnapshotSchedule.version == row.version, seen
                ).execute()
    return mended


def schedules_with_limits() -> list[SnapshotSchedule]:
    """Those that keep their pictures only for so long, or only so many."""
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
