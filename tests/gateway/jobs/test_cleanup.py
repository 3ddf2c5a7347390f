"""Jobs survive their workers, and a job that is removed leaves no file and no protection behind."""

import os
import uuid
from datetime import timedelta

import pytest

from gateway.clock import utc_now
from gateway.errors import LeaseLost, NotFound
from gateway.footage.recordings import Protection, find_recording
from gateway.jobs.attempts import (
    LOST_SECONDS,
    MAX_ATTEMPTS,
    claim_job,
    end_cancelled,
    fail_job,
    finish_job,
    is_cancel_requested,
)
from gateway.jobs.cleanup import delete_job, sweep_jobs
from gateway.jobs.model import (
    FootageRange,
    find_job,
    request_cancel,
)
from gateway.tenancy.scopes import EVERY_TENANT

KEEP_HOURS = 24.0
LATER = timedelta(seconds=LOST_SECONDS + 1)


def state_of(scope, job_id: str) -> str:
    return find_job(scope, job_id).state


def count_protections(device, scope) -> int:
    recording = find_recording(scope, device.id)
    return EVERY_TENANT.select(Protection).where(Protection.recording_id == recording.id).count()


def footage_of(device, scope) -> FootageRange:
    return FootageRange(find_recording(scope, device.id).id, 1000, 2000)


def test_a_finished_job_keeps_its_result_until_it_expires(make_job, scope, config):
    attempt = claim_job(make_job(), "w")
    config.exports_dir.mkdir()
    file = config.exports_dir / f"{attempt.id}-1.mp4"
    file.write_bytes(b"movie")
    finish_job(attempt, {"file": file.name, "size": 4}, keep_hours=KEEP_HOURS)
    assert state_of(scope, attempt.id) == "done"
    sweep_jobs(config, utc_now() + timedelta(hours=KEEP_HOURS - 1))
    assert file.exists()
    sweep_jobs(config, utc_now() + timedelta(hours=KEEP_HOURS + 1))
    assert not file.exists()
    with pytest.raises(NotFound):
        find_job(scope, attempt.id)


def test_a_result_expires_by_the_time_that_is_trusted(make_job, scope, config):
    attempt = claim_job(make_job(), "w")
    config.exports_dir.mkdir()
    file = config.exports_dir / f"{attempt.id}-1.mp4"
    file.write_bytes(b"movie")
    finish_job(attempt, {"file": file.name, "size": 4}, keep_hours=KEEP_HOURS)
    sweep_jobs(config, utc_now() + timedelta(days=400), expired_before=utc_now())
    assert file.exists()
    sweep_jobs(config, utc_now() + timedelta(days=400), expired_before=utc_now() + timedelta(hours=KEEP_HOURS + 1))
    assert not file.exists()


def test_deleting_a_job_deletes_its_files_and_its_worker_loses_it(make_job, scope, config):
    attempt = claim_job(make_job(), "w")
    config.exports_dir.mkdir()
    for name in (f"{attempt.id}-1.mp4", f".{attempt.id}-2.mp4.part", f"{uuid.uuid4()}-1.mp4"):
        (config.exports_dir / name).write_bytes(b"movie")
    delete_job(scope, config, attempt.id)
    assert len(list(config.exports_dir.iterdir())) == 1
    with pytest.raises(LeaseLost):
        is_cancel_requested(attempt)
    with pytest.raises(LeaseLost):
        finish_job(attempt, {}, keep_hours=KEEP_HOURS)


def test_a_job_without_a_heartbeat_is_requeued_and_its_late_worker_loses_it(make_job, scope, config):
    attempt = claim_job(make_job(), "w")
    assert sweep_jobs(config, utc_now()) == []
    assert sweep_jobs(config, utc_now() + LATER) == [attempt.id]
    assert state_of(scope, attempt.id) == "queued"
    with pytest.raises(LeaseLost):
        finish_job(attempt, {}, keep_hours=KEEP_HOURS)
    assert claim_job(attempt.id, "other").attempt == 2


def test_a_job_fails_after_its_workers_died_too_often(make_job, scope, config):
    job_id = make_job()
    for _ in range(MAX_ATTEMPTS):
        assert claim_job(job_id, "w")
        sweep_jobs(config, utc_now() + LATER)
    job = find_job(scope, job_id)
    assert (job.state, job.error_code) == ("failed", "worker_lost")
    assert job.expires_at > job.finished_at


def test_a_lost_job_with_a_pending_cancellation_is_cancelled(make_job, scope, config):
    attempt = claim_job(make_job(), "w")
    request_cancel(scope, attempt.id, keep_hours=KEEP_HOURS)
    assert sweep_jobs(config, utc_now() + LATER) == []
    assert state_of(scope, attempt.id) == "cancelled"


def test_footage_is_protected_until_the_job_ends(make_job, scope, device, config):
    endings = [
        lambda attempt: finish_job(attempt, {}, keep_hours=KEEP_HOURS),
        lambda attempt: fail_job(attempt, "no_footage", keep_hours=KEEP_HOURS),
        lambda attempt: end_cancelled(attempt, keep_hours=KEEP_HOURS),
        lambda attempt: delete_job(scope, config, attempt.id),
    ]
    for end in endings:
        attempt = claim_job(make_job(footage=footage_of(device, scope)), "w")
        assert count_protections(device, scope) == 1
        end(attempt)
        assert count_protections(device, scope) == 0
    waiting = make_job(footage=footage_of(device, scope))
    request_cancel(scope, waiting, keep_hours=KEEP_HOURS)
    assert count_protections(device, scope) == 0


def test_the_protection_of_a_job_that_failed_by_its_workers_is_removed(make_job, scope, device, config):
    job_id = make_job(footage=footage_of(device, scope))
    for _ in range(MAX_ATTEMPTS):
        claim_job(job_id, "w")
        assert count_protections(device, scope) == 1
        sweep_jobs(config, utc_now() + LATER)
    assert count_protections(device, scope) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_old_files_without_a_job_are_deleted(make_job, config):
    known = make_job()
    config.exports_dir.mkdir()
    names = [f"{known}-1.mp4", f"{uuid.uuid4()}-1.mp4", f".{uuid.uuid4()}-1.mp4.part"]
    for name in names:
        (config.exports_dir / name).write_bytes(b"movie")
        os.utime(config.exports_dir / name, (0, 0))
    young = config.exports_dir / f"{uuid.uuid4()}-1.mp4"
    young.write_bytes(b"movie")
    sweep_jobs(config, with_orphans=True)
    assert {path.name for path in config.exports_dir.iterdir()} == {names[0], young.name}
