"""Schedules of snapshots: made, changed and due; a moment is taken once, however many clocks there are."""

from datetime import UTC, datetime

import pytest

from gateway import database
from gateway.captures import schedules
from gateway.captures.schedules import (
    ScheduleValues,
    SnapshotSchedule,
    claim_slot,
    create_schedule,
    delete_schedule,
    due_schedules,
    find_schedule,
    list_schedules,
    note_reason,
    note_taken,
    repair_times,
    replace_schedule,
    snapshot_id_for,
    unanswered_slots,
)
from gateway.errors import Conflict, NotFound, VersionChanged
from gateway.inventory import delete_device
from gateway.schedules.snapshot_plan import SnapshotPlan, next_moment
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
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


def test_a_schedule_is_due_at_its_plans_next_moment(schedule):
    assert (schedule.name, schedule.device_name, schedule.created_by, schedule.version) == ("gate", "Gate", "ann", 1)
    assert (schedule.plan, schedule.tag_list) == (EVERY.plan, ("a", "ü"))
    due = schedule.next_at_ms
    assert due == NOW_MS // (10 * MINUTE) * 10 * MINUTE + 10 * MINUTE
    assert due_schedules(due - 1) == []
    assert [one.id for one in due_schedules(due)] == [schedule.id]
    assert schedules.next_due_ms() == due


def test_a_moment_is_taken_by_one_clock(schedule):
    slot = schedule.next_at_ms
    (first,), (second,) = due_schedules(slot), due_schedules(slot)
    following = next_moment(schedule.plan, slot)
    assert claim_slot(first, slot, following)
    assert not claim_slot(second, slot, following)
    assert due_schedules(slot) == []
    assert find_schedule(EVERY_TENANT, schedule.id).last_at_ms == slot
    assert snapshot_id_for(schedule.id, slot) == snapshot_id_for(schedule.id, slot)
    assert snapshot_id_for(schedule.id, slot) != snapshot_id_for(schedule.id, following)


def test_what_somebody_changed_meanwhile_is_not_taken_by_the_old_plan(schedule, scope):
    (seen,) = due_schedules(schedule.next_at_ms)
    replace_schedule(scope, schedule.id, ScheduleValues("gate", EVERY.plan, keep_days=8), at=NOW)
    assert not claim_slot(seen, seen.next_at_ms, seen.next_at_ms + MINUTE)
    delete_schedule(scope, schedule.id)
    assert not claim_slot(seen, seen.next_at_ms, seen.next_at_ms + MINUTE)


def test_a_change_makes_a_new_version_and_the_same_again_none(schedule, scope):
    again = replace_schedule(scope, schedule.id, EVERY, if_version=1)
    assert (again.version, again.next_at_ms) == (1, schedule.next_at_ms)
    off = replace_schedule(scope, schedule.id, ScheduleValues("gate", EVERY.plan, enabled=False), if_version=1)
    assert (off.version, off.next_at_ms, off.keep_days) == (2, None, None)
    assert due_schedules(NOW_MS * 2) == []
    with pytest.raises(VersionChanged):
        replace_schedule(scope, schedule.id, EVERY, if_version=1)


def test_what_came_of_a_moment_is_told_until_there_is_a_newer_one(schedule):
    slot = schedule.next_at_ms
    claim_slot(schedule, slot, slot + MINUTE)
    assert unanswered_slots() == [(schedule.id, slot, None)]
    note_reason(schedule.id, slot, "no_picture", "the camera is away")
    note_reason(schedule.id, slot - MINUTE, "disk_full")
    seen = find_schedule(EVERY_TENANT, schedule.id)
    assert (seen.reason_code, seen.reason_message, seen.last_taken_at_ms) == ("no_picture", "the camera is away", None)
    note_taken(schedule.id, slot)
    seen = find_schedule(EVERY_TENANT, schedule.id)
    assert (seen.reason_code, seen.reason_message, seen.last_taken_at_ms) == (None, None, slot)
    assert unanswered_slots() == []


def test_a_moment_that_is_too_far_away_or_missing_is_set_anew(schedule, scope, device):
    right = schedule.next_at_ms
    off = create_schedule(scope, device.id, ScheduleValues("off", EVERY.plan, enabled=False), at=NOW)
    for wrong in (None, right + 86_400_000 * 365):
        with database.transaction():
            EVERY_TENANT.update(SnapshotSchedule, next_at_ms=wrong).where(SnapshotSchedule.id == schedule.id).execute()
        assert repair_times(NOW_MS) == 1
        assert find_schedule(scope, schedule.id).next_at_ms == right
    assert repair_times(NOW_MS) == 0
    # One that is late already is not put off: what was missed is told when it is taken.
    assert repair_times(right + MINUTE) == 0
    assert find_schedule(scope, off.id).next_at_ms is None


def test_lists_are_of_one_tenant_and_of_one_device(schedule, scope, box, device):
    other = make_device(scope, box)
    second = create_schedule(scope, other.id, EVERY, at=NOW)
    assert [one.id for one in list_schedules(scope)[0]] == [schedule.id, second.id]
    assert ([one.id for one in list_schedules(scope, device_id=other.id)[0]], list_schedules(scope)[1]) == (
        [second.id],
        2,
    )
    stranger = TenantScope("00000000-0000-4000-8000-0000000000ff")
    assert list_schedules(stranger) == ([], 0)
    for ask in (find_schedule, delete_schedule):
        with pytest.raises(NotFound):
            ask(stranger, schedule.id)
    with pytest.raises(NotFound):
        replace_schedule(stranger, schedule.id, EVERY)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_device_has_no_more_schedules_than_it_may(device, scope, monkeypatch):
    monkeypatch.setattr(schedules, "MAX_SCHEDULES", 2)
    for _ in range(2):
        create_schedule(scope, device.id, EVERY)
    with pytest.raises(Conflict) as refused:
        create_schedule(scope, device.id, EVERY)
    assert refused.value.reason == "too_many_schedules"


def test_schedules_go_with_their_device(schedule, scope, device):
    delete_device(scope, device.id)
    assert list_schedules(EVERY_TENANT) == ([], 0)
