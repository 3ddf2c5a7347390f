"""A snapshot worker takes the pictures of a schedule, and the schedule shows the outcome."""

from datetime import UTC, datetime

import pytest

from gateway.captures.due_schedules import snapshot_id_for
from gateway.captures.queue import CaptureQueue
from gateway.captures.schedules import ScheduleValues, create_schedule, find_schedule
from gateway.schedules.snapshot_plan import SnapshotPlan
from gateway.tenancy.scopes import EVERY_TENANT
from tests.conftest import wait_until
from tests.playback import NOON_MS, make_clip
from workers.capture_service import SnapshotWorker
from workers.schedule.snapshot_clock import SnapshotClock

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def clock(camera):
    """The clock of schedules, with a snapshot worker that answers it."""
    queue = CaptureQueue(camera.redis)
    worker = SnapshotWorker(queue, camera.captures.capture, lambda job_id: None, threads=1, take_seconds=0.1)
    worker.start()
    yield SnapshotClock(camera.config, queue, camera.clock)
    worker.close()


@pytest.fixture
def schedule(camera):
    values = ScheduleValues("gate", SnapshotPlan(every_seconds=2), tags=("roof",))
    return create_schedule(camera.scope, camera.device_id, values, at=datetime.fromtimestamp(NOON_MS / 1000, UTC))


def outcome(clock, schedule):
    """The schedule once it has the outcome of its newest moment."""

    def look():
        clock.turn()
        row = find_schedule(EVERY_TENANT, schedule.id)
        return row if row.reason_code or row.last_taken_at_ms else None

    return wait_until(look, "the schedule tells what came of it")


def test_the_newest_key_frame_is_stored_with_the_schedules_name_and_tags(camera, clock, schedule):
    camera.send(make_clip(seconds=2.5, first_frame=100))
    row = outcome(clock, schedule)
    assert (row.last_taken_at_ms, row.reason_code) == (NOON_MS + 2000, None)
    row = camera.row(snapshot_id_for(schedule.id, NOON_MS + 2000))
    assert (row.kind, row.schedule_id, row.created_by, row.at_ms) == ("scheduled", schedule.id, "gate", NOON_MS + 2000)
    assert camera.number(row) == 150
    (fact,) = (values["snapshot"] for hook, values in camera.facts if hook == "on_snapshot")
    assert (fact.kind, fact.tags) == ("scheduled", ("roof",))


def test_without_video_the_schedule_has_a_reason_and_no_file_is_left(camera, clock, schedule):
    camera.clock.advance(2)
    row = outcome(clock, schedule)
    assert (row.reason_code, row.last_taken_at_ms) == ("no_picture", None)
    assert row.reason_message
    assert camera.files() == []
