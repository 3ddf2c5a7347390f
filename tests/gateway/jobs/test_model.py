"""Jobs: one per request and key, listed within their tenant, cancelled in every state."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from gateway.clock import utc_now
from gateway.errors import Conflict, NotFound
from gateway.jobs.attempts import (
    claim_job,
    fail_job,
    finish_job,
)
from gateway.jobs.cleanup import delete_job
from gateway.jobs.model import bytes_taken, create_job, find_job, list_jobs, request_cancel
from gateway.tenancy.scopes import TenantScope

KEEP_HOURS = 24.0


def test_a_repeated_request_is_the_same_job(make_job, scope, device):
    first = make_job(request_key="k")
    assert make_job(request_key="k") == first
    assert make_job() != first
    with pytest.raises(Conflict) as caught:
        create_job(scope, "export", {"bytes": 2000}, device_id=device.id, request_key="k")
    assert caught.value.reason == "key_reused"


def test_concurrent_equal_requests_make_one_job(make_job):
    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(lambda _: make_job(request_key="k"), range(6)))) == 1


def test_jobs_of_another_tenant_are_not_visible(make_job, config):
    job_id = make_job(request_key="k")
    other = TenantScope(str(uuid.uuid4()))
    assert list_jobs(other) == ([], 0)
    for action in (
        lambda: find_job(other, job_id),
        lambda: delete_job(other, config, job_id),
        lambda: request_cancel(other, job_id, keep_hours=KEEP_HOURS),
    ):
        with pytest.raises(NotFound):
            action()


def test_lists_are_newest_first_and_filtered(make_job, scope, device):
    now = utc_now()
    old, new = (make_job(at=now - timedelta(minutes=minutes)) for minutes in (2, 1))
    claim_job(old, "w")
    assert [job.id for job in list_jobs(scope)[0]] == [new, old]
    assert [job.id for job in list_jobs(scope, states=["running"])[0]] == [old]
    assert list_jobs(scope, kind="clip") == ([], 0)
    assert list_jobs(scope, device_id=device.id, limit=1)[1] == 2


def test_a_queued_job_is_cancelled_immediately_and_never_run(make_job, scope):
    job_id = make_job()
    assert request_cancel(scope, job_id, keep_hours=KEEP_HOURS).state == "cancelled"
    assert claim_job(job_id, "w") is None
    assert request_cancel(scope, job_id, keep_hours=KEEP_HOURS).state == "cancelled", "may be repeated"


def test_a_finished_job_cannot_be_cancelled(make_job, scope):
    attempt = claim_job(make_job(), "w")
    finish_job(attempt, {}, keep_hours=KEEP_HOURS)
    with pytest.raises(Conflict) as caught:
        request_cancel(scope, attempt.id, keep_hours=KEEP_HOURS)
    assert caught.value.reason == "job_finished"


def test_bytes_taken_counts_finished_files_and_expected_sizes(make_job, scope):
    done, _waiting, failed = make_job(), make_job(), make_job()
    finish_job(claim_job(done, "w"), {"size": 300}, keep_hours=KEEP_HOURS)
    fail_job(claim_job(failed, "w"), "no_footage", keep_hours=KEEP_HOURS)
    assert bytes_taken() == 1300
    create_job(scope, "time_lapse", {"bytes": 20})
    create_job(scope, "clip", {"bytes": 5})
    assert bytes_taken() == 1320, "the file of a clip is not a result file"
