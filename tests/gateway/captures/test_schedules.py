"""Schedules of snapshots are created, changed, listed and deleted."""

from datetime import UTC, datetime

import pytest

from gateway.captures import schedules
from gateway.captures.due_schedules import (
    due_schedules,
)
from gateway.captures.schedules import (
    ScheduleValues,
    SnapshotSchedule,
    create_schedule,
    delete_schedule,
    find_schedule,
    list_schedules,
    replace_schedule,
)
from gateway.errors import Conflict, NotFound, VersionChanged
from gateway.inventory import delete_device
from gateway.schedules.snapshot_plan import SnapshotPlan
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


def test_a_change_creates_a_version_and_equal_values_do_not(schedule, scope):
    again = replace_schedule(scope, schedule.id, EVERY, if_version=1)
    assert (again.version, again.next_at_ms) == (1, schedule.next_at_ms)
    off = replace_schedule(scope, schedule.id, ScheduleValues("gate", EVERY.plan, enabled=False), if_version=1)
    assert (off.version, off.next_at_ms, off.keep_days) == (2, None, None)
    assert due_schedules(NOW_MS * 2) == []
    with pytest.raises(VersionChanged):
        replace_schedule(scope, schedule.id, EVERY, if_version=1)


def test_lists_are_of_one_tenant_and_of_one_device(schedule, scope, box, device):
    other = make_device(scope, box)
    second = create_schedule(scope, other.id, EVERY, at=NOW)
    assert [one.id for one in list_schedules(scope)[0]] == [schedule.id, second.id]
    assert ([one.id for one in list_schedules(scope, device_id=other.id)[0]], list_schedules(scope)[1]) == (
        [second.id],
        2,
    )
    other_tenant = TenantScope("00000000-0000-4000-8000-0000000000ff")
    assert list_schedules(other_tenant) == ([], 0)
    for action in (find_schedule, delete_schedule):
        with pytest.raises(NotFound):
            action(other_tenant, schedule.id)
    with pytest.raises(NotFound):
        replace_schedule(other_tenant, schedule.id, EVERY)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_number_of_schedules_of_a_device_is_limited(device, scope, monkeypatch):
    monkeypatch.setattr(schedules, "MAX_SCHEDULES", 2)
    for _ in range(2):
        create_schedule(scope, device.id, EVERY)
    with pytest.raises(Conflict) as refused:
        create_schedule(scope, device.id, EVERY)
    assert refused.value.reason == "too_many_schedules"


def test_schedules_are_deleted_with_their_device(schedule, scope, device):
    delete_device(scope, device.id)
    assert list_schedules(EVERY_TENANT) == ([], 0)
