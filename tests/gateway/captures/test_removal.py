"""Purges of snapshots and bookmarks: deleted rows, expired rows of schedules, and files without a row."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from gateway import database
from gateway.captures.files import CaptureFiles
from gateway.captures.removal import drop_deleted, drop_expired, orphans_of
from gateway.captures.schedules import ScheduleValues, create_schedule
from gateway.captures.snapshots import Snapshot, SnapshotTag
from gateway.schedules.snapshot_plan import SnapshotPlan
from gateway.tenancy.scopes import EVERY_TENANT
from tests.factories import make_device
from tests.gateway.rows import DAY, make_bookmark, make_snapshot

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)


@pytest.fixture
def device(bound_database, scope, box):
    return make_device(scope, box)


def remaining() -> list[str]:
    with database.session():
        return [row.id for row in EVERY_TENANT.select(Snapshot).order_by(Snapshot.at_ms)]


def test_deleted_rows_are_purged_with_their_files_after_the_undo_time(device, scope):
    kept = make_snapshot(scope, device, NOW_MS)
    late = make_snapshot(scope, device, NOW_MS + 1, deleted_at=NOW)
    deleted = make_snapshot(scope, device, NOW_MS + 2, deleted_at=NOW - timedelta(hours=1), tags=["a"])
    bookmark = make_bookmark(scope, device, NOW_MS, deleted_at=NOW - timedelta(hours=1), clip_file="clips/t/ab/c.mp4")
    make_bookmark(scope, device, NOW_MS, clip_file="clips/t/ab/d.mp4")
    assert sorted(drop_deleted(NOW - timedelta(minutes=30))) == sorted([deleted.file, bookmark.clip_file])
    assert remaining() == [kept.id, late.id]
    with database.session():
        assert EVERY_TENANT.select(SnapshotTag).count() == 0
    assert drop_deleted(NOW - timedelta(minutes=30)) == []


def test_a_batch_has_the_oldest_rows(device, scope):
    rows = [make_snapshot(scope, device, NOW_MS, deleted_at=NOW - timedelta(hours=hour)) for hour in (2, 3, 1)]
    assert drop_deleted(NOW, batch=2) == [rows[1].file, rows[0].file]
    assert drop_deleted(NOW, batch=2) == [rows[2].file]


def schedule(scope, device, **limits):
    return create_schedule(scope, device.id, ScheduleValues("x", SnapshotPlan(every_seconds=60), **limits))


def test_keep_days_limits_the_age_of_a_schedules_snapshots(device, scope):
    limited, other = schedule(scope, device, keep_days=2), schedule(scope, device)
    old = make_snapshot(scope, device, NOW_MS - 2 * DAY - 1, schedule_id=limited.id)
    young = make_snapshot(scope, device, NOW_MS - 2 * DAY, schedule_id=limited.id)
    others = [make_snapshot(scope, device, NOW_MS - 9 * DAY, schedule_id=number) for number in (other.id, None)]
    assert drop_expired(limited, NOW_MS) == [old.file]
    assert sorted(remaining()) == sorted([young.id, *(one.id for one in others)])
    assert drop_expired(other, NOW_MS) == []


def test_keep_count_keeps_the_newest_snapshots_of_a_schedule(device, scope):
    limited = schedule(scope, device, keep_count=2)
    rows = [make_snapshot(scope, device, NOW_MS + number, schedule_id=limited.id) for number in range(5)]
    deleted = make_snapshot(scope, device, NOW_MS + 9, schedule_id=limited.id, deleted_at=NOW)
    assert drop_expired(limited, NOW_MS, batch=2) == [rows[0].file, rows[1].file]
    assert drop_expired(limited, NOW_MS) == [rows[2].file]
    assert drop_expired(limited, NOW_MS) == []
    assert remaining() == [rows[3].id, rows[4].id, deleted.id]


def test_the_stricter_of_both_limits_applies(device, scope):
    limited = schedule(scope, device, keep_count=2, keep_days=1)
    rows = [make_snapshot(scope, device, NOW_MS - days * DAY, schedule_id=limited.id) for days in (3, 2)]
    assert drop_expired(limited, NOW_MS) == [row.file for row in rows]


def test_files_without_a_row_are_found_and_unknown_names_ignored(device, scope):
    row = make_snapshot(scope, device, NOW_MS)
    bookmark_id = str(uuid.uuid4())
    named = CaptureFiles.key("clips", scope.tenant_id, f"{bookmark_id}-new.mp4")
    former = CaptureFiles.key("clips", scope.tenant_id, f"{bookmark_id}-old.mp4")
    make_bookmark(scope, device, NOW_MS, id=bookmark_id, clip_file=named)
    orphan = CaptureFiles.key("snapshots", scope.tenant_id, f"{uuid.uuid4()}.jpg")
    unknown = ["readme.txt", "snapshots/notes.txt", f"other/{uuid.uuid4()}.jpg"]
    assert sorted(orphans_of([row.file, named, former, orphan, *unknown])) == sorted([former, orphan])
