"""The clock process repairs what no owner repairs, and its passes are safe to repeat."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from gateway import database
from gateway.captures.queue import CaptureQueue
from gateway.captures.schedules import ScheduleValues, create_schedule
from gateway.clock import FakeClock, utc_now
from gateway.events.model import events_of
from gateway.hookspecs import hookimpl
from gateway.jobs.attempts import LOST_SECONDS, claim_job
from gateway.jobs.model import create_job, find_job
from gateway.leases import STREAM, Leases, WorkerSlots
from gateway.redis_client import connect_redis
from gateway.schedules.snapshot_plan import SnapshotPlan
from gateway.states import DesiredState, StreamState
from gateway.streams.live_stats import LiveStats
from gateway.streams.messages import Messages, build_broker
from gateway.streams.model import Stream, claim_next_run, request_start, request_stop, touch_demand, transition
from gateway.streams.queries import read_stream_record
from gateway.tenancy.scopes import EVERY_TENANT
from tests.conftest import wait_until
from tests.factories import make_config, make_device, no_plugins
from tests.gateway.consumer_plugin import FakeRecorder
from tests.statements import recorded_statements
from workers.schedule import scheduler
from workers.schedule.scheduler import (
    GRACE_SECONDS,
    JOBS_PER_PASS,
    JOBS_SECONDS,
    QUICK_PASSES,
    START_PAUSE_SECONDS,
    START_SECONDS,
    STARTS_AT_ONCE,
    Reconciler,
)


class FakeOutput:
    """A consumer output that wants `devices`."""

    name = "fake"

    def __init__(self) -> None:
        self.devices: list[str] = []

    def wanted(self) -> list[str]:
        return list(self.devices)


class World:
    def __init__(self, redis_url: str, scope, box, folder: Path) -> None:
        self.scope, self.box = scope, box
        self.output = FakeOutput()
        # Each pass sweeps the folder of exports: it must not be that of the checkout.
        self.config = make_config(redis_url=redis_url, exports_dir=folder / "exports")
        self.client = connect_redis(redis_url)
        self.clock = FakeClock()
        self.started: list[str] = []
        self.messages = Messages(build_broker(self.config), self.client)
        self.messages._send = lambda actor, device_id, **_: self.started.append(device_id)
        self.reconciler = Reconciler(self.config, self.client, self.messages, outputs=[self.output], clock=self.clock)
        WorkerSlots(self.client).report("stream", "w1", used=0, total=64)

    def device(
        self, *, observed: StreamState | None = None, owner: str | None = None, wanted: bool = True, **values
    ) -> str:
        device = make_device(self.scope, self.box, **values)
        if wanted:
            request_start(self.scope, device.id)
        if observed is not None:
            claim_next_run(device.id, "w1")
            transition(device.id, StreamState.STARTING)
            transition(device.id, observed)
        if owner:
            Leases(self.client).take(STREAM, device.id, owner, 60)
        return device.id

    def passes(self, seconds: float = 2.0) -> list[str]:
        """Advance the clock and run one pass; returns what it started."""
        self.clock.advance(seconds)
        self.started.clear()
        self.reconciler.reconcile()
        return list(self.started)


@pytest.fixture
def world(bound_database, redis_url, scope, box, tmp_path):
    world = World(redis_url, scope, box, tmp_path)
    yield world
    world.client.close()


def observed(device_id: str) -> tuple[StreamState, str | None]:
    record = read_stream_record(device_id)
    return record.observed, record.reason_code


def test_a_device_that_should_run_without_an_owner_is_started(world):
    device = world.device()
    assert world.passes() == [device]


def test_a_device_whose_owner_died_is_started_again(world):
    device = world.device(observed=StreamState.RUNNING, owner="w1")
    assert world.passes() == []
    Leases(world.client).release(STREAM, device, "w1")
    assert world.passes() == [device]
    assert observed(device)[0] == StreamState.RUNNING, "the next owner writes its state"


def test_a_start_is_not_requested_again_until_a_worker_has_taken_it(world):
    device = world.device()
    assert world.passes() == [device]
    assert world.passes() == []
    world.messages.start_taken(device)
    assert world.passes() == [device]


def test_a_disabled_or_stopped_device_is_not_started(world):
    world.device(enabled=False)
    world.device(wanted=False)
    assert world.passes() == []


def test_a_stream_that_should_stop_without_an_owner_is_recorded_as_stopped(world):
    device = world.device(observed=StreamState.RUNNING)
    request_stop(world.scope, device)
    world.passes()
    assert observed(device) == (StreamState.STOPPED, "requested")


def test_a_stream_that_should_stop_is_left_to_its_owner(world):
    device = world.device(observed=StreamState.RUNNING, owner="w1")
    request_stop(world.scope, device)
    world.passes()
    assert observed(device) == (StreamState.RUNNING, None)


def test_few_devices_are_starting_at_a_time(world):
    devices = [world.device() for _ in range(STARTS_AT_ONCE + 3)]
    first = world.passes()
    assert len(first) == STARTS_AT_ONCE
    assert world.passes(START_PAUSE_SECONDS) == [], "none of them runs yet"
    rest = world.passes(START_SECONDS)
    assert set(rest) == set(devices) - set(first), "a camera that does not answer does not keep the others waiting"


def test_a_device_that_runs_makes_room_for_the_next_at_once(world):
    devices = {world.device() for _ in range(STARTS_AT_ONCE + 3)}
    first = world.passes()
    assert world.reconciler.seconds_to_next_pass() == START_PAUSE_SECONDS
    for device_id in first[:2]:
        Leases(world.client).take(STREAM, device_id, "w1", 60)
        claim_next_run(device_id, "w1")
        transition(device_id, StreamState.STARTING)
        transition(device_id, StreamState.RUNNING)
    second = world.passes(START_PAUSE_SECONDS)
    assert len(second) == 2
    assert set(second) <= devices - set(first)
    world.passes(START_SECONDS)
    assert world.reconciler.seconds_to_next_pass() > START_PAUSE_SECONDS, "nothing is left to be started"


def test_starts_are_limited_by_free_slots(world, caplog):
    for _ in range(4):
        world.device()
    WorkerSlots(world.client).withdraw("stream", "w1")
    assert world.passes() == []
    assert "4 devices wait for a stream worker: none has reported yet" in caplog.text
    WorkerSlots(world.client).report("stream", "w1", used=62, total=64)
    assert len(world.passes()) == 2
    WorkerSlots(world.client).report("stream", "w1", used=64, total=64)
    assert world.passes() == []
    assert "wait for a free slot: start more stream workers" in caplog.text


def test_a_pass_without_a_worker_is_repeated_soon_for_some_time(world, caplog):
    """Workers and clock are mostly started together: cameras wait for the workers, not for the next pass."""
    normal = world.config.reconcile_seconds * 0.9
    device = world.device()
    WorkerSlots(world.client).withdraw("stream", "w1")
    for _ in range(QUICK_PASSES):
        world.passes()
        assert world.reconciler.seconds_to_next_pass() < normal / 2
    assert caplog.text.count("none has reported yet") == 1
    world.passes()
    assert world.reconciler.seconds_to_next_pass() >= normal
    WorkerSlots(world.client).report("stream", "w1", used=64, total=64)
    world.passes()
    assert world.reconciler.seconds_to_next_pass() >= normal, "a full worker is no reason to hurry"
    WorkerSlots(world.client).withdraw("stream", "w1")
    world.passes()
    assert world.reconciler.seconds_to_next_pass() < normal / 2, "another restart"
    WorkerSlots(world.client).report("stream", "w1", used=0, total=64)
    assert world.passes() == [device]
    assert world.reconciler.seconds_to_next_pass() >= normal


def test_after_redis_came_back_empty_owners_get_a_grace_period(world, monkeypatch):
    device = world.device(observed=StreamState.RUNNING, owner="w1")
    stopping = world.device(observed=StreamState.RUNNING, owner="w1")
    world.passes()
    request_stop(world.scope, stopping)
    info = world.client.info("server")
    monkeypatch.setattr(world.client, "info", lambda _: {**info, "run_id": "another"})
    for device_id in (device, stopping):
        Leases(world.client).release(STREAM, device_id, "w1")
    assert world.passes() == []
    assert observed(stopping)[0] == StreamState.RUNNING
    assert world.passes(GRACE_SECONDS - 0.1) == []
    assert world.passes(0.2) == [device], "a dead owner is detected afterwards"
    assert observed(stopping)[0] == StreamState.STOPPED


def test_after_redis_was_away_owners_get_a_grace_period(world, monkeypatch):
    device = world.device()
    original = world.client.info

    def away(_):
        raise redis.ConnectionError("away")

    monkeypatch.setattr(world.client, "info", away)
    with pytest.raises(redis.ConnectionError):
        world.passes()
    monkeypatch.setattr(world.client, "info", original)
    assert world.passes() == []
    assert world.passes(GRACE_SECONDS) == [device]


def on_demand(world, demanded_seconds_ago: float, **values) -> str:
    device = world.device(start_mode="on_demand", idle_seconds=30, owner="w1", observed=StreamState.RUNNING, **values)
    touch_demand(world.scope, device, datetime.now(UTC) - timedelta(seconds=demanded_seconds_ago))
    return device


def desired(device_id: str) -> tuple[DesiredState, str]:
    record = read_stream_record(device_id)
    return record.desired, record.desired_reason


def test_an_on_demand_device_without_viewers_is_stopped(world):
    idle, fresh = on_demand(world, 31), on_demand(world, 20)
    world.passes()
    assert desired(idle) == (DesiredState.STOPPED, "idle")
    assert desired(fresh)[0] == DesiredState.RUNNING


def test_viewers_keep_an_on_demand_device_running_and_the_idle_time_starts_when_they_leave(world):
    device = on_demand(world, 3600)
    LiveStats(world.client).write(device, {"viewers": 1})
    world.passes()
    assert desired(device)[0] == DesiredState.RUNNING
    LiveStats(world.client).write(device, {"viewers": 0})
    world.passes()
    assert desired(device)[0] == DesiredState.RUNNING, "idle from now on, not for an hour"


def demanded_at(device_id: str) -> datetime:
    return read_stream_record(device_id).demanded_at


def demand_at(world, device_id: str, seconds_ago: float) -> None:
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    with database.transaction():
        EVERY_TENANT.update(Stream, demanded_at=at).where(Stream.device_id == device_id).execute()


def test_a_pass_writes_nothing_when_nothing_is_due(world):
    """The clock process must not take SQLite's only write lock every two seconds for devices that stay as they are."""
    watched, recorded = on_demand(world, 3), on_demand(world, 3)
    LiveStats(world.client).write(watched, {"viewers": 1})
    world.output.devices = [recorded]
    world.device(observed=StreamState.RUNNING, owner="w1")
    world.device(wanted=False)
    world.passes()
    with recorded_statements() as statements:
        world.passes()
        world.passes()
    assert statements.writes == []


def test_the_statements_of_a_pass_do_not_grow_with_the_devices(world):
    def count(more: int) -> int:
        for _ in range(more):
            watched, recorded, _idle = on_demand(world, 29), on_demand(world, 29), on_demand(world, 31)
            LiveStats(world.client).write(watched, {"viewers": 1})
            world.output.devices.append(recorded)
            world.output.devices.append(world.device(start_mode="on_demand", idle_seconds=30, wanted=False))
            request_stop(world.scope, world.device(observed=StreamState.RUNNING))
        # A thread that an earlier test of this process has left may query beside it.
        with recorded_statements(of_this_thread=True) as statements:
            world.passes()
        return len(statements)

    world.passes(JOBS_SECONDS)
    few = count(2)
    world.passes(JOBS_SECONDS)
    assert count(30) <= few


def test_the_demand_of_an_output_keeps_an_on_demand_device_running(world):
    device = on_demand(world, 29)
    world.output.devices = [device]
    world.passes()
    demand_at(world, device, 29)
    world.passes()
    assert demanded_at(device) > datetime.now(UTC) - timedelta(seconds=5), "written before the device counts as idle"
    assert desired(device)[0] == DesiredState.RUNNING


@pytest.mark.parametrize("is_watched", [True, False])
def test_the_idle_time_starts_when_the_demand_ends(world, is_watched):
    """The demand is written rarely while it lasts, but its end is noted at once."""
    device = on_demand(world, 5)
    if is_watched:
        LiveStats(world.client).write(device, {"viewers": 1})
    else:
        world.output.devices = [device]
    world.passes()
    demand_at(world, device, 14)
    if is_watched:
        LiveStats(world.client).write(device, {"viewers": 0})
    world.output.devices = []
    world.passes()
    assert demanded_at(device) > datetime.now(UTC) - timedelta(seconds=5)


def test_a_demand_that_arrives_during_the_pass_keeps_the_device_running(world, monkeypatch):
    device = on_demand(world, 31)
    read = scheduler.streams_to_reconcile

    def read_then_demand():
        records = read()
        touch_demand(world.scope, device, datetime.now(UTC))
        return records

    monkeypatch.setattr(scheduler, "streams_to_reconcile", read_then_demand)
    world.passes()
    assert desired(device)[0] == DesiredState.RUNNING


def test_a_stream_that_a_worker_takes_during_the_pass_is_not_recorded_as_stopped(world, monkeypatch):
    device, other = (world.device(observed=StreamState.RUNNING) for _ in range(2))
    for device_id in (device, other):
        request_stop(world.scope, device_id)
    read = scheduler.streams_to_reconcile

    def read_then_take():
        records = read()
        claim_next_run(device, "w2")
        return records

    monkeypatch.setattr(scheduler, "streams_to_reconcile", read_then_take)
    world.passes()
    assert observed(device)[0] == StreamState.RUNNING
    assert observed(other) == (StreamState.STOPPED, "requested")


def test_streams_recorded_as_stopped_have_their_events(world):
    devices = [world.device(observed=StreamState.RUNNING) for _ in range(3)]
    for device_id in devices:
        request_stop(world.scope, device_id)
    world.passes()
    for device_id in devices:
        event = next(iter(events_of(world.scope, device_id)))
        assert (event.from_state, event.to_state, event.reason_code) == ("running", "stopped", "requested")
        assert event.reason_message


def test_a_device_that_starts_always_is_never_idle(world):
    device = world.device(start_mode="always", idle_seconds=30, owner="w1", observed=StreamState.RUNNING)
    touch_demand(world.scope, device, datetime.now(UTC) - timedelta(days=1))
    world.passes()
    assert desired(device)[0] == DesiredState.RUNNING


def test_two_clock_processes_start_a_device_once(world):
    device = world.device()
    other = Reconciler(world.config, world.client, world.messages, clock=world.clock)
    world.reconciler.reconcile()
    other.reconcile()
    assert world.started == [device]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_clock_goes_on_after_a_failed_pass(world, monkeypatch, bound_database):
    import threading

    stop, passes = threading.Event(), []
    errors = [redis.ConnectionError("away"), RuntimeError("a mistake"), None]

    def reconcile(_):
        passes.append(1)
        error = errors[len(passes) - 1]
        if error is not None:
            raise error
        stop.set()

    monkeypatch.setattr(Reconciler, "reconcile", reconcile)
    monkeypatch.setattr(scheduler, "start_threads", lambda _: [])
    monkeypatch.setattr(scheduler.database, "connect", lambda _: None)
    monkeypatch.setattr(scheduler.database, "close", lambda: None)
    scheduler.run_clock(make_config(redis_url=world.config.redis_url, reconcile_seconds=0.001), stop=stop)
    assert len(passes) == 3


def test_old_history_is_pruned_and_the_rest_stays(world):
    device = world.device(observed=StreamState.RUNNING)
    too_old = utc_now() - timedelta(days=world.config.event_days + 1)
    transition(device, StreamState.RECONNECTING, at=too_old)
    kept = events_of(world.scope, device).count() - 1
    world.passes()
    assert events_of(world.scope, device).count() == kept


def test_history_is_not_pruned_by_a_clock_that_is_ahead(world):
    device = world.device(observed=StreamState.RUNNING)
    transition(device, StreamState.RECONNECTING)
    world.passes()
    kept = events_of(world.scope, device).count()
    world.clock.jump(400 * 86_400)
    ahead = utc_now() + timedelta(days=400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scheduler.database, "now", lambda: ahead)
        world.clock.advance(scheduler.PRUNE_SECONDS + 1)
        world.passes()
    assert events_of(world.scope, device).count() >= kept


def test_the_clock_collects_the_outputs_of_all_plugins():
    """The clock calls `register_consumer_outputs` with a context that names the process `clock`."""
    seen = []

    class Plugin:
        @hookimpl
        def register_consumer_outputs(self, context):
            seen.append(context.worker)
            return [FakeRecorder("tape")]

    manager = no_plugins()
    manager.register(Plugin())
    assert [output.name for output in scheduler._collect_outputs(make_config(), manager)] == ["tape"]
    assert seen == ["clock"]


def test_the_message_of_a_queued_job_is_repeated_until_a_worker_has_taken_it(world):
    job, _ = create_job(world.scope, "export", {})
    assert world.passes(JOBS_SECONDS) == [job.id]
    assert world.passes(JOBS_SECONDS) == []
    world.messages.job_taken(job.id)
    assert world.passes(JOBS_SECONDS - 0.5) == [], "not in every pass"
    assert world.passes(0.5) == [job.id]


def test_the_message_of_a_job_whose_worker_died_is_sent_again(world):
    job, _ = create_job(world.scope, "export", {})
    claim_job(job.id, "w1", at=utc_now() - timedelta(seconds=LOST_SECONDS + 1))
    assert world.passes(JOBS_SECONDS) == [job.id]
    assert find_job(world.scope, job.id).state == "queued"


def test_the_messages_for_jobs_in_one_pass_are_limited(world):
    for _ in range(JOBS_PER_PASS + 2):
        create_job(world.scope, "export", {})
    assert len(world.passes(JOBS_SECONDS)) == JOBS_PER_PASS


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_clock_takes_scheduled_snapshots_in_a_thread_of_its_own(world, tmp_path):
    schedule = create_schedule(world.scope, world.device(), ScheduleValues("gate", SnapshotPlan(every_seconds=1)))
    threads = scheduler.start_threads(make_config(redis_url=world.config.redis_url, captures_dir=tmp_path))
    try:
        queue = CaptureQueue(world.client)
        request = wait_until(lambda: queue.take(wait_seconds=0.1), "a picture is asked for")
        assert (request.schedule_id, request.device_id) == (schedule.id, schedule.device_id)
    finally:
        for thread in threads:
            thread.stop()
