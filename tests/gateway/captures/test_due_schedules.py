"""A due moment is claimed once, with any number of clock processes, and its outcome is recorded."""

from datetime import UTC, datetime

import pytest

from gateway import database
from gateway.captures.due_schedules import (
    claim_slot,
    due_schedules,
    next_due_ms,
    record_reason,
    record_taken,
    repair_times,
    snapshot_id_for,
    unanswered_slots,
)
from gateway.captures.schedules import (
    ScheduleValues,
    SnapshotSchedule,
    create_schedule,
    delete_schedule,
    find_schedule,
    replace_schedule,
)
from gateway.schedules.snapshot_plan import SnapshotPlan, next_moment
from gateway.tenancy.scopes import EVERY_TENANT
from tests.factories import make_device

NOW = datetime(2026, 11, 22, 10, 3, 7, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
MINUTE = 60_000
EVERY = ScheduleValues("gate", SnapshotPlan(every_seconds=600), tags=("a", "ü"), keep_days=7)


@pytest.fixture
def device(bound_database, scope, box):
    return make_device(scope, box, name="Gate")


@pytest.fixture
def schedule(device, scope) -> SnapshotSchedule:
    return create_schedule(scope, device.id, EVERY, created_by="ann", at=NOW)


def test_a_schedule_is_due_at_the_next_moment_of_its_plan(schedule):
    assert (schedule.name, schedule.device_name, schedule.created_by, schedule.version) == ("gate", "Gate", "ann", 1)
    assert (schedule.plan, schedule.tag_list) == (EVERY.plan, ("a", "ü"))
    due = schedule.next_at_ms
    assert due == NOW_MS // (10 * MINUTE) * 10 * MINUTE + 10 * MINUTE
    assert due_schedules(due - 1) == []
    assert [one.id for one in due_schedules(due)] == [schedule.id]
    assert next_due_ms() == due


def test_a_moment_is_claimed_by_one_clock_process(schedule):
    slot = schedule.next_at_ms
    (first,), (second,) = due_schedules(slot), due_schedules(slot)
    following = next_moment(schedule.plan, slot)
    assert claim_slot(first, slot, following)
    assert not claim_slot(second, slot, following)
    assert due_schedules(slot) == []
    assert find_schedule(EVERY_TENANT, schedule.id).last_at_ms == slot
    assert snapshot_id_for(schedule.id, slot) == snapshot_id_for(schedule.id, slot)
    assert snapshot_id_for(schedule.id, slot) != snapshot_id_for(schedule.id, following)


def test_a_changed_schedule_is_not_claimed_by_its_old_plan(schedule, scope):
    (found,) = due_schedules(schedule.next_at_ms)
    replace_schedule(scope, schedule.id, ScheduleValues("gate", EVERY.plan, keep_days=8), at=NOW)
    assert not claim_slot(found, found.next_at_ms, found.next_at_ms + MINUTE)
    delete_schedule(scope, schedule.id)
    assert not claim_slot(found, found.next_at_ms, found.next_at_ms + MINUTE)


def test_the_outcome_of_a_moment_is_shown_until_there_is_a_newer_one(schedule):
    slot = schedule.next_at_ms
    claim_slot(schedule, slot, slot + MINUTE)
    assert unanswered_slots() == [(schedule.id, slot, None)]
    record_reason(schedule.id, slot, "no_picture", "the camera is away")
    record_reason(schedule.id, slot - MINUTE, "disk_full")
    found = find_schedule(EVERY_TENANT, schedule.id)
    assert (found.reason_code, found.reason_message, found.last_taken_at_ms) == (
        "no_picture",
        "the camera is away",
        None,
    )
    record_taken(schedule.id, slot)
    found = find_schedule(EVERY_TENANT, schedule.id)
    assert (found.reason_code, found.reason_message, found.last_taken_at_ms) == (None, None, slot)
    assert unanswered_slots() == []


def test_a_next_moment_that_is_missing_or_too_late_is_repaired(schedule, scope, device):
    right = schedule.next_at_ms
    off = create_schedule(scope, device.id, ScheduleValues("off", EVERY.plan, enabled=False), at=NOW)
    for wrong in (None, right + 86_400_000 * 365):
        with database.transaction():
            EVERY_TENANT.update(SnapshotSchedule, next_at_ms=wrong).where(SnapshotSchedule.id == schedule.id).execute()
        assert repair_times(NOW_MS) == 1
        assert find_schedule(scope, schedule.id).next_at_ms == right
    assert repair_times(NOW_MS) == 0
    # An overdue moment is not postponed: missed ones are reported when it is claimed.
    assert repair_times(right + MINUTE) == 0
    assert find_schedule(scope, off.id).next_at_ms is None
