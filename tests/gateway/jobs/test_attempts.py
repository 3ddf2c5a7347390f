"""A job is run by one attempt at a time; an attempt that has lost its job writes nothing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.clock import utc_now
from gateway.errors import LeaseLost
from gateway.jobs.attempts import (
    MAX_ATTEMPTS,
    claim_job,
    end_cancelled,
    fail_job,
    hand_back,
    heartbeat_job,
    is_cancel_requested,
    next_queued,
)
from gateway.jobs.model import find_job, format_job_error, request_cancel

KEEP_HOURS = 24.0


def state_of(scope, job_id: str) -> str:
    return find_job(scope, job_id).state


def test_one_of_many_claims_wins(make_job, scope):
    job_id = make_job()
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda number: claim_job(job_id, f"w{number}"), range(8)))
    (winner,) = [claim for claim in claims if claim is not None]
    job = find_job(scope, job_id)
    assert (job.state, job.worker, job.attempts) == ("running", winner.token, 1)


def test_progress_is_written_by_the_attempt_that_runs(make_job, scope):
    attempt = claim_job(make_job(), "w")
    assert not heartbeat_job(attempt, 0.5, "copying")
    job = find_job(scope, attempt.id)
    assert (job.progress, job.stage) == (0.5, "copying")
    with pytest.raises(LeaseLost):
        heartbeat_job(replace(attempt, token="w:other"), 0.9, "copying")


def test_a_failed_job_says_why(make_job, scope):
    attempt = claim_job(make_job(), "w")
    fail_job(attempt, "disk_full", "only 3 bytes are left", keep_hours=KEEP_HOURS)
    job = find_job(scope, attempt.id)
    reason = format_job_error(job.error_code, job.error_message)
    assert (job.state, reason.code, reason.message) == ("failed", "disk_full", "only 3 bytes are left")
    assert reason.remedy


def test_a_running_job_learns_of_its_cancellation(make_job, scope):
    attempt = claim_job(make_job(), "w")
    assert not is_cancel_requested(attempt)
    assert request_cancel(scope, attempt.id, keep_hours=KEEP_HOURS).state == "running"
    assert is_cancel_requested(attempt)
    assert heartbeat_job(attempt, 0.1, "copying")
    end_cancelled(attempt, keep_hours=KEEP_HOURS)
    assert state_of(scope, attempt.id) == "cancelled"


def test_handing_a_job_back_costs_no_attempt(make_job, scope, config):
    job_id = make_job()
    for _ in range(MAX_ATTEMPTS + 2):
        hand_back(claim_job(job_id, "w"))
    assert state_of(scope, job_id) == "queued"
    assert claim_job(job_id, "w").attempt == 1


def test_the_longest_queued_job_is_next(make_job):
    now = utc_now()
    young, old = make_job(at=now), make_job(at=now - timedelta(minutes=1))
    assert next_queued(["export"]) == old
    claim_job(old, "w")
    assert next_queued(["export"]) == young
    assert next_queued(["clip"]) is None
