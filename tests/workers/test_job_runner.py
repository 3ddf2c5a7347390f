"""A jobs worker runs what waits, hears a wish to cancel, loses nothing when it stops, and does nothing twice."""

import threading
import time
from dataclasses import replace
from threading import BoundedSemaphore

import pytest
from dramatiq.middleware import Shutdown

from gateway.database import DatabaseUnavailable
from gateway.errors import Unavailable
from gateway.jobs.model import Job, claim_job, create_job, delete_job, find_job, request_cancel
from gateway.tenancy.scopes import EVERY_TENANT
from tests.conftest import wait_until
from tests.factories import make_config
from workers import job_runner
from workers.job_runner import JobFailed, JobRunner, result_stem

KEEP = 24.0


class World:
    """A runner of one kind of job, `work`, whose function the test gives."""

    def __init__(self, scope, config) -> None:
        self.scope, self.config = scope, config
        self.work = lambda attempt, context: {"size": 1}
        self.is_closing = False
        self.seats = BoundedSemaphore(1)
        self.ran: list[str] = []

    def ask(self, kind: str = "work", **values) -> str:
        return create_job(self.scope, kind, {}, **values)[0].id

    def run(self, job_id: str) -> Job:
        self.take(job_id)
        return find_job(self.scope, job_id)

    def take(self, job_id: str) -> None:
        """What a message does."""

        def work(attempt, context):
            self.ran.append(attempt.id)
            return self.work(attempt, context)

        kinds = {"work": work}
        JobRunner(self.config, "w", kinds, self.seats, lambda: self.is_closing).run(job_id)

    def in_thread(self, job_id: str) -> threading.Thread:
        thread = threading.Thread(target=self.take, args=(job_id,))
        thread.start()
        return thread


@pytest.fixture
def world(bound_database, scope, tmp_path):
    config = make_config(exports_dir=tmp_path / "exports")
    config.exports_dir.mkdir()
    return World(scope, config)


def until_told(context, seconds: float = 10) -> None:
    """What a long job does: look again and again whether it is to end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        context.check()
        time.sleep(0.01)
    raise AssertionError("nobody told the job to end")


def test_a_job_is_run_and_its_result_kept(world):
    job = world.run(world.ask())
    assert (job.state, job.progress, job.result) == ("done", 1.0, '{"size": 1}')


def test_a_message_that_comes_twice_runs_the_job_once(world):
    job_id = world.ask()
    world.run(job_id)
    world.run(job_id)
    assert world.ran == [job_id]


def test_whoever_gets_free_takes_what_waits(world):
    ids = [world.ask() for _ in range(3)]
    world.run(ids[2])
    assert world.ran == [ids[2], ids[0], ids[1]]


def test_no_more_jobs_run_at_once_than_there_are_seats(world):
    world.seats.acquire()
    assert world.run(world.ask()).state == "queued"
    world.seats.release()
    assert world.ran == []


def test_progress_is_seen_while_it_runs(world):
    seen = threading.Event()

    def work(attempt, context):
        context.report(0.4, "copying")
        assert seen.wait(10)
        return {}

    world.work = work
    job_id = world.ask()
    thread = world.in_thread(job_id)
    wait_until(lambda: find_job(world.scope, job_id).progress == 0.4, "progress is written")
    assert find_job(world.scope, job_id).stage == "copying"
    seen.set()
    thread.join(10)


def test_a_wish_to_cancel_is_heard_within_a_second(world):
    world.work = lambda attempt, context: until_told(context)
    job_id = world.ask()
    thread = world.in_thread(job_id)
    wait_until(lambda: find_job(world.scope, job_id).state == "running", "it runs")
    asked = time.monotonic()
    request_cancel(world.scope, job_id, keep_hours=KEEP)
    thread.join(10)
    assert time.monotonic() - asked < 1.0
    assert find_job(world.scope, job_id).state == "cancelled"


def test_a_job_that_is_deleted_while_it_runs_leaves_no_file(world):
    def work(attempt, context):
        (world.config.exports_dir / f"{result_stem(attempt)}.mp4").write_bytes(b"half")
        until_told(context)

    world.work = work
    job_id = world.ask()
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
def test_a_job_that_fails_says_why_and_the_next_one_is_run(world, error, code, message):
    first, second = world.ask(), world.ask()

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


def test_a_kind_that_this_worker_does_not_know_fails(world):
    job = world.run(world.ask("dance"))
    assert (job.state, job.error_code) == ("failed", "job_failed")
    assert "'dance'" in job.error_message


def test_a_worker_that_stops_hands_its_job_back_and_takes_no_other(world):
    first, second = world.ask(), world.ask()

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


def test_a_worker_that_is_stopping_takes_nothing(world):
    world.is_closing = True
    assert world.run(world.ask()).state == "queued"


def test_what_an_attempt_that_was_killed_has_left_is_removed_first(world):
    job_id = world.ask()
    claim_job(job_id, "killed")
    EVERY_TENANT.update(Job, state="queued").where(Job.id == job_id).execute()
    left = world.config.exports_dir / f".{job_id}-00000000.mp4.part"
    left.write_bytes(b"half")
    seen = []
    world.work = lambda attempt, context: seen.append(left.exists()) or {}
    assert world.run(job_id).state == "done"
    assert seen == [False]


def test_a_job_that_another_worker_has_taken_over_writes_nothing_more(world):
    def work(attempt, context):
        (world.config.exports_dir / f"{result_stem(attempt)}.mp4").write_bytes(b"mine")
        EVERY_TENANT.update(Job, worker="another").where(Job.id == attempt.id).execute()
        (world.config.exports_dir / f"{attempt.id}-theirs.mp4").write_bytes(b"theirs")
        return {"size": 4}

    world.work = work
    job = world.run(world.ask())
    assert (job.state, job.worker) == ("running", "another")
    assert [path.read_bytes() for path in world.config.exports_dir.iterdir()] == [b"theirs"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_is_away_for_a_while_costs_neither_job_nor_result(world, monkeypatch):
    finish, failures = job_runner.finish_job, iter([DatabaseUnavailable("away"), DatabaseUnavailable("away")])

    def away(*args, **options):
        error = next(failures, None)
        if error is not None:
            raise error
        finish(*args, **options)

    monkeypatch.setattr(job_runner, "finish_job", away)
    monkeypatch.setattr(job_runner, "_RETRY_SECONDS", 0.01)
    assert world.run(world.ask()).state == "done"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_heart_that_stumbles_goes_on(world, monkeypatch):
    look, failures = job_runner.is_cancel_requested, iter([DatabaseUnavailable("away"), RuntimeError("a mistake")])

    def stumble(attempt):
        error = next(failures, None)
        if error is not None:
            raise error
        return look(attempt)

    monkeypatch.setattr(job_runner, "is_cancel_requested", stumble)
    world.work = lambda attempt, context: until_told(context)
    job_id = world.ask()
    thread = world.in_thread(job_id)
    wait_until(lambda: find_job(world.scope, job_id).state == "running", "it runs")
    request_cancel(world.scope, job_id, keep_hours=KEEP)
    thread.join(10)
    assert find_job(world.scope, job_id).state == "cancelled"


def test_a_token_is_of_one_attempt_alone(world):
    attempt = claim_job(world.ask(), "w")
    assert result_stem(attempt).startswith(f"{attempt.id}-")
    assert result_stem(replace(attempt, token="w:other")) != result_stem(attempt)
