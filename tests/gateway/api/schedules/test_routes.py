"""Snapshot schedules in the API: creating, reading, changing and deleting them; impossible plans are refused."""

import json
import uuid

import pytest

from gateway import database
from gateway.captures.due_schedules import claim_slot, record_reason, record_taken
from gateway.captures.schedules import ScheduleValues, SnapshotSchedule, create_schedule, find_schedule
from gateway.clock import utc_now
from gateway.footage.recordings import Recording
from gateway.schedules.snapshot_plan import SnapshotPlan
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import Tenant
from tests.factories import make_device

API = "/api/v1/snapshots/schedules"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def post(client, device):
    """`post(**body)` requests a schedule of the device and returns the reply."""
    return lambda **body: client.post(API, json={"device_id": device["id"]} | body)


def test_a_schedule_is_created_read_changed_and_deleted(client, post, device):
    answer = post(
        name="Gate",
        times=["18:00", "08:00", "08:00"],
        weekdays=["sunday", "monday"],
        tags=["b", "a"],
        time_zone="Europe/Berlin",
        keep_days=30,
    )
    assert answer.status_code == 201, answer.json
    made = answer.json
    assert (made["device_id"], made["device_name"], made["enabled"]) == (device["id"], device["name"], True)
    assert (made["times"], made["weekdays"], made["tags"]) == (["08:00", "18:00"], ["monday", "sunday"], ["a", "b"])
    assert (made["every_seconds"], made["keep_days"], made["keep_count"]) == (None, 30, None)
    assert made["next_at"] > utc_now().isoformat()
    assert (made["last_at"], made["last_taken_at"], made["reason"]) == (None, None, None)
    read = client.get(answer.headers["Location"])
    assert (read.json, read.headers["ETag"]) == (made, answer.headers["ETag"])
    # A client can send back the reply of GET.
    same = client.put(f"{API}/{made['id']}", json=made, headers={"If-Match": read.headers["ETag"]})
    assert (same.status_code, same.json, same.headers["ETag"]) == (200, made, read.headers["ETag"])
    changed = client.put(f"{API}/{made['id']}", json={"device_id": device["id"], "every_seconds": 60, "enabled": False})
    assert (changed.json["times"], changed.json["every_seconds"], changed.json["next_at"]) == ([], 60, None)
    assert changed.json["time_zone"] == "Europe/Berlin", "left out, it stays"
    late = client.put(f"{API}/{made['id']}", json=made, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json["reason"]) == (412, "version_changed")
    assert client.delete(f"{API}/{made['id']}").status_code == 204
    assert [client.get(f"{API}/{made['id']}").status_code, client.delete(f"{API}/{made['id']}").status_code] == [
        404,
        404,
    ]


@on_sqlite
def test_the_time_zone_defaults_to_that_of_the_devices_recording(post, device, scope):
    with database.transaction():
        scope.update(Recording, time_zone="Asia/Kolkata").where(Recording.device_id == device["id"]).execute()
    assert post(times=["08:00"]).json["time_zone"] == "Asia/Kolkata"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "'every_seconds' or 'times'"),
        ({"every_seconds": 60, "times": ["08:00"]}, "'times' must be empty"),
        ({"every_seconds": 0}, "'every_seconds' must be a whole number from 1 to 604800"),
        ({"every_seconds": 604_801}, "604800"),
        ({"every_seconds": 1.5}, "whole number"),
        ({"times": ["8:00"]}, "such as 08:30"),
        ({"times": ["24:00"]}, "use 00:00"),
        ({"times": ["25:00"]}, "from 00:00 to 24:00"),
        ({"times": [f"{n // 60:02}:{n % 60:02}" for n in range(97)]}, "at most 96"),
        ({"every_seconds": 60, "weekdays": ["funday"]}, "monday"),
        ({"every_seconds": 604_800, "weekdays": ["monday"]}, "never falls on monday"),
        ({"times": ["08:00"], "time_zone": "Mars/Base"}, "Europe/Berlin"),
        ({"every_seconds": 60, "keep_days": 0}, "'keep_days'"),
        ({"every_seconds": 60, "keep_count": 0}, "'keep_count'"),
        ({"every_seconds": 60, "name": "x" * 101}, "'name'"),
        ({"every_seconds": 60, "colour": "red"}, "'colour'"),
    ],
    ids=lambda value: str(value)[:40],
)
@on_sqlite
def test_invalid_schedules_are_refused_with_what_would_be_right(post, body, words):
    answer = post(**body)
    assert (answer.status_code, answer.json["reason"]) == (422, "invalid_value")
    assert words in answer.json["message"]


@on_sqlite
def test_a_schedule_stays_with_its_device(client, post, scope, box):
    made = post(every_seconds=60).json
    other = make_device(scope, box)
    answer = client.put(f"{API}/{made['id']}", json=made | {"device_id": other.id})
    assert (answer.status_code, answer.json["errors"]["json"].keys()) == (422, {"device_id"})


def test_a_schedule_shows_its_last_snapshot_and_the_reason_for_a_missing_one(client, post):
    made = post(every_seconds=60).json
    row = find_schedule(EVERY_TENANT, made["id"])
    claim_slot(row, 1_773_230_400_000, row.next_at_ms)
    record_reason(row.id, 1_773_230_400_000, "snapshot_worker_away")
    shown = client.get(f"{API}/{made['id']}").json
    assert (shown["last_at"], shown["last_taken_at"]) == ("2026-03-11T12:00:00.000Z", None)
    assert shown["reason"] == {
        "code": "snapshot_worker_away",
        "message": "no snapshot worker answered in time",
        "remedy": "start the snapshot process, or more of them",
    }
    record_reason(row.id, 1_773_230_400_000, "no_footage", "nothing was recorded")
    assert client.get(f"{API}/{made['id']}").json["reason"]["message"] == "nothing was recorded"
    record_taken(row.id, 1_773_230_400_000)
    shown = client.get(f"{API}/{made['id']}").json
    assert (shown["last_taken_at"], shown["reason"]) == ("2026-03-11T12:00:00.000Z", None)


def test_lists_are_paged_and_of_one_device(client, post, device, scope, box):
    ids = [post(every_seconds=60).json["id"] for _ in range(3)]
    other = create_schedule(scope, make_device(scope, box).id, ScheduleValues("x", SnapshotPlan(every_seconds=5)))
    answer = client.get(f"{API}?page_size=2")
    assert [one["id"] for one in answer.json] == ids[:2]
    assert json.loads(answer.headers["X-Pagination"])["total"] == 4
    assert [one["id"] for one in client.get(f"{API}?device_id={device['id']}").json] == ids
    assert [one["id"] for one in client.get(f"{API}?device_id={other.device_id}").json] == [other.id]
    assert client.get(f"{API}?device_id=x").status_code == 422


def test_schedules_of_another_tenant_do_not_exist(client, post, box, device):
    other = TenantScope(str(uuid.uuid4()))
    with database.transaction():
        Tenant.insert(id=other.tenant_id, name="other", created_at=utc_now()).execute()
    theirs = make_device(other, box)
    schedule = create_schedule(other, theirs.id, ScheduleValues("x", SnapshotPlan(every_seconds=5)))
    body = {"device_id": theirs.id, "every_seconds": 60}
    assert [
        client.get(f"{API}/{schedule.id}").status_code,
        client.put(f"{API}/{schedule.id}", json=body).status_code,
        client.delete(f"{API}/{schedule.id}").status_code,
        client.post(API, json=body).status_code,
    ] == [404] * 4
    assert client.get(API).json == []
    with database.session():
        assert EVERY_TENANT.select(SnapshotSchedule).count() == 1


@on_sqlite
def test_a_schedule_is_deleted_with_its_device(client, post, device):
    made = post(every_seconds=60).json
    client.delete(f"/api/v1/devices/{device['id']}")
    assert client.get(f"{API}/{made['id']}").status_code == 404
