"""Captures that are to go are gone, with their files; nothing else is."""

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
        self.upkeep = CaptureCleanup(self.config, self.wall)
        self.device = make_device(scope, box)

    def snapshot(self, at_ms: int = 1, **values):
        """A row with its file."""
        row = make_snapshot(self.scope, self.device, at_ms, **values)
        self.files.write(row.file, b"picture")
        return row

    def file(self, name: str, *, is_old: bool = True) -> str:
        """A file without a row; gives its key."""
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


def test_what_was_deleted_is_gone_when_it_can_be_brought_back_no_more(world):
    kept, deleted = world.snapshot(), world.snapshot(deleted_at=NOW)
    world.upkeep.turn()
    assert world.is_there(deleted.file)
    world.wall.advance(timedelta(minutes=30).total_seconds() + 1)
    world.upkeep.turn()
    assert (world.is_there(deleted.file), world.is_there(kept.file)) == (False, True)


def test_on_a_full_disk_what_was_deleted_goes_at_once(world, monkeypatch):
    def full(_, needed_bytes, *, floor_bytes=0):
        raise ExportSpaceMissing("5 MiB are left")

    kept, deleted = world.snapshot(), world.snapshot(deleted_at=NOW - timedelta(seconds=1))
    monkeypatch.setattr(CaptureFiles, "check_space", full)
    world.upkeep.turn()
    assert (world.is_there(deleted.file), world.is_there(kept.file)) == (False, True)


def test_a_folder_that_cannot_be_written_costs_nothing_that_can_be_brought_back(world, monkeypatch):
    deleted = world.snapshot(deleted_at=NOW - timedelta(seconds=1))
    monkeypatch.setattr(CaptureFiles, "check_space", raise_unwritable)
    with pytest.raises(Unavailable):
        world.upkeep.turn()
    assert world.is_there(deleted.file)


def raise_unwritable(*_, **__):
    raise Unavailable("the folder cannot be written", reason="captures_unwritable")


def test_what_a_schedule_keeps_no_longer_is_gone(world):
    plan = SnapshotPlan(every_seconds=60)
    schedule = create_schedule(world.scope, world.device.id, ScheduleValues("x", plan, keep_count=1))
    old, new = (world.snapshot(at_ms, schedule_id=schedule.id) for at_ms in (1, 2))
    assert world.upkeep.turn() > 0
    assert (world.is_there(old.file), world.is_there(new.file)) == (False, True)


def test_much_to_remove_is_gone_on_with_at_once(world, monkeypatch):
    monkeypatch.setattr(capture_cleanup, "_BATCH", 2)
    plan = SnapshotPlan(every_seconds=60)
    schedule = create_schedule(world.scope, world.device.id, ScheduleValues("x", plan, keep_count=1))
    rows = [world.snapshot(at_ms, schedule_id=schedule.id) for at_ms in range(4)]
    assert world.upkeep.turn() == 0
    assert world.upkeep.turn() > 0
    assert [world.is_there(row.file) for row in rows] == [False, False, False, True]


def test_old_files_and_drafts_that_belong_to_nobody_are_gone(world):
    known = world.snapshot()
    world.age(known.file)
    nobodys, young = world.file(f"{uuid.uuid4()}.jpg"), world.file(f"{uuid.uuid4()}.jpg", is_old=False)
    strange = world.file("holiday.jpg")
    draft = world.files.path(known.file).with_name(f".{uuid.uuid4()}.jpg.part")
    draft.write_bytes(b"half")
    os.utime(draft, (0, 0))
    assert world.upkeep.remove_orphans() == 2
    assert [world.is_there(key) for key in (known.file, nobodys, young, strange)] == [True, False, True, True]
    assert not draft.exists()


def test_files_of_another_database_are_left_alone(world, caplog):
    keys = [world.file(f"{uuid.uuid4()}.jpg") for _ in range(25)]
    assert world.upkeep.remove_orphans() == 0
    assert all(world.is_there(key) for key in keys)
    assert "CAPTURES_DIR" in caplog.text


def test_orphans_are_looked_for_now_and_then(world, monkeypatch):
    walks = []
    monkeypatch.setattr(CaptureCleanup, "remove_orphans", lambda _: walks.append(1))
    world.upkeep.turn()
    assert walks == [], "not at once: a process may start again and again"
    for seconds in (601, 60, capture_cleanup.ORPHANS_SECONDS):
        world.wall.advance(seconds)
        world.upkeep.turn()
    assert len(walks) == 2
