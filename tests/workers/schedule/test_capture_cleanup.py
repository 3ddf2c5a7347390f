"""Deleted and expired captures are purged with their files; nothing else is."""

import os
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from gateway.captures.files import CaptureFiles
from gateway.captures.schedules import ScheduleValues, create_schedule
from gateway.clock import FakeClock
from gateway.errors import Unavailable
from gateway.jobs.files import ExportSpaceMissing
from gateway.schedules.snapshot_plan import SnapshotPlan
from gateway.storage.clock_trust import confirm_clock
from tests.factories import make_config, make_device
from tests.gateway.rows import make_snapshot
from workers.schedule import capture_cleanup
from workers.schedule.capture_cleanup import ORPHAN_AGE_SECONDS, CaptureCleanup

START = 1_800_000_000.0
NOW = datetime.fromtimestamp(START, UTC)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class World:
    def __init__(self, tmp_path, scope, box) -> None:
        self.scope = scope
        self.config = make_config(captures_dir=tmp_path / "captures", undo_minutes=30)
        self.files = CaptureFiles.from_config(self.config)
        self.wall = FakeClock(START)
        self.cleanup = CaptureCleanup(self.config, self.wall)
        self.device = make_device(scope, box)

    def snapshot(self, at_ms: int = 1, **values):
        """A row with its file."""
        row = make_snapshot(self.scope, self.device, at_ms, **values)
        self.files.write(row.file, b"picture")
        return row

    def file(self, name: str, *, is_old: bool = True) -> str:
        """Write a file without a row; returns its key."""
        key = CaptureFiles.key("snapshots", self.scope.tenant_id, name)
        self.files.write(key, b"picture")
        if is_old:
            self.age(key)
        return key

    def age(self, key: str) -> None:
        past = time.time() - ORPHAN_AGE_SECONDS - 10
        os.utime(self.files.path(key), (past, past))

    def is_there(self, key: str) -> bool:
        return self.files.path(key).exists()


@pytest.fixture
def world(bound_database, tmp_path, scope, box):
    return World(tmp_path, scope, box)


def test_deleted_snapshots_are_purged_after_the_undo_time(world):
    kept, deleted = world.snapshot(), world.snapshot(deleted_at=NOW)
    world.cleanup.turn()
    assert world.is_there(deleted.file)
    world.wall.advance(timedelta(minutes=30).total_seconds() + 1)
    world.cleanup.turn()
    assert (world.is_there(deleted.file), world.is_there(kept.file)) == (False, True)


def test_on_a_full_disk_deleted_snapshots_are_purged_immediately(world, monkeypatch):
    def full(_, needed_bytes, *, floor_bytes=0):
        raise ExportSpaceMissing("5 MiB are left")

    kept, deleted = world.snapshot(), world.snapshot(deleted_at=NOW - timedelta(seconds=1))
    monkeypatch.setattr(CaptureFiles, "check_space", full)
    world.cleanup.turn()
    assert (world.is_there(deleted.file), world.is_there(kept.file)) == (False, True)


def test_an_unwritable_folder_purges_nothing_that_can_be_restored(world, monkeypatch):
    deleted = world.snapshot(deleted_at=NOW - timedelta(seconds=1))
    monkeypatch.setattr(CaptureFiles, "check_space", raise_unwritable)
    with pytest.raises(Unavailable):
        world.cleanup.turn()
    assert world.is_there(deleted.file)


def raise_unwritable(*_, **__):
    raise Unavailable("the folder cannot be written", reason="captures_unwritable")


def test_expired_snapshots_of_a_schedule_are_purged(world):
    plan = SnapshotPlan(every_seconds=60)
    schedule = create_schedule(world.scope, world.device.id, ScheduleValues("x", plan, keep_count=1))
    old, new = (world.snapshot(at_ms, schedule_id=schedule.id) for at_ms in (1, 2))
    assert world.cleanup.turn() > 0
    assert (world.is_there(old.file), world.is_there(new.file)) == (False, True)


def test_the_next_pass_follows_immediately_while_there_is_more_to_purge(world, monkeypatch):
    monkeypatch.setattr(capture_cleanup, "_BATCH", 2)
    plan = SnapshotPlan(every_seconds=60)
    schedule = create_schedule(world.scope, world.device.id, ScheduleValues("x", plan, keep_count=1))
    rows = [world.snapshot(at_ms, schedule_id=schedule.id) for at_ms in range(4)]
    assert world.cleanup.turn() == 0
    assert world.cleanup.turn() > 0
    assert [world.is_there(row.file) for row in rows] == [False, False, False, True]


def test_old_files_and_drafts_without_a_row_are_deleted(world):
    known = world.snapshot()
    world.age(known.file)
    orphan, young = world.file(f"{uuid.uuid4()}.jpg"), world.file(f"{uuid.uuid4()}.jpg", is_old=False)
    unknown = world.file("holiday.jpg")
    draft = world.files.path(known.file).with_name(f".{uuid.uuid4()}.jpg.part")
    draft.write_bytes(b"half")
    os.utime(draft, (0, 0))
    assert world.cleanup.remove_orphans() == 2
    assert [world.is_there(key) for key in (known.file, orphan, young, unknown)] == [True, False, True, True]
    assert not draft.exists()


def test_files_of_another_database_are_not_deleted(world, caplog):
    keys = [world.file(f"{uuid.uuid4()}.jpg") for _ in range(25)]
    assert world.cleanup.remove_orphans() == 0
    assert all(world.is_there(key) for key in keys)
    assert "CAPTURES_DIR" in caplog.text


def test_orphan_files_are_searched_for_periodically(world, monkeypatch):
    walks = []
    monkeypatch.setattr(CaptureCleanup, "remove_orphans", lambda _: walks.append(1))
    world.cleanup.turn()
    assert walks == [], "not immediately: a process may restart repeatedly"
    for seconds in (601, 60, capture_cleanup.ORPHANS_SECONDS):
        world.wall.advance(seconds)
        world.cleanup.turn()
    assert len(walks) == 2


def test_a_clock_that_is_ahead_purges_nothing_by_age(world):
    plan = SnapshotPlan(every_seconds=60)
    schedule = create_schedule(world.scope, world.device.id, ScheduleValues("x", plan, keep_days=14))
    taken = world.snapshot(int(START * 1000), schedule_id=schedule.id)
    deleted = world.snapshot(deleted_at=NOW)
    orphan = world.file(f"{uuid.uuid4()}.jpg")
    world.cleanup.turn()
    ahead = FakeClock(START + 400 * 86_400)
    later = CaptureCleanup(world.config, ahead)
    for _ in range(3):
        later.turn()
        ahead.advance(3600)
    assert [world.is_there(key) for key in (taken.file, deleted.file, orphan)] == [True, True, True]
    confirm_clock(ahead)
    later.turn()
    assert [world.is_there(key) for key in (taken.file, deleted.file, orphan)] == [False, False, False]
