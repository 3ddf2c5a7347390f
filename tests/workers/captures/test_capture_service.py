"""A snapshot worker answers all requests, also two hundred at once, and leaves no incomplete file when it ends."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from dramatiq.middleware import Shutdown

from gateway import database
from gateway.captures.queue import CLIP, CaptureAnswer, CaptureQueue, CaptureRequest
from gateway.captures.snapshots import Snapshot
from gateway.jobs import files
from gateway.jobs.model import create_job, find_job
from gateway.leases import SNAPSHOT, WorkerSlots
from gateway.redis_client import connect_redis
from gateway.redis_values import read_refusals
from tests.conftest import wait_until
from tests.playback import NOON_MS, make_clip
from workers.capture_service import SnapshotWorker
from workers.captures import captures, picture_sources
from workers.captures.captures import run_snapshot
from workers.job_runner import JobRunner

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def queue(camera) -> CaptureQueue:
    return CaptureQueue.connect(camera.config)


@pytest.fixture
def start(camera, queue) -> Iterator[Callable[..., SnapshotWorker]]:
    """Start the threads of a snapshot worker in this process, with the camera's captures."""
    running = []

    def start(capture=camera.captures.capture, run_clip_job=lambda job_id: None, threads: int = 8) -> SnapshotWorker:
        running.append(SnapshotWorker(queue, capture, run_clip_job, threads=threads, take_seconds=0.1))
        running[-1].start()
        return running[-1]

    yield start
    for worker in running:
        worker.close()


def rows_of(camera) -> list[Snapshot]:
    with database.session():
        return list(camera.scope.select(Snapshot))


@pytest.mark.parametrize("what", ["snapshot", "poster"])
def test_a_request_for_a_device_of_another_tenant_is_refused_and_counted(camera, start, queue, what):
    camera.send(make_clip(seconds=2))
    start()
    foreign = replace(camera.make_request(what=what), tenant_id=str(uuid.uuid4()))
    assert queue.request(foreign, wait_seconds=10).reason == "device_deleted", "as for a device that does not exist"
    unknown = replace(camera.make_request(what=what), device_id=str(uuid.uuid4()))
    assert queue.request(unknown, wait_seconds=10).reason == "device_deleted"
    assert read_refusals(camera.redis) == {"capture request": 1}
    assert rows_of(camera) == camera.files() == []


def test_two_hundred_simultaneous_requests_are_answered_with_one_decoding(camera, start, monkeypatch):
    camera.send(make_clip(seconds=5, key_seconds=2))
    decoded = []
    decode = picture_sources.decode_at
    monkeypatch.setattr(picture_sources, "decode_at", lambda *given: decoded.append(1) or decode(*given))
    start()
    queues = [CaptureQueue.connect(camera.config) for _ in range(20)]
    with ThreadPoolExecutor(len(queues)) as pool:
        answers = list(pool.map(lambda n: queues[n % 20].request(camera.make_request(), wait_seconds=10), range(200)))
    assert {(answer.reason, answer.at_ms) for answer in answers} == {(None, NOON_MS + 4000)}
    rows = rows_of(camera)
    assert len(rows) == len(camera.files()) == 200
    assert len(decoded) == 1
    assert camera.number(rows[150]) == 100


def test_a_request_without_a_picture_is_answered_with_the_reason(camera, queue, start):
    camera.footage.record(make_clip(seconds=2), NOON_MS)
    start()
    answer = queue.request(camera.make_request(), wait_seconds=5)
    assert (answer.reason, answer.at_ms) == ("no_picture", None)
    assert "stopped" in answer.message
    answer = queue.request(camera.make_request(NOON_MS + 60_000), wait_seconds=5)
    assert (answer.reason, answer.nearest_before_ms, answer.nearest_after_ms) == ("no_footage", NOON_MS + 2000, None)
    answer = queue.request(
        replace(camera.make_request(), device_id="00000000-0000-4000-8000-0000000000ff"), wait_seconds=5
    )
    assert answer.reason == "device_deleted"


def test_another_tenant_gets_no_picture_of_this_device(camera, queue, start):
    camera.send(make_clip(seconds=2))
    start()
    other = replace(camera.make_request(), tenant_id="00000000-0000-4000-8000-0000000000ff")
    assert queue.request(other, wait_seconds=5).reason == "device_deleted"
    assert queue.request(replace(other, what="poster"), wait_seconds=5).reason == "device_deleted"


def test_a_failing_capture_is_answered_and_the_worker_goes_on(camera, queue, start, caplog):
    camera.send(make_clip(seconds=2))
    answers = iter([RuntimeError("a bug"), None])

    def capture(request: CaptureRequest):
        error = next(answers)
        if error is not None:
            raise error
        return camera.captures.capture(request)

    start(capture, threads=1)
    assert queue.request(camera.make_request(), wait_seconds=5).reason == "job_failed"
    assert "a bug" in caplog.text
    assert queue.request(camera.make_request(), wait_seconds=5).reason is None


@pytest.mark.parametrize("where", ["before", "while"])
def test_a_full_disk_is_reported_and_leaves_no_file(camera, queue, start, monkeypatch, where):
    camera.send(make_clip(seconds=2))

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    if where == "before":
        usage = shutil.disk_usage(camera.config.var_dir.parent)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    else:
        monkeypatch.setattr(files.os, "fsync", full)
    start()
    assert queue.request(camera.make_request(), wait_seconds=5).reason == "disk_full"
    assert not camera.files()
    assert not rows_of(camera)


def test_a_clip_is_started_immediately_in_its_own_thread_and_handed_back_when_the_worker_ends(camera, queue, start):
    camera.send(make_clip(seconds=2))
    started, ended = threading.Event(), threading.Event()

    def run_clip_job(job_id: str) -> None:
        assert job_id == "j1"
        started.set()
        try:
            while not ended.wait(0.02):
                pass
        except Shutdown:
            ended.set()
            raise

    worker = start(run_clip_job=run_clip_job, threads=1)
    queue.send(CaptureRequest(id="j1", what=CLIP), keep_seconds=5)
    assert started.wait(5)
    assert queue.request(camera.make_request(), wait_seconds=5).reason is None, "the only thread is free"
    worker.close()
    assert ended.is_set()


def test_plugins_are_notified_after_the_answer(camera, queue, start, monkeypatch):
    camera.send(make_clip(seconds=2))
    may_end = threading.Event()
    monkeypatch.setattr(captures, "report_fact", lambda hook, **values: may_end.wait(10))
    start()
    assert queue.request(camera.make_request(), wait_seconds=5).reason is None
    may_end.set()


def test_a_failing_notification_ends_no_thread(camera, queue, start, monkeypatch, caplog):
    def refuse(hook, **values):
        raise RuntimeError("a broken plugin")

    camera.send(make_clip(seconds=2))
    monkeypatch.setattr(captures, "report_fact", refuse)
    start(threads=1)
    assert [queue.request(camera.make_request(), wait_seconds=5).reason for _ in range(2)] == [None, None]
    assert "a broken plugin" in caplog.text


def test_a_job_takes_a_snapshot_for_which_no_caller_waits_once(camera, monkeypatch):
    camera.send(make_clip(seconds=2))
    monkeypatch.setattr(captures, "_captures_of", lambda config: camera.captures)
    request = camera.make_request(note="late")
    parameters = {"asked": {"note": "late"}, **request.to_dict()}
    runner = JobRunner(camera.config, "test:1", {"snapshot": run_snapshot}, threading.BoundedSemaphore(1))
    for _ in range(2):
        job, _ = create_job(camera.scope, "snapshot", parameters, device_id=camera.device_id)
        runner.run(job.id)
        job = find_job(camera.scope, job.id)
        assert (job.state, json.loads(job.result)["snapshot_id"]) == ("done", request.id)
    assert camera.number(camera.row(request.id)) == 25
    assert len(camera.files()) == len(camera.facts) == 1


def test_a_job_without_a_picture_fails_with_the_reason(camera, monkeypatch):
    monkeypatch.setattr(captures, "_captures_of", lambda config: camera.captures)
    job, _ = create_job(camera.scope, "snapshot", camera.make_request().to_dict(), device_id=camera.device_id)
    JobRunner(camera.config, "test:1", {"snapshot": run_snapshot}, threading.BoundedSemaphore(1)).run(job.id)
    job = find_job(camera.scope, job.id)
    assert (job.state, job.error_code) == ("failed", "no_picture")


class Process:
    """A snapshot worker as the Procfile starts it."""

    def __init__(self, config, log: Path) -> None:
        values = {
            "DATABASE_URL": config.database_url,
            "REDIS_URL": config.redis_url,
            "SECRET_KEY": config.secret_key,
            "SFU_SECRET": config.sfu_secret,
            "VAR_DIR": config.var_dir,
            "RECORDINGS_DIR": config.recordings_dir,
            "CAPTURES_DIR": config.captures_dir,
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
        }
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workers", "snapshot"],
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={name: str(value) for name, value in values.items()},
                start_new_session=True,
            )

    def end(self, number: signal.Signals) -> int:
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(20)


@pytest.fixture
def processes(camera, tmp_path) -> Iterator[Callable[[], Process]]:
    running: list[Process] = []

    def start() -> Process:
        running.append(Process(camera.config, tmp_path / "worker.log"))
        return running[-1]

    yield start
    for process in running:
        process.end(signal.SIGKILL)


def test_a_killed_worker_leaves_no_incomplete_picture_and_the_next_one_continues(camera, queue, processes):
    camera.footage.record(make_clip(seconds=4), NOON_MS)
    slots = WorkerSlots(connect_redis(camera.config.redis_url))
    first = processes()
    assert queue.request(camera.make_request(NOON_MS), wait_seconds=10).reason is None
    for number in range(30):
        queue.send(camera.make_request(NOON_MS + number * 120), keep_seconds=30)
    wait_until(lambda: len(rows_of(camera)) > 3, "it is at work")
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    rows = rows_of(camera)
    whole = [path for path in camera.files() if not path.name.startswith(".")]
    assert {path.name for path in whole} >= {row.file.rpartition("/")[2] for row in rows}
    for path in whole:
        assert path.read_bytes().endswith(b"\xff\xd9"), "the picture is complete"
    second = processes()
    answer: CaptureAnswer = queue.request(camera.make_request(NOON_MS + 2000), wait_seconds=10)
    assert (answer.reason, answer.at_ms) == (None, NOON_MS + 2000)
    assert slots.read(SNAPSHOT)
    assert second.end(signal.SIGTERM) == 0
    assert not [name for name in slots.read(SNAPSHOT) if name.endswith(f":{second._process.pid}")]
