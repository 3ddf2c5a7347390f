"""Exports on real workers: killed, stopped, many at once, on a full disk."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.app import create_app
from gateway.clock import format_time, utc_now
from gateway.inventory import delete_device
from gateway.jobs import files
from gateway.jobs.attempts import LOST_SECONDS, MAX_ATTEMPTS
from gateway.jobs.cleanup import sweep_jobs
from gateway.jobs.model import find_job, request_cancel
from gateway.storage.footage_reader import FootageReader
from tests.conftest import wait_until
from tests.factories import no_plugins
from tests.playback import NOON_MS, make_clip
from tests.stack.disk import DiskUnavailableError, LoopDisk
from tests.workers.exporting.movies import numbers_in
from tests.workers.exporting.worker import JobsWorker, encoders_of

#: Long enough to be observed while running: all of it must be re-encoded.
CLIPS = 10


@pytest.fixture
def start_worker(config, exporter, tmp_path) -> Iterator[Callable[..., JobsWorker]]:
    running: list[JobsWorker] = []

    def start(**settings: object) -> JobsWorker:
        running.append(JobsWorker(config, tmp_path / "worker.log", **settings))
        return running[-1]

    yield start
    for worker in running:
        worker.kill()


@pytest.fixture
def long_footage(footage) -> None:
    clip = make_clip(seconds=8, size=(768, 432), b_frames=1)
    for number in range(CLIPS):
        footage.record(clip, NOON_MS + number * 8000)


@pytest.fixture
def long_job(exporter, long_footage) -> str:
    return exporter.ask(NOON_MS + 200, NOON_MS + CLIPS * 8000, "exact").id


def is_at_work(scope, job_id: str) -> bool:
    job = find_job(scope, job_id)
    assert job.state in ("queued", "running"), (job.state, job.error_code, job.error_message)
    return job.progress > 0.05 and bool(encoders_of(job_id))


def later(seconds: float = LOST_SECONDS + 1):
    return utc_now() + timedelta(seconds=seconds)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_killed_worker_delays_the_job_and_nothing_else(config, scope, exporter, start_worker, long_job, movie_of):
    first = start_worker()
    first.messages.run_job(long_job)
    wait_until(lambda: is_at_work(scope, long_job), "it is at work", 30)
    first.kill()
    wait_until(lambda: not encoders_of(long_job), "its FFmpeg is gone with it")
    assert find_job(scope, long_job).state == "running", "no other process can know that the worker is dead yet"
    assert all(path.name.endswith(".part") for path in config.exports_dir.iterdir()), (
        "no half file has the name of a whole"
    )
    assert sweep_jobs(config, later()) == [long_job]
    second = start_worker()
    second.messages.job_taken(long_job)
    second.messages.run_job(long_job)
    wait_until(lambda: find_job(scope, long_job).state == "done", "it is done", 90)
    job = find_job(scope, long_job)
    assert job.attempts == 2
    assert numbers_in(movie_of(job)) == [*range(5, 200), *(list(range(200)) * (CLIPS - 1))]
    assert [path.name for path in config.exports_dir.iterdir()] == [json.loads(job.result)["file"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_that_kills_all_its_workers_fails_with_that_reason(config, scope, start_worker, long_job):
    for _ in range(MAX_ATTEMPTS):
        worker = start_worker()
        worker.messages.job_taken(long_job)
        worker.messages.run_job(long_job)
        wait_until(lambda: is_at_work(scope, long_job), "it is at work", 30)
        worker.kill()
        sweep_jobs(config, later())
    job = find_job(scope, long_job)
    assert (job.state, job.error_code) == ("failed", "worker_lost")
    assert not list(config.exports_dir.iterdir())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_stopped_worker_returns_its_job_to_the_queue_at_once(config, scope, start_worker, long_job):
    worker = start_worker()
    worker.messages.run_job(long_job)
    wait_until(lambda: is_at_work(scope, long_job), "it is at work", 30)
    assert worker.stop() == 0
    job = find_job(scope, long_job)
    assert (job.state, job.attempts) == ("queued", 0)
    assert not encoders_of(long_job)
    assert not list(config.exports_dir.iterdir())


def test_cancelling_ends_the_encoder_within_two_seconds(config, scope, start_worker, long_job):
    worker = start_worker()
    worker.messages.run_job(long_job)
    wait_until(lambda: is_at_work(scope, long_job), "it is at work", 30)
    request_cancel(scope, long_job, keep_hours=24)
    wait_until(lambda: find_job(scope, long_job).state == "cancelled", "it is cancelled", 2)
    assert not encoders_of(long_job)
    assert not list(config.exports_dir.iterdir())


def test_twenty_exports_at_once_are_all_done_and_each_is_whole(scope, exporter, footage, start_worker, movie_of):
    footage.record(make_clip(seconds=12), NOON_MS)
    wanted = {}
    for number in range(20):
        cut = "exact" if number % 2 else "key_frames"
        start = NOON_MS + (number % 10) * 1000 + (400 if number % 2 else 0)
        first = (number % 10) * 25 + (10 if number % 2 else 0)
        wanted[exporter.ask(start, start + 1000, cut).id] = first
    worker = start_worker()
    for job_id in wanted:
        worker.messages.run_job(job_id)

    def all_done() -> bool:
        states = [find_job(scope, job_id).state for job_id in wanted]
        assert "failed" not in states
        return set(states) == {"done"}

    wait_until(all_done, "all are done", 90)
    for job_id, first in wanted.items():
        assert numbers_in(movie_of(find_job(scope, job_id))) == list(range(first, first + 25))


def test_from_the_request_to_the_file(config, footage, start_worker, tmp_path):
    footage.record(make_clip(seconds=4, audio=True), NOON_MS)
    client = create_app(config, no_plugins()).test_client()
    start_worker()
    body = {"start": format_time(NOON_MS + 1400), "end": format_time(NOON_MS + 3400), "cut": "exact"}
    job = client.post(f"/api/v1/recordings/devices/{footage.device_id}/export", json=body).json

    def done():
        found = client.get(f"/api/v1/jobs/{job['id']}").json
        assert found["state"] in ("queued", "running", "done"), found
        return found if found["state"] == "done" else None

    result = wait_until(done, "the export is done", 30)["result"]
    movie = tmp_path / "movie.mp4"
    movie.write_bytes(client.get(result["url"]).data)
    assert movie.stat().st_size == result["size"]
    assert len(numbers_in(movie)) == round(result["duration_seconds"] * 25) == 50


@pytest.fixture
def disk(tmp_path) -> Iterator[LoopDisk]:
    try:
        disk = LoopDisk(tmp_path / "disk", 24)
    except DiskUnavailableError as error:
        pytest.skip(f"no disk of our own can be mounted here: {error}")
    yield disk
    disk.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_export_larger_than_the_free_space_is_refused_before_anything_is_written(exporter, footage, disk, config):
    footage.record(make_clip(seconds=4), NOON_MS)
    exporter.config = replace_folder(config, disk.folder / "exports")
    job = exporter.export(NOON_MS, NOON_MS + 4000)
    assert (job.state, job.error_code) == ("failed", "disk_full")
    assert "must stay free" in job.error_message
    assert not list((disk.folder / "exports").iterdir())


@pytest.mark.parametrize("cut", ["key_frames", "exact"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_disk_that_fills_up_during_an_export_fails_the_job_and_leaves_no_file(
    exporter, footage, disk, config, monkeypatch, cut
):
    monkeypatch.setattr(files, "SPARE_BYTES", 0)
    footage.record(make_clip(seconds=8, size=(768, 432)), NOON_MS)
    exporter.config = replace_folder(config, disk.folder / "exports")
    read = FootageReader.read

    def fill_first(self, footage_range):
        for number, part in enumerate(read(self, footage_range)):
            if number == 4:
                disk.fill()
            yield part

    monkeypatch.setattr(FootageReader, "read", fill_first)
    job = exporter.export(NOON_MS + 100, NOON_MS + 8000, cut)
    assert (job.state, job.error_code) == ("failed", "disk_full"), job.error_message
    assert not list((disk.folder / "exports").iterdir())


def replace_folder(config, folder: Path):
    return replace(config, exports_dir=folder)


def test_deleting_the_device_ends_its_export_with_that_reason(exporter, footage, scope, monkeypatch):
    files = footage.record(make_clip(seconds=8), NOON_MS)
    read = FootageReader.read

    def delete_first(self, footage_range):
        delete_device(scope, footage.device_id)
        files[0].path.unlink()
        yield from read(self, footage_range)

    monkeypatch.setattr(FootageReader, "read", delete_first)
    job = exporter.export(NOON_MS, NOON_MS + 8000)
    assert (job.state, job.error_code) == ("failed", "device_deleted")
    gone = exporter.export(NOON_MS, NOON_MS + 8000)
    assert (gone.state, gone.error_code) == ("failed", "device_deleted")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_footage_that_was_deleted_before_the_job_began_is_the_reason(exporter):
    job = exporter.export(NOON_MS, NOON_MS + 1000)
    assert (job.state, job.error_code) == ("failed", "no_footage")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_ffmpeg_only_exports_that_need_encoding_fail(exporter, footage, config, movie_of):
    footage.record(make_clip(seconds=4), NOON_MS)
    exporter.config = replace(config, ffmpeg_bin="/no/such/ffmpeg")
    movie_of(exporter.export(NOON_MS, NOON_MS + 2000))
    movie_of(exporter.export(NOON_MS, NOON_MS + 2000, "exact"))
    job = exporter.export(NOON_MS + 500, NOON_MS + 2000, "exact")
    assert (job.state, job.error_code) == ("failed", "ffmpeg_missing")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_message_of_a_failed_encoder_is_the_end_of_its_log(exporter, footage, config, tmp_path):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho 'no such luck' >&2\nexit 3\n")
    program.chmod(0o755)
    footage.record(make_clip(seconds=4, b_frames=1), NOON_MS)
    exporter.config = replace(config, ffmpeg_bin=str(program))
    job = exporter.export(NOON_MS + 500, NOON_MS + 2000, "exact")
    assert (job.state, job.error_code) == ("failed", "encoding_failed")
    assert "no such luck" in job.error_message
