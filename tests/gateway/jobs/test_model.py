"""A job is run by one worker at a time, survives it, and leaves nothing behind."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.clock import utc_now
from gateway.errors import Conflict, LeaseLost, NotFound
from gateway.footage.recordings import Protection, find_recording
from gateway.jobs.model import (
    LOST_SECONDS,
    MAX_ATTEMPTS,
    FootageRange,
    bytes_taken,
    claim_job,
    create_job,
    delete_job,
    end_cancelled,
    fail_job,
    find_job,
    finish_job,
    format_job_error,
    hand_back,
    heartbeat_job,
    is_cancel_requested,
    list_jobs,
    next_queued,
    request_cancel,
    sweep_jobs,
)
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from tests.factories import make_config, make_device

KEEP = 24.0
LATER = timedelta(seconds=LOST_SECONDS + 1)


@pytest.fixture
def device(bound_database, scope, box):
    return make_device(scope, box)


@pytest.fixture
def config(tmp_path):
    return make_config(exports_dir=tmp_path / "exports")


@pytest.fixture
def ask(device, scope):
    """`ask(**values)` gives the id of a new job."""

    def ask(**values):
        return create_job(scope, "export", {"bytes": 1000}, device_id=device.id, **values)[0].id

    return ask


def state(scope, job_id: str) -> str:
    return find_job(scope, job_id).state


def held(device, scope) -> int:
    recording = find_recording(scope, device.id)
    return EVERY_TENANT.select(Protection).where(Protection.recording_id == recording.id).count()


def footage_of(device, scope) -> FootageRange:
    return FootageRange(find_recording(scope, device.id).id, 1000, 2000)


def test_one_of_many_claims_wins(ask, scope):
    job_id = ask()
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda number: claim_job(job_id, f"w{number}"), range(8)))
    (won,) = [claim for claim in claims if claim is not None]
    job = find_job(scope, job_id)
    assert (job.state, job.worker, job.attempts) == ("running", won.token, 1)


def test_the_same_request_again_is_the_same_job(ask, scope, device):
    first = ask(request_key="k")
    assert ask(request_key="k") == first
    assert ask() != first
    with pytest.raises(Conflict) as caught:
        create_job(scope, "export", {"bytes": 2000}, device_id=device.id, request_key="k")
    assert caught.value.reason == "key_reused"


def test_the_same_request_twice_at_once_is_one_job(ask):
    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(lambda _: ask(request_key="k"), range(6)))) == 1


def test_jobs_of_another_tenant_do_not_exist(ask, config):
    job_id = ask(request_key="k")
    other = TenantScope(str(uuid.uuid4()))
    assert list_jobs(other) == ([], 0)
    for action in (
        lambda: find_job(other, job_id),
        lambda: delete_job(other, config, job_id),
        lambda: request_cancel(other, job_id, keep_hours=KEEP),
    ):
        with pytest.raises(NotFound):
            action()


def test_lists_are_newest_first_and_filtered(ask, scope, device):
    now = utc_now()
    old, new = (ask(at=now - timedelta(minutes=minutes)) for minutes in (2, 1))
    claim_job(old, "w")
    assert [job.id for job in list_jobs(scope)[0]] == [new, old]
    assert [job.id for job in list_jobs(scope, states=["running"])[0]] == [old]
    assert list_jobs(scope, kind="clip") == ([], 0)
    assert list_jobs(scope, device_id=device.id, limit=1)[1] == 2


def test_progress_is_written_by_the_attempt_that_runs(ask, scope):
    attempt = claim_job(ask(), "w")
    assert not heartbeat_job(attempt, 0.5, "copying")
    job = find_job(scope, attempt.id)
    assert (job.progress, job.stage) == (0.5, "copying")
    with pytest.raises(LeaseLost):
        heartbeat_job(replace(attempt, token="w:other"), 0.9, "copying")


def test_a_done_job_has_its_result_until_it_expires(ask, scope, config):
    attempt = claim_job(ask(), "w")
    config.exports_dir.mkdir()
    file = config.exports_dir / f"{attempt.id}-1.mp4"
    file.write_bytes(b"film")
    finish_job(attempt, {"file": file.name, "size": 4}, keep_hours=KEEP)
    assert state(scope, attempt.id) == "done"
    sweep_jobs(config, utc_now() + timedelta(hours=KEEP - 1))
    assert file.exists()
    sweep_jobs(config, utc_now() + timedelta(hours=KEEP + 1))
    assert not file.exists()
    with pytest.raises(NotFound):
        find_job(scope, attempt.id)


def test_a_failed_job_says_why(ask, scope):
    attempt = claim_job(ask(), "w")
    fail_job(attempt, "disk_full", "only 3 bytes are left", keep_hours=KEEP)
    job = find_job(scope, attempt.id)
    reason = format_job_error(job.error_code, job.error_message)
    assert (job.state, reason.code, reason.message) == ("failed", "disk_full", "only 3 bytes are left")
    assert reason.remedy


def test_a_queued_job_is_cancelled_at_once_and_never_run(ask, scope):
    job_id = ask()
    assert request_cancel(scope, job_id, keep_hours=KEEP).state == "cancelled"
    assert claim_job(job_id, "w") is None
    assert request_cancel(scope, job_id, keep_hours=KEEP).state == "cancelled", "may be repeated"


def test_a_running_job_hears_that_it_is_to_end(ask, scope):
    attempt = claim_job(ask(), "w")
    assert not is_cancel_requested(attempt)
    assert request_cancel(scope, attempt.id, keep_hours=KEEP).state == "running"
    assert is_cancel_requested(attempt)
    assert heartbeat_job(attempt, 0.1, "copying")
    end_cancelled(attempt, keep_hours=KEEP)
    assert state(scope, attempt.id) == "cancelled"


def test_a_job_that_has_ended_cannot_be_cancelled(ask, scope):
    attempt = claim_job(ask(), "w")
    finish_job(attempt, {}, keep_hours=KEEP)
    with pytest.raises(Conflict) as caught:
        request_cancel(scope, attempt.id, keep_hours=KEEP)
    assert caught.value.reason == "job_finished"


def test_a_deleted_job_is_lost_to_its_worker_and_its_files_are_gone(ask, scope, config):
    attempt = claim_job(ask(), "w")
    config.exports_dir.mkdir()
    for name in (f"{attempt.id}-1.mp4", f".{attempt.id}-2.mp4.part", f"{uuid.uuid4()}-1.mp4"):
        (config.exports_dir / name).write_bytes(b"film")
    delete_job(scope, config, attempt.id)
    assert len(list(config.exports_dir.iterdir())) == 1
    with pytest.raises(LeaseLost):
        is_cancel_requested(attempt)
    with pytest.raises(LeaseLost):
        finish_job(attempt, {}, keep_hours=KEEP)


def test_a_job_without_a_heartbeat_is_put_back_and_its_late_worker_is_told(ask, scope, config):
    attempt = claim_job(ask(), "w")
    assert sweep_jobs(config, utc_now()) == []
    assert sweep_jobs(config, utc_now() + LATER) == [attempt.id]
    assert state(scope, attempt.id) == "queued"
    with pytest.raises(LeaseLost):
        finish_job(attempt, {}, keep_hours=KEEP)
    assert claim_job(attempt.id, "other").attempt == 2


def test_a_job_whose_workers_die_again_and_again_fails(ask, scope, config):
    job_id = ask()
    for _ in range(MAX_ATTEMPTS):
        assert claim_job(job_id, "w")
        sweep_jobs(config, utc_now() + LATER)
    job = find_job(scope, job_id)
    assert (job.state, job.error_code) == ("failed", "worker_lost")
    assert job.expires_at > job.finished_at


def test_a_job_that_was_to_be_cancelled_when_its_worker_died_is_cancelled(ask, scope, config):
    attempt = claim_job(ask(), "w")
    request_cancel(scope, attempt.id, keep_hours=KEEP)
    assert sweep_jobs(config, utc_now() + LATER) == []
    assert state(scope, attempt.id) == "cancelled"


def test_a_job_that_is_handed_back_has_lost_no_attempt(ask, scope, config):
    job_id = ask()
    for _ in range(MAX_ATTEMPTS + 2):
        hand_back(claim_job(job_id, "w"))
    assert state(scope, job_id) == "queued"
    assert claim_job(job_id, "w").attempt == 1


def test_the_job_that_has_waited_longest_is_next(ask):
    now = utc_now()
    young, old = ask(at=now), ask(at=now - timedelta(minutes=1))
    assert next_queued(["export"]) == old
    claim_job(old, "w")
    assert next_queued(["export"]) == young
    assert next_queued(["clip"]) is None


def test_footage_is_held_until_the_job_ends(ask, scope, device, config):
    endings = [
        lambda attempt: finish_job(attempt, {}, keep_hours=KEEP),
        lambda attempt: fail_job(attempt, "no_footage", keep_hours=KEEP),
        lambda attempt: end_cancelled(attempt, keep_hours=KEEP),
        lambda attempt: delete_job(scope, config, attempt.id),
    ]
    for end in endings:
        attempt = claim_job(ask(footage=footage_of(device, scope)), "w")
        assert held(device, scope) == 1
        end(attempt)
        assert held(device, scope) == 0
    waiting = ask(footage=footage_of(device, scope))
    request_cancel(scope, waiting, keep_hours=KEEP)
    assert held(device, scope) == 0


def test_footage_of_a_job_that_failed_by_its_workers_is_let_go(ask, scope, device, config):
    job_id = ask(footage=footage_of(device, scope))
    for _ in range(MAX_ATTEMPTS):
        claim_job(job_id, "w")
        assert held(device, scope) == 1
        sweep_jobs(config, utc_now() + LATER)
    assert held(device, scope) == 0


def test_what_files_of_jobs_take_is_what_is_there_and_what_is_to_come(ask, scope):
    done, _waiting, failed = ask(), ask(), ask()
    finish_job(claim_job(done, "w"), {"size": 300}, keep_hours=KEEP)
    fail_job(claim_job(failed, "w"), "no_footage", keep_hours=KEEP)
    assert bytes_taken() == 1300
    create_job(scope, "time_lapse", {"bytes": 20})
    create_job(scope, "clip", {"bytes": 5})
    assert bytes_taken() == 1320, "a clip is no file of a job"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_files_of_nobody_go_when_they_are_old(ask, config):
    import os

    known = ask()
    config.exports_dir.mkdir()
    names = [f"{known}-1.mp4", f"{uuid.uuid4()}-1.mp4", f".{uuid.uuid4()}-1.mp4.part"]
    for name in names:
        (config.exports_dir / name).write_bytes(b"film")
        os.utime(config.exports_dir / name, (0, 0))
    young = config.exports_dir / f"{uuid.uuid4()}-1.mp4"
    young.write_bytes(b"film")
    sweep_jobs(config, with_orphans=True)
    assert {path.name for path in config.exports_dir.iterdir()} == {names[0], young.name}
