"""Snapshots of schedules are requested on time and once; a missing picture has a reason."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import redis

from gateway import database
from gateway.captures.due_schedules import snapshot_id_for
from gateway.captures.queue import SCHEDULED, CaptureAnswer, CaptureQueue, CaptureRequest
from gateway.captures.schedules import (
    ScheduleValues,
    SnapshotSchedule,
    create_schedule,
    delete_schedule,
    find_schedule,
    replace_schedule,
)
from gateway.clock import FakeClock
from gateway.jobs.files import ExportSpaceMissing
from gateway.redis_client import connect_redis
from gateway.schedules.snapshot_plan import SnapshotPlan
from gateway.tenancy.scopes import EVERY_TENANT
from tests.factories import make_config, make_device
from tests.gateway.rows import make_snapshot
from workers.schedule.snapshot_clock import ANSWER_SECONDS, LATE_MS, SnapshotClock

START = 1_800_000_000.0  # a multiple of 600
TEN_MINUTES = 600.0
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class World:
    def __init__(self, redis_url: str, tmp_path, scope, box) -> None:
        self.scope = scope
        self.client = connect_redis(redis_url)
        self.queue = CaptureQueue(self.client)
        self.config = make_config(redis_url=redis_url, captures_dir=tmp_path / "captures")
        self.wall = FakeClock(START)
        self.device = make_device(scope, box)
        self.clock = self.another_clock()

    def another_clock(self) -> SnapshotClock:
        return SnapshotClock(self.config, self.queue, self.wall)

    def schedule(self, plan: SnapshotPlan | None = None, **values) -> SnapshotSchedule:
        values = {"name": "gate", "plan": plan or SnapshotPlan(every_seconds=600)} | values
        at = datetime.fromtimestamp(self.wall.wall(), UTC)
        return create_schedule(self.scope, self.device.id, ScheduleValues(**values), at=at)

    def turn(self, seconds: float = 0.0) -> list[CaptureRequest]:
        """Advance the clock and run one pass; returns the requests to the workers."""
        self.wall.advance(seconds)
        self.clock.turn()
        return self.read_requests()

    def read_requests(self) -> list[CaptureRequest]:
        found = []
        while (text := self.client.lpop("vas:captures")) is not None:
            values = self.client.getdel(f"vas:capture:{text.decode()}")
            found.append(CaptureRequest.from_dict(json.loads(values)))
        return found

    def read(self, schedule: SnapshotSchedule) -> SnapshotSchedule:
        return find_schedule(EVERY_TENANT, schedule.id)


@pytest.fixture
def world(bound_database, redis_url, tmp_path, scope, box):
    world = World(redis_url, tmp_path, scope, box)
    yield world
    world.client.close()


def ms(seconds: float) -> int:
    return round((START + seconds) * 1000)


def test_a_picture_is_requested_when_it_is_due_and_not_before(world):
    schedule = world.schedule(tags=("roof",))
    assert world.turn(TEN_MINUTES - 1) == []
    (request,) = world.turn(1)
    assert request == CaptureRequest(
        id=snapshot_id_for(schedule.id, ms(600)),
        tenant_id=world.scope.tenant_id,
        device_id=world.device.id,
        kind=SCHEDULED,
        tags=("roof",),
        created_by="gate",
        schedule_id=schedule.id,
    )
    assert world.turn(1) == []
    row = world.read(schedule)
    assert (row.last_at_ms, row.next_at_ms, row.last_taken_at_ms) == (ms(600), ms(1200), None)


@on_sqlite
def test_the_next_pass_is_on_time_for_due_pictures(world):
    assert world.clock.turn() == 2.0, "a new schedule is noticed soon"
    world.schedule()
    world.wall.advance(TEN_MINUTES - 0.5)
    assert world.clock.turn() == pytest.approx(0.5)
    world.wall.advance(0.5)
    assert world.clock.turn() == 0.25, "an answer is awaited"


def test_two_clock_processes_request_a_picture_once(world):
    world.schedule()
    other = world.another_clock()
    world.wall.advance(TEN_MINUTES)
    world.clock.turn()
    other.turn()
    assert len(world.read_requests()) == 1


def test_the_answer_is_recorded(world):
    schedule = world.schedule()
    (request,) = world.turn(TEN_MINUTES)
    world.queue.answer(request.id, CaptureAnswer(reason="no_picture", message="the stream is stopped"))
    world.turn()
    row = world.read(schedule)
    assert (row.reason_code, row.reason_message, row.last_taken_at_ms) == (
        "no_picture",
        "the stream is stopped",
        None,
    )
    (request,) = world.turn(TEN_MINUTES)
    world.queue.answer(request.id, CaptureAnswer(at_ms=1))
    world.turn()
    row = world.read(schedule)
    assert (row.reason_code, row.reason_message, row.last_taken_at_ms) == (None, None, ms(1200))


@on_sqlite
def test_without_an_answer_the_row_decides_and_without_a_row_the_worker_is_away(world):
    schedule = world.schedule()
    for is_there, reason in ((False, "snapshot_worker_away"), (True, None)):
        (request,) = world.turn(TEN_MINUTES)
        if is_there:
            make_snapshot(world.scope, world.device, 1, id=request.id, schedule_id=schedule.id)
        world.turn(ANSWER_SECONDS - 1)
        assert world.read(schedule).reason_code == (None if reason else "snapshot_worker_away"), (
            "the answer may still come"
        )
        world.turn(1)
        assert world.read(schedule).reason_code == reason
    assert world.read(schedule).last_taken_at_ms == ms(1200)


@on_sqlite
def test_a_new_clock_process_records_the_outcome_of_earlier_requests(world):
    taken, refused, silent = (world.schedule() for _ in range(3))
    world.turn(TEN_MINUTES)
    make_snapshot(world.scope, world.device, 1, id=snapshot_id_for(taken.id, ms(600)), schedule_id=taken.id)
    with database.transaction():
        EVERY_TENANT.update(SnapshotSchedule, reason_code="no_picture").where(
            SnapshotSchedule.id == refused.id
        ).execute()
    world.clock = world.another_clock()
    world.turn()
    world.turn(ANSWER_SECONDS)
    assert world.read(taken).last_taken_at_ms == ms(600)
    assert [world.read(one).reason_code for one in (refused, silent)] == ["no_picture", "snapshot_worker_away"]


def test_missed_pictures_are_not_taken_later_and_are_reported(world):
    schedule = world.schedule()
    assert world.turn(3 * TEN_MINUTES + LATE_MS / 1000 + 1) == []
    row = world.read(schedule)
    assert (row.reason_code, row.last_at_ms, row.next_at_ms) == ("slot_missed", ms(1800), ms(2400))
    assert row.reason_message == "3 pictures were not taken: the clock process was away"
    assert [one.id for one in world.turn(TEN_MINUTES - LATE_MS / 1000)] == [snapshot_id_for(schedule.id, ms(2400))]


@on_sqlite
def test_of_several_slightly_late_moments_the_newest_is_taken(world):
    schedule = world.schedule(SnapshotPlan(every_seconds=5))
    (request,) = world.turn(23)
    assert request.id == snapshot_id_for(schedule.id, ms(20))
    assert world.read(schedule).next_at_ms == ms(25)


@on_sqlite
def test_a_disabled_or_deleted_schedule_takes_no_picture(world):
    off, deleted = world.schedule(), world.schedule()
    replace_schedule(world.scope, off.id, ScheduleValues("gate", off.plan, enabled=False))
    delete_schedule(world.scope, deleted.id)
    assert world.turn(TEN_MINUTES) == []


@on_sqlite
def test_schedules_take_no_picture_shortly_before_the_disk_is_full(world, monkeypatch):
    def full(_, needed_bytes, *, floor_bytes=0):
        raise ExportSpaceMissing("5 MiB are left")

    schedule = world.schedule()
    monkeypatch.setattr("gateway.captures.files.CaptureFiles.check_space", full)
    assert world.turn(TEN_MINUTES) == []
    row = world.read(schedule)
    assert (row.reason_code, row.reason_message) == ("disk_full", "5 MiB are left")


@on_sqlite
def test_without_redis_a_reason_is_recorded_and_the_next_moment_is_taken(world, monkeypatch):
    schedules = [world.schedule() for _ in range(3)]
    tried = []

    def away(*_, **__):
        tried.append(1)
        raise redis.ConnectionError("away")

    with monkeypatch.context() as broken:
        broken.setattr(world.client, "pipeline", away)
        assert world.turn(TEN_MINUTES) == []
    assert [world.read(one).reason_code for one in schedules] == ["snapshot_worker_away"] * 3
    assert len(tried) == 1, "the other schedules do not wait for Redis"
    assert len(world.turn(TEN_MINUTES)) == 3


@on_sqlite
def test_moments_are_repaired_after_the_clock_of_the_machine_was_ahead(world):
    world.wall.jump(86_400 * 365)
    schedule = world.schedule()
    world.turn()
    world.wall.jump(-86_400 * 365)
    world.clock = SnapshotClock(replace(world.config), world.queue, world.wall)
    world.turn()
    assert world.read(schedule).next_at_ms == ms(600)
