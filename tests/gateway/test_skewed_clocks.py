"""A machine whose clock is minutes or hours wrong stops, repeats and deletes nothing that other machines wrote."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from gateway import database
from gateway.captures.changes import restore, soft_delete
from gateway.captures.schedules import ScheduleValues, create_schedule, find_schedule
from gateway.captures.snapshots import NewSnapshot, Snapshot, save_snapshot
from gateway.jobs.attempts import claim_job, heartbeat_job
from gateway.jobs.model import create_job, find_job
from gateway.leases import STREAM, Leases
from gateway.redis_client import connect_redis
from gateway.schedules.snapshot_plan import SnapshotPlan
from gateway.service_clock import ServiceClock
from gateway.states import StreamState
from gateway.streams.model import claim_next_run, request_start, transition
from gateway.streams.queries import read_stream_record
from tests.factories import make_config, make_device
from tests.stack.skewed_clock import NoCompilerError, SkewedClock

ROOT = Path(__file__).resolve().parents[2]
SKEWS = [-300.0, 300.0, 7200.0]
SNAPSHOT = "00000000-0000-4000-8000-0000000000a1"

pytestmark = pytest.mark.parametrize("skew_seconds", SKEWS)


@pytest.fixture
def elsewhere(postgres_url, redis_url, tmp_path, skew_seconds) -> Callable[[str], dict]:
    """Run the processes of another machine once, on the same database, Redis and folders."""
    try:
        clock = SkewedClock(tmp_path)
    except NoCompilerError as error:
        pytest.skip(str(error))
    clock.set(skew_seconds)
    database.connect(make_config(database_url=postgres_url))

    def run(device_id: str) -> dict:
        env = os.environ | {"PYTHONPATH": str(ROOT)} | {name: str(value) for name, value in clock.settings.items()}
        command = [sys.executable, "-m", "tests.gateway.skewed_process", postgres_url, redis_url, str(tmp_path)]
        done = subprocess.run(
            [*command, device_id], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout.splitlines()[-1])
        assert seen["wall"] - time.time() == pytest.approx(skew_seconds, abs=30)
        return seen

    yield run
    database.close()


@pytest.fixture
def device(elsewhere, scope, box, redis_url) -> str:
    """An on_demand device that somebody watches, with an owner."""
    device_id = make_device(scope, box, start_mode="on_demand", idle_seconds=60).id
    request_start(scope, device_id, demanded_at=database.now())
    run = claim_next_run(device_id, "w1")
    transition(device_id, StreamState.STARTING, run=run)
    transition(device_id, StreamState.RUNNING, run=run)
    client = connect_redis(redis_url)
    Leases(client).take(STREAM, device_id, "w1", 600)
    client.close()
    return device_id


def test_a_watched_device_is_not_stopped_and_keeps_its_owner(elsewhere, device, redis_url):
    elsewhere(device)
    assert read_stream_record(device).desired == "running"
    client = connect_redis(redis_url)
    assert Leases(client).holder(STREAM, device) == "w1"
    client.close()


def test_a_demand_noted_elsewhere_counts_here_from_now_on(elsewhere, device):
    elsewhere(device)
    assert abs(database.now() - read_stream_record(device).demanded_at) < timedelta(seconds=30)


def test_a_job_with_a_fresh_heartbeat_is_not_repeated(elsewhere, device, scope):
    job, _ = create_job(scope, "export", {})
    attempt = claim_job(job.id, "w1")
    heartbeat_job(attempt, 0.5, "reading")
    elsewhere(device)
    assert find_job(scope, job.id).state == "running"


def test_a_deleted_snapshot_can_be_restored_for_its_time(elsewhere, device, scope):
    new = NewSnapshot(SNAPSHOT, device, "gate", 1, "live", 1, 1, 1, f"snapshots/{SNAPSHOT}.jpg")
    save_snapshot(scope, new)
    with database.transaction():
        soft_delete(scope, Snapshot, SNAPSHOT)
    elsewhere(device)
    with database.transaction():
        assert restore(scope, Snapshot, SNAPSHOT, undo_minutes=1)


def test_a_schedule_takes_no_moment_early_and_misses_none(elsewhere, device, scope):
    schedule = create_schedule(scope, device, ScheduleValues("gate", SnapshotPlan(every_seconds=3600)))
    elsewhere(device)
    assert find_schedule(scope, schedule.id).next_at_ms == schedule.next_at_ms


def test_fresh_files_are_fresh_whatever_the_clock_of_the_reader(elsewhere, device, tmp_path):
    files = [tmp_path / name for name in ("recordings/tenant/a.mp4", "captures/snapshots/a.jpg", "exports/a.mp4")]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"fresh")
    seen = elsewhere(device)
    assert seen["ages"] == [pytest.approx(0, abs=30)]
    assert seen["old_captures"] == []
    assert seen["orphans"] == 0
    assert all(file.exists() for file in files)


def test_the_service_clock_is_that_of_the_database(elsewhere, device):
    seen = elsewhere(device)
    assert seen["service"] == pytest.approx(time.time(), abs=30)
    assert ServiceClock().wall() == pytest.approx(time.time(), abs=1)
