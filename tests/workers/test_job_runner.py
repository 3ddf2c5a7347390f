"""A worker runs queued jobs once, cancels them on request, and loses none when it stops."""

import threading
import time
from dataclasses import replace
from threading import BoundedSemaphore

import pytest
from dramatiq.middleware import Shutdown

from gateway.database import DatabaseUnavailable
from gateway.errors import JobFailed, Unavailable
from gateway.jobs.attempts import claim_job, hand_back
from gateway.jobs.cleanup import delete_job
from gateway.jobs.model import Job, create_job, find_job, request_cancel
from gateway.tenancy.scopes import EVERY_TENANT
from tests.conftest import wait_until
from tests.factories import make_config
from workers import job_runner
from workers.job_runner import JobRunner, result_stem

KEEP = 24.0


class World:
    """A runner of one kind of job, `work`, whose function is set by the test."""

    def __init__(self, scope, config) -> None:
        self.scope, self.config = scope, config
        self.work = lambda attempt, context: {"size": 1}
        self.is_closing = False
        self.slots = BoundedSemaphore(1)
        self.ran: list[str] = []

    def make_job(self, kind: str = "work", **values) -> str:
        return create_job(self.scope, kind, {}, **values)[0].id

    def run(self, job_id: str) -> Job:
        self.take(job_id)
        return find_job(self.scope, job_id)

    def take(self, job_id: str) -> None:
        """Run a job as its message does."""

        def work(attempt, context):
            self.ran.append(attempt.id)
            return self.work(attempt, context)

        kinds = {"work": work}
        JobRunner(self.config, "w", kinds, self.slots, lambda: self.is_closing).run(job_id)

    def in_thread(self, job_id: str) -> threading.Thread:
        thread = threading.Thread(target=self.take, args=(job_id,))
        thread.start()
        return thread


@pytest.fixture
def world(bound_database, scope, tmp_path):
    config = make_config(exports_dir=tmp_path / "exports")
    config.exports_dir.mkdir()
    return World(scope, config)


def check_until_ended(context, seconds: float = 10) -> None:
    """A long job, which checks repeatedly whether it is to end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        context.check()
        time.sleep(0.01)
    raise AssertionError("the job was not ended")


def test_a_job_is_run_and_its_result_stored(world):
    job = world.run(world.make_job())
    assert (job.state, job.progress, job.result) == ("done", 1.0, '{"size": 1}')


def test_a_repeated_message_runs_the_job_once(world):
    job_id = world.make_job()
    world.run(job_id)
    world.run(job_id)
    assert world.ran == [job_id]


def test_a_free_slot_takes_the_queued_jobs(world):
    ids = [world.make_job() for _ in range(3)]
    world.run(ids[2])
    assert world.ran == [ids[2], ids[0], ids[1]]


def test_the_slots_limit_how_many_jobs_run_at_once(world):
    world.slots.acquire()
    assert world.run(world.make_job()).state == "queued"
    world.slots.release()
    assert world.ran == []


def test_progress_is_written_while_the_job_runs(world):
    seen = threading.Event()

    def work(attempt, context):
        context.report(0.4, "copying")
        assert seen.wait(10)
        return {}

    world.work = work
    job_id = world.make_job()
    thread = world.in_thread(job_id)
    wait_until(lambda: find_job(world.scope, job_id).progress == 0.4, "progress is written")
    assert find_job(world.scope, job_id).stage == "copying"
    seen.set()
    thread.join(10)


def test_a_cancellation_takes_effect_within_a_second(world):
    world.work = lambda attempt, context: check_until_ended(context)
    job_id = world.make_job()
    thread = world.in_thread(job_id)
    wait_until(lambda: find_job(world.scope, job_id).state == "running", "it runs")
    requested_at = time.monotonic()
    request_cancel(world.scope, job_id, keep_hours=KEEP)
    thread.join(10)
    assert time.monotonic() - requested_at < 1.0
    assert find_job(world.scope, job_id).state == "cancelled"


def test_a_job_that_is_deleted_while_it_runs_leaves_no_file(world):
    def work(attempt, context):
        (world.config.exports_dir / f"{result_stem(attempt)}.mp4").write_bytes(b"half")
        check_until_ended(context)

    world.work = work
    job_id = world.make_job()
    thread = world.in_thread(job_id)
    wait_until(lambda: list(world.config.exports_dir.iterdir()), "it has written")
    delete_job(world.scope, world.config, job_id)
    thread.join(10)
    assert not thread.is_alive()
    assert not list(world.config.exports_dir.iterdir())


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (JobFailed("disk_full", "only 3 bytes are left"), "disk_full", "only 3 bytes are left"),
        (Unavailable("the store is away", reason="storage_unmounted"), "storage_unmounted", "the store is away"),
        (RuntimeError("a mistake of ours"), "job_failed", None),
    ],
)
def test_a_failed_job_has_a_reason_and_the_next_one_is_run(world, error, code, message):
    first, second = world.make_job(), world.make_job()

    def work(attempt, context):
        if attempt.id == first:
            (world.config.exports_dir / f"{result_stem(attempt)}.mp4").write_bytes(b"half")
            raise error
        return {}

    world.work = work
    job = world.run(first)
    assert (job.state, job.error_code, job.error_message) == ("failed", code, message)
    assert find_job(world.scope, second).state == "done"
    assert not list(world.config.exports_dir.iterdir())


def test_a_job_of_an_unknown_kind_fails(world):
    job = world.run(world.make_job("dance"))
    assert (job.state, job.error_code) == ("failed", "job_failed")
    assert "'dance'" in job.error_message


def test_a_stopping_worker_hands_its_job_back_and_takes_no_other(world):
    first, second = world.make_job(), world.make_job()

    def work(attempt, context):
        (world.config.exports_dir / f"{result_stem(attempt)}.mp4").write_bytes(b"half")
        world.is_closing = True
        raise Shutdown

    world.work = work
    with pytest.raises(Shutdown):
        world.run(first)
    assert [find_job(world.scope, job_id).state for job_id in (first, second)] == ["queued", "queued"]
    assert find_job(world.scope, first).attempts == 0
    assert not list(world.config.exports_dir.iterdir())


def test_a_stop_whose_exception_was_dropped_is_noticed_at_the_next_check(world):
    def work(attempt, context):
        world.is_closing = True
        context.check()

    world.work = work
    job_id = world.make_job()
    with pytest.raises(Shutdown):
        world.run(job_id)
    assert find_job(world.scope, job_id).state == "queued"


def test_a_second_shutdown_does_not_keep_a_job_from_being_handed_back(world, monkeypatch):
    shutdowns = [Shutdown()]

    def hand_back_late(attempt):
        if shutdowns:
            raise shutdowns.pop()
        hand_back(attempt)

    def work(attempt, context):
        raise Shutdown

    world.work = work
    monkeypatch.setattr("workers.job_runner.hand_back", hand_back_late)
    job_id = world.make_job()
    with pytest.raises(Shutdown):
        world.run(job_id)
    assert find_job(world.scope, job_id).state == "queued"


def test_a_job_that_is_done_when_its_worker_stops_is_not_repeated(world):
    def work(attempt, context):
        world.is_closing = True
        return {"size": 1}

    world.work = work
    assert world.run(world.make_job()).state == "done"


def test_a_stopping_worker_starts_no_job(world):
    world.is_closing = True
    assert world.run(world.make_job()).state == "queued"


def test_files_of_a_killed_attempt_are_removed_first(world):
    job_id = world.make_job()
    claim_job(job_id, "killed")
    EVERY_TENANT.update(Job, state="queued").where(Job.id == job_id).execute()
    leftover = world.config.exports_dir / f".{job_id}-00000000.mp4.part"
    leftover.write_bytes(b"half")
    seen = []
    world.work = lambda attempt, context: seen.append(leftover.exists()) or {}
    assert world.run(job_id).state == "done"
    assert seen == [False]


def test_an_attempt_that_lost_its_job_writes_nothing_and_removes_only_its_own_files(world):
    def work(attempt, context):
        (world.config.exports_dir / f"{result_stem(attempt)}.mp4").write_bytes(b"mine")
        EVERY_TENANT.update(Job, worker="another").where(Job.id == attempt.id).execute()
        (world.config.exports_dir / f"{attempt.id}-theirs.mp4").write_bytes(b"theirs")
        return {"size": 4}

    world.work = work
    job = world.run(world.make_job())
    assert (job.state, job.worker) == ("running", "another")
    assert [path.read_bytes() for path in world.config.exports_dir.iterdir()] == [b"theirs"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_temporary_outage_of_the_database_loses_neither_job_nor_result(world, monkeypatch):
    finish, failures = job_runner.finish_job, iter([DatabaseUnavailable("away"), DatabaseUnavailable("away")])

    def away(*args, **options):
        error = next(failures, None)
        if error is not None:
            raise error
        finish(*args, **options)

    monkeypatch.setattr(job_runner, "finish_job", away)
    monkeypatch.setattr(job_runner, "_RETRY_SECONDS", 0.01)
    assert world.run(world.make_job()).state == "done"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_failing_heartbeat_goes_on(world, monkeypatch):
    check, failures = job_runner.is_cancel_requested, iter([DatabaseUnavailable("away"), RuntimeError("a mistake")])

    def fail_at_first(attempt):
        error = next(failures, None)
        if error is not None:
            raise error
        return check(attempt)

    monkeypatch.setattr(job_runner, "is_cancel_requested", fail_at_first)
    world.work = lambda attempt, context: check_until_ended(context)
    job_id = world.make_job()
    thread = world.in_thread(job_id)
    wait_until(lambda: find_job(world.scope, job_id).state == "running", "it runs")
    request_cancel(world.scope, job_id, keep_hours=KEEP)
    thread.join(10)
    assert find_job(world.scope, job_id).state == "cancelled"


def test_each_attempt_has_a_token_of_its_own(world):
    attempt = claim_job(world.make_job(), "w")
    assert result_stem(attempt).startswith(f"{attempt.id}-")
    assert result_stem(replace(attempt, token="w:other")) != result_stem(attempt)
