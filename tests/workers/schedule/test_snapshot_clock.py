"""Schedules of snapshots are asked for in time and once; why there is no picture is told."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import redis

from gateway import database
from gateway.captures.queue import SCHEDULED, CaptureAnswer, CaptureQueue, CaptureRequest
from gateway.captures.schedules import (
    ScheduleValues,
    SnapshotSchedule,
    create_schedule,
    delete_schedule,
    find_schedule,
    replace_schedule,
    snapshot_id_for,
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
        """One turn after some time; gives what was asked of the workers."""
        self.wall.advance(seconds)
        self.clock.turn()
        return self.asked()

    def asked(self) -> list[CaptureRequest]:
        found = []
        while (text := self.client.lpop("vas:captures")) is not None:
            values = self.client.getdel(f"vas:capture:{text.decode()}")
            found.append(CaptureRequest.from_dict(json.loads(values)))
        return found

    def seen(self, schedule: SnapshotSchedule) -> SnapshotSchedule:
        return find_schedule(EVERY_TENANT, schedule.id)


@pytest.fixture
def world(bound_database, redis_url, tmp_path, scope, box):
    world = World(redis_url, tmp_path, scope, box)
    yield world
    world.client.close()


def ms(seconds: float) -> int:
    return round((START + seconds) * 1000)


def test_a_picture_is_asked_for_when_it_is_due_and_not_before(world):
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
    seen = world.seen(schedule)
    assert (seen.last_at_ms, seen.next_at_ms, seen.last_taken_at_ms) == (ms(600), ms(1200), None)


@on_sqlite
def test_the_next_turn_comes_in_time_for_what_is_due(world):
    assert world.clock.turn() == 2.0, "a new schedule is seen soon"
    world.schedule()
    world.wall.advance(TEN_MINUTES - 0.5)
    assert world.clock.turn() == pytest.approx(0.5)
    world.wall.advance(0.5)
    assert world.clock.turn() == 0.25, "an answer is awaited"


def test_two_clocks_ask_once(world):
    world.schedule()
    other = world.another_clock()
    world.wall.advance(TEN_MINUTES)
    world.clock.turn()
    other.turn()
    assert len(world.asked()) == 1


def test_the_answer_is_noted(world):
    schedule = world.schedule()
    (request,) = world.turn(TEN_MINUTES)
    world.queue.answer(request.id, CaptureAnswer(reason="no_picture", message="the stream is stopped"))
    world.turn()
    seen = world.seen(schedule)
    assert (seen.reason_code, seen.reason_message, seen.last_taken_at_ms) == (
        "no_picture",
        "the stream is stopped",
        None,
    )
    (request,) = world.turn(TEN_MINUTES)
    world.queue.answer(request.id, CaptureAnswer(at_ms=1))
    world.turn()
    seen = world.seen(schedule)
    assert (seen.reason_code, seen.reason_message, seen.last_taken_at_ms) == (None, None, ms(1200))


@on_sqlite
def test_without_an_answer_the_row_tells_and_without_a_row_no_worker_is_said(world):
    schedule = world.schedule()
    for is_there, reason in ((False, "snapshot_worker_away"), (True, None)):
        (request,) = world.turn(TEN_MINUTES)
        if is_there:
            make_snapshot(world.scope, world.device, 1, id=request.id, schedule_id=schedule.id)
        world.turn(ANSWER_SECONDS - 1)
        assert world.seen(schedule).reason_code == (None if reason else "snapshot_worker_away"), "it may still come"
        world.turn(1)
        assert world.seen(schedule).reason_code == reason
    assert world.seen(schedule).last_taken_at_ms == ms(1200)


@on_sqlite
def test_a_clock_that_starts_notes_what_the_one_before_asked_for(world):
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
    assert world.seen(taken).last_taken_at_ms == ms(600)
    assert [world.seen(one).reason_code for one in (refused, silent)] == ["no_picture", "snapshot_worker_away"]


def test_what_was_missed_is_not_taken_later_and_told(world):
    schedule = world.schedule()
    assert world.turn(3 * TEN_MINUTES + LATE_MS / 1000 + 1) == []
    seen = world.seen(schedule)
    assert (seen.reason_code, seen.last_at_ms, seen.next_at_ms) == ("slot_missed", ms(1800), ms(2400))
    assert seen.reason_message == "3 pictures were not taken: the clock process was away"
    assert [one.id for one in world.turn(TEN_MINUTES - LATE_MS / 1000)] == [snapshot_id_for(schedule.id, ms(2400))]


@on_sqlite
def test_of_several_that_are_a_little_late_the_newest_is_taken(world):
    schedule = world.schedule(SnapshotPlan(every_seconds=5))
    (request,) = world.turn(23)
    assert request.id == snapshot_id_for(schedule.id, ms(20))
    assert world.seen(schedule).next_at_ms == ms(25)


@on_sqlite
def test_what_is_disabled_or_deleted_is_not_taken(world):
    off, gone = world.schedule(), world.schedule()
    replace_schedule(world.scope, off.id, ScheduleValues("gate", off.plan, enabled=False))
    delete_schedule(world.scope, gone.id)
    assert world.turn(TEN_MINUTES) == []


@on_sqlite
def test_schedules_stop_before_the_disk_is_full(world, monkeypatch):
    def full(_, needed_bytes, *, floor_bytes=0):
        raise ExportSpaceMissing("5 MiB are left")

    schedule = world.schedule()
    monkeypatch.setattr("gateway.captures.files.CaptureFiles.check_space", full)
    assert world.turn(TEN_MINUTES) == []
    seen = world.seen(schedule)
    assert (seen.reason_code, seen.reason_message) == ("disk_full", "5 MiB are left")


@on_sqlite
def test_without_redis_the_reason_is_told_and_the_next_is_taken(world, monkeypatch):
    schedules = [world.schedule() for _ in range(3)]
    tried = []

    def away(*_, **__):
        tried.append(1)
        raise redis.ConnectionError("away")

    with monkeypatch.context() as broken:
        broken.setattr(world.client, "pipeline", away)
        assert world.turn(TEN_MINUTES) == []
    assert [world.seen(one).reason_code for one in schedules] == ["snapshot_worker_away"] * 3
    assert len(tried) == 1, "the others do not wait for a Redis that is away"
    assert len(world.turn(TEN_MINUTES)) == 3


@on_sqlite
def test_a_clock_of_the_machine_that_was_ahead_does_no_lasting_harm(world):
    world.wall.jump(86_400 * 365)
    schedule = world.schedule()
    world.turn()
    world.wall.jump(-86_400 * 365)
    world.clock = SnapshotClock(replace(world.config), world.queue, world.wall)
    world.turn()
    assert world.seen(schedule).next_at_ms == ms(600)
