"""Schedules of snapshots as the clock process sees them: which are due, who takes them, and the outcome.

Moments are milliseconds since 1970, UTC. Every function opens its own transaction and raises
`gateway.database.DatabaseUnavailable` when the database is away.
"""

import uuid

import peewee

from gateway import database
from gateway.captures.schedules import SnapshotSchedule
from gateway.captures.snapshots import Snapshot
from gateway.schedules.snapshot_plan import next_moment
from gateway.tenancy.scopes import EVERY_TENANT

#: The id of a scheduled snapshot is derived from this and its moment: a repeated request takes it only once.
_NAMESPACE = uuid.UUID("5d1f4f2e-8c55-4a52-9a39-0d1c1c2f6a10")


def snapshot_id_for(schedule_id: int, slot_ms: int) -> str:
    """The id of the snapshot that a schedule takes for a moment."""
    return str(uuid.uuid5(_NAMESPACE, f"{schedule_id}:{slot_ms}"))


def due_schedules(now_ms: int, limit: int = 500) -> list[SnapshotSchedule]:
    """Schedules whose next moment has come, the most overdue first."""
    query = EVERY_TENANT.select(SnapshotSchedule).where(SnapshotSchedule.next_at_ms <= now_ms)
    with database.session():
        return list(query.order_by(SnapshotSchedule.next_at_ms).limit(limit))


def next_due_ms() -> int | None:
    """The earliest next moment of all schedules; None without schedules."""
    with database.session():
        return EVERY_TENANT.select(SnapshotSchedule, peewee.fn.MIN(SnapshotSchedule.next_at_ms)).scalar()


def claim_slot(schedule: SnapshotSchedule, slot_ms: int, next_ms: int | None) -> bool:
    """Claim the moment `slot_ms` of a due schedule, and set its next one. One caller wins.

    False if another clock process claimed it, or the schedule was changed or deleted.
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


def record_taken(schedule_id: int, slot_ms: int) -> None:
    """Record that there is a picture for a moment."""
    changed = EVERY_TENANT.update(SnapshotSchedule, last_taken_at_ms=slot_ms, reason_code=None, reason_message=None)
    with database.transaction():
        changed.where(SnapshotSchedule.id == schedule_id, SnapshotSchedule.last_at_ms == slot_ms).execute()


def record_reason(schedule_id: int, slot_ms: int, code: str, message: str | None = None) -> None:
    """Record why there is no picture for a moment; the outcome of a newer moment stays."""
    changed = EVERY_TENANT.update(SnapshotSchedule, reason_code=code, reason_message=message)
    with database.transaction():
        changed.where(SnapshotSchedule.id == schedule_id, SnapshotSchedule.last_at_ms == slot_ms).execute()


def unanswered_slots() -> list[tuple[int, int, str | None]]:
    """Id, newest moment and reason of schedules without a known picture for it.

    A clock process that died may have waited for their answers.
    """
    columns = (SnapshotSchedule.id, SnapshotSchedule.last_at_ms, SnapshotSchedule.reason_code)
    not_taken = SnapshotSchedule.last_taken_at_ms.is_null() | (
        SnapshotSchedule.last_taken_at_ms < SnapshotSchedule.last_at_ms
    )
    with database.session():
        query = EVERY_TENANT.select(SnapshotSchedule, *columns)
        return list(query.where(SnapshotSchedule.last_at_ms.is_null(False), not_taken).tuples())


def is_taken(schedule_id: int, slot_ms: int) -> bool:
    """Whether there is a picture of a moment, deleted or not."""
    with database.session():
        return EVERY_TENANT.select(Snapshot).where(Snapshot.id == snapshot_id_for(schedule_id, slot_ms)).exists()


def repair_times(now_ms: int) -> int:
    """Repair next moments that are missing or later than the plan allows; returns how many.

    They are wrong after the machine's clock was far ahead, or after the rules of a time zone changed.
    """
    repaired = 0
    with database.session():
        rows = list(EVERY_TENANT.select(SnapshotSchedule).where(SnapshotSchedule.enabled == 1))
    for row in rows:
        due = next_moment(row.plan, now_ms)
        if due is not None and (row.next_at_ms is None or row.next_at_ms > due):
            with database.transaction():
                column = SnapshotSchedule.next_at_ms
                unchanged = column.is_null() if row.next_at_ms is None else column == row.next_at_ms
                changed = EVERY_TENANT.update(SnapshotSchedule, next_at_ms=due)
                repaired += changed.where(
                    SnapshotSchedule.id == row.id, SnapshotSchedule.version == row.version, unchanged
                ).execute()
    return repaired
