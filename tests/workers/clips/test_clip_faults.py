"""Faults while a clip is made: killed workers, full disks, jobs delivered twice or taken over. There is never a partial
or a second file."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway import database
from gateway.captures import files
from gateway.captures.bookmark_changes import renew_clip
from gateway.captures.bookmarks import find_bookmark
from gateway.captures.queue import CLIP as CLIP_REQUEST
from gateway.captures.queue import CaptureQueue, CaptureRequest
from gateway.clock import utc_now
from gateway.config import Config
from gateway.footage.recordings import Protection
from gateway.footage.segments import Segment
from gateway.inventory import delete_device
from gateway.jobs.attempts import LOST_SECONDS, claim_job
from gateway.jobs.cleanup import delete_job, sweep_jobs
from gateway.jobs.files import ExportSpaceMissing, ResultFile
from gateway.jobs.model import find_job, request_cancel
from gateway.redis_client import connect_redis
from gateway.storage.footage_reader import FootageReader
from gateway.storage.interface import StorageUnavailable
from gateway.storage.local import LocalStorage
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT
from tests.conftest import RedisServer, wait_until
from tests.playback import NOON_MS, make_clip
from tests.stack.disk import DiskUnavailableError, LoopDisk
from tests.workers.clips.conftest import now_ms
from tests.workers.exporting.movies import numbers_in
from workers.clips import clips
from workers.clips.clips import run_clip
from workers.schedule.clip_cleanup import finalize_lost_clips

ROOT = Path(__file__).resolve().parents[3]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class SnapshotWorker:
    """`python -m workers snapshot` over the test's services."""

    def __init__(self, config: Config, log: Path) -> None:
        values = {
            "DATABASE_URL": config.database_url,
            "REDIS_URL": config.redis_url,
            "SECRET_KEY": config.secret_key,
            "SFU_SECRET": config.sfu_secret,
            "VAR_DIR": config.var_dir,
            "RECORDINGS_DIR": config.recordings_dir,
            "CAPTURES_DIR": config.captures_dir,
        }
        env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | {k: str(v) for k, v in values.items()}
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workers", "snapshot"],
                cwd=ROOT,
                env=env,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end(self, number: signal.Signals) -> int:
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        return self.process.wait(20)


@pytest.fixture
def start_worker(config, tmp_path) -> Iterator:
    running = []

    def start() -> SnapshotWorker:
        running.append(SnapshotWorker(config, tmp_path / "worker.log"))
        return running[-1]

    yield start
    for worker in running:
        worker.end(signal.SIGKILL)


def wake(config: Config, job_id: str) -> None:
    queue = CaptureQueue(connect_redis(config.bus_redis_url))
    queue.send(CaptureRequest(id=job_id, what=CLIP_REQUEST), keep_seconds=30)


def later():
    return utc_now() + timedelta(seconds=LOST_SECONDS + 1)


@on_sqlite
def test_a_killed_worker_loses_no_frame_that_is_still_on_the_bus(world, start_worker):
    clip, start = make_clip(seconds=8), now_ms() - 9000
    world.start_stream()
    writer = world.writer()
    world.publish(writer, clip, start, last=8)
    bookmark = world.mark(start + 3000, before=2, after=4)
    worker = start_worker()
    wake(world.config, bookmark.clip_job_id)
    wait_until(lambda: find_bookmark(world.scope, bookmark.id).poster_file, "it is at work", 20)
    worker.end(signal.SIGKILL)
    assert find_job(world.scope, bookmark.clip_job_id).state == "running", "nobody could say otherwise"
    assert find_bookmark(world.scope, bookmark.id).clip_file is None
    # The files of a worker that is killed while it writes.
    name = f".{bookmark.id}-{bookmark.clip_job_id[:8]}-dead.mp4.part"
    left = world.files.path(find_bookmark(world.scope, bookmark.id).poster_file).with_name(name)
    left.write_bytes(b"half")
    assert bookmark.clip_job_id in sweep_jobs(world.config, later())
    world.publish(writer, clip, start, first=8)
    start_worker()
    wake(world.config, bookmark.clip_job_id)
    wait_until(lambda: find_bookmark(world.scope, bookmark.id).clip_state == "ready", "it is ready", 20)
    made = find_bookmark(world.scope, bookmark.id)
    assert numbers_in(world.movie_of(made)) == list(range(25, 175))
    wait_until(lambda: find_job(world.scope, bookmark.clip_job_id).state == "done", "the job is done")
    assert find_job(world.scope, bookmark.clip_job_id).attempts == 2
    assert world.names() == sorted(Path(key).name for key in (made.clip_file, made.poster_file))


@on_sqlite
def test_a_stopped_worker_returns_its_clip_to_the_queue(world, start_worker):
    start = now_ms() - 4000
    world.start_stream()
    world.publish(world.writer(), make_clip(seconds=4), start)
    bookmark = world.mark(start + 3000, before=2, after=120)
    worker = start_worker()
    wake(world.config, bookmark.clip_job_id)
    wait_until(lambda: find_bookmark(world.scope, bookmark.id).poster_file, "it is at work", 20)
    assert worker.end(signal.SIGTERM) == 0
    job = find_job(world.scope, bookmark.clip_job_id)
    assert (job.state, job.attempts) == ("queued", 0)
    assert find_bookmark(world.scope, bookmark.id).clip_state == "pending"


def test_a_job_that_is_delivered_twice_makes_one_clip(world):
    world.footage.record(make_clip(seconds=4), NOON_MS)
    bookmark = world.mark(NOON_MS + 2000)
    threads = [world.begin(bookmark) for _ in range(3)]
    for thread in threads:
        thread.join(20)
    made = world.run(bookmark)
    assert numbers_in(world.movie_of(made)) == list(range(25, 75))
    assert len(world.clip_facts) == 1
    assert len(world.names()) == 2


@on_sqlite
def test_a_job_whose_worker_died_after_saving_the_clip_finds_it_made(world, monkeypatch):
    world.footage.record(make_clip(seconds=4), NOON_MS)
    bookmark = world.mark(NOON_MS + 2000)
    attempt = claim_job(bookmark.clip_job_id, "dies")
    first = run_clip(attempt, _context(world, attempt))
    sweep_jobs(world.config, later())
    monkeypatch.setattr(clips, "ClipMaker", None)
    made = world.run(bookmark)
    assert find_job(world.scope, bookmark.clip_job_id).state == "done"
    assert made.clip_size == first["size"]
    assert len(world.clip_facts) == 1


def test_an_abandoned_attempt_does_not_overwrite_the_newer_one(world, monkeypatch):
    world.footage.record(make_clip(seconds=4), NOON_MS)
    bookmark = world.mark(NOON_MS + 2000)
    done = []

    def overtaken(self):
        """Take the job over and finish it while the first attempt writes."""
        if not done:
            done.append(True)
            sweep_jobs(world.config, later())
            world.run(bookmark)
        return original(self)

    original = clips.ClipMaker._find_recorded
    monkeypatch.setattr(clips.ClipMaker, "_find_recorded", overtaken)
    made = world.run(bookmark)
    assert numbers_in(world.movie_of(made)) == list(range(25, 75))
    assert len(world.clip_facts) == 1
    assert world.names() == sorted(Path(key).name for key in (made.clip_file, made.poster_file))


@on_sqlite
def test_a_restarted_clip_removes_nothing_of_the_one_that_is_being_written(world, monkeypatch):
    world.footage.record(make_clip(seconds=4), NOON_MS)
    bookmark = world.mark(NOON_MS + 2000)
    begun = []

    def late(self):
        """Start the replacing job before the earlier job starts to write."""
        if not begun:
            key = world.files.key("clips", world.scope.tenant_id, f"{bookmark.id}-another0-0.mp4")
            path = world.files.path(key)
            begun.append(path.with_name(f".{path.name}.part"))
            begun[0].parent.mkdir(parents=True, exist_ok=True)
            begun[0].write_bytes(b"half")
        return original(self)

    original = clips.ClipMaker.make
    monkeypatch.setattr(clips.ClipMaker, "make", late)
    made = world.run(bookmark)
    assert made.clip_state == "ready"
    assert begun[0].read_bytes() == b"half"


@on_sqlite
def test_cancelling_ends_the_wait_within_a_second_and_leaves_no_file(world):
    start = now_ms() - 4000
    world.start_stream()
    world.publish(world.writer(), make_clip(seconds=4), start)
    bookmark = world.mark(start + 3000, before=2, after=200)
    thread = world.begin(bookmark)
    wait_until(lambda: find_bookmark(world.scope, bookmark.id).poster_file, "it is at work", 20)
    request_cancel(world.scope, bookmark.clip_job_id, keep_hours=24)
    thread.join(3)
    assert not thread.is_alive()
    ended = find_bookmark(world.scope, bookmark.id)
    assert (ended.clip_state, ended.clip_reason_code) == ("failed", "clip_cancelled")
    assert find_job(world.scope, bookmark.clip_job_id).state == "cancelled"
    assert world.names() == [Path(ended.poster_file).name], "the picture of the moment stays"


@on_sqlite
def test_a_newer_clip_replaces_the_previous_one_and_a_failed_one_does_not(world):
    (file,) = world.footage.record(make_clip(seconds=4), NOON_MS)
    made = world.run(world.mark(NOON_MS + 2000))
    again, is_new = renew_clip(world.scope, made.id, footage=None, keep_hours=24)
    assert (is_new, again.clip_state, again.clip_file) == (True, "pending", made.clip_file)
    second = world.run(again)
    assert second.clip_file != made.clip_file
    assert world.names() == sorted(Path(key).name for key in (second.clip_file, second.poster_file))
    file.path.unlink()
    third = world.run(renew_clip(world.scope, made.id, footage=None, keep_hours=24)[0])
    assert (third.clip_state, third.clip_file, third.clip_reason_code) == ("ready", second.clip_file, "footage_damaged")
    assert numbers_in(world.movie_of(third)) == list(range(25, 75))


@on_sqlite
def test_a_clip_is_kept_where_less_footage_is_left_than_it_shows(world):
    first, second = (world.footage.record(make_clip(seconds=2), NOON_MS + start)[0] for start in (0, 2000))
    made = world.run(world.mark(NOON_MS + 2000, before=2, after=2))
    with database.transaction():
        EVERY_RECORDING.delete(Segment).where(Segment.id == first.id).execute()
    again = world.run(renew_clip(world.scope, made.id, footage=None, keep_hours=24)[0])
    assert (again.clip_state, again.clip_file, again.clip_reason_code) == ("ready", made.clip_file, "no_footage")
    assert "less footage" in again.clip_reason_message
    assert numbers_in(world.movie_of(again)) == [*range(50), *range(50)]
    assert second.path.exists()


@on_sqlite
def test_a_clip_with_a_gap_is_made_again_from_the_same_footage(world):
    for start in (0, 5000):
        world.footage.record(make_clip(seconds=2), NOON_MS + start)
    made = world.run(world.mark(NOON_MS + 3000, before=3, after=4))
    again = world.run(renew_clip(world.scope, made.id, footage=None, keep_hours=24)[0])
    assert (again.clip_state, again.clip_reason_code) == ("ready", None)
    assert again.clip_file != made.clip_file


@on_sqlite
def test_without_the_storage_of_recordings_the_clip_is_made_from_the_bus(world, monkeypatch):
    clip, start = make_clip(seconds=8), now_ms() - 20_000
    world.footage.record(clip, start, run=1, without=range(8, 16))
    world.publish(world.writer(), clip, start, first=0, last=1)
    connect_redis(world.config.bus_redis_url).delete(f"vas:bus:{world.device_id}")
    writer = world.writer()
    writer.open_run(1, clip.init)
    world.publish(writer, clip, start, first=8)

    def refuse(self, key, offset=0, length=None):
        raise StorageUnavailable("the disk is gone", reason="storage_unmounted")

    monkeypatch.setattr(LocalStorage, "read", refuse)
    made = world.run(world.mark(start + 5000, before=4, after=2))
    assert numbers_in(world.movie_of(made)) == list(range(100, 175))


@on_sqlite
def test_a_clip_whose_job_was_abandoned_is_finalized_by_the_clock(world):
    kept, lost = world.mark(NOON_MS), world.mark(NOON_MS)
    delete_job(world.scope, world.config, lost.clip_job_id)
    assert finalize_lost_clips() == 1
    assert finalize_lost_clips() == 0
    assert [(fact.bookmark_id, fact.reason) for _, fact in world.clip_facts] == [(lost.id, "clip_cancelled")]
    ended = find_bookmark(world.scope, lost.id)
    assert (ended.clip_state, ended.clip_reason_code) == ("failed", "clip_cancelled")
    assert find_bookmark(world.scope, kept.id).clip_state == "pending"


@on_sqlite
def test_the_clip_remains_when_the_device_and_its_footage_are_deleted(world):
    (file,) = world.footage.record(make_clip(seconds=4), NOON_MS)
    made = world.run(world.mark(NOON_MS + 2000))
    delete_device(world.scope, world.device_id)
    file.path.unlink()
    assert numbers_in(world.movie_of(find_bookmark(world.scope, made.id))) == list(range(25, 75))
    with database.session():
        assert EVERY_TENANT.select(Protection).count() == 0, "nothing is held any more"


@pytest.fixture
def disk(tmp_path) -> Iterator[LoopDisk]:
    try:
        disk = LoopDisk(tmp_path / "disk", 24)
    except DiskUnavailableError as error:
        pytest.skip(f"no disk of our own can be mounted here: {error}")
    yield disk
    disk.close()


@on_sqlite
def test_a_full_disk_is_refused_before_anything_is_written(world, disk):
    world.footage.record(make_clip(seconds=4), NOON_MS)
    world.config = replace(world.config, captures_dir=disk.folder / "captures")
    made = world.run(world.mark(NOON_MS + 2000))
    assert (made.clip_state, made.clip_reason_code) == ("failed", "disk_full")
    assert "must stay free" in made.clip_reason_message
    assert world.names() == []


@on_sqlite
def test_a_disk_that_fills_up_during_a_clip_is_the_reason_and_no_file_remains(world, disk, monkeypatch):
    monkeypatch.setattr(files, "SPARE_BYTES", 0)
    world.footage.record(make_clip(seconds=8, size=(768, 432)), NOON_MS)
    world.config = replace(world.config, captures_dir=disk.folder / "captures")
    read = FootageReader.read

    def fill_first(self, footage_range):
        for number, part in enumerate(read(self, footage_range)):
            if number == 4:
                disk.fill()
            yield part

    monkeypatch.setattr(FootageReader, "read", fill_first)
    made = world.run(world.mark(NOON_MS + 100, before=0, after=8))
    assert (made.clip_state, made.clip_reason_code) == ("failed", "disk_full"), made.clip_reason_message
    assert world.names() == []
    assert world.clip_facts[0][1].reason == "disk_full"


@pytest.mark.parametrize("place", ["captures", "captures/clips"])
@on_sqlite
def test_a_folder_that_cannot_be_created_is_the_reason(world, tmp_path, place):
    world.footage.record(make_clip(seconds=4), NOON_MS)
    world.config = replace(world.config, captures_dir=tmp_path / "captures")
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("a file stands where the folder should be")
    made = world.run(world.mark(NOON_MS + 2000))
    assert (made.clip_state, made.clip_reason_code) == ("failed", "captures_unwritable")
    assert str(tmp_path) in made.clip_reason_message


@on_sqlite
def test_a_poster_without_disk_space_fails_the_clip(world, monkeypatch):
    world.footage.record(make_clip(seconds=4), NOON_MS)

    def refuse(self, data):
        raise ExportSpaceMissing("the disk is full")

    monkeypatch.setattr(ResultFile, "write", refuse)
    made = world.run(world.mark(NOON_MS + 2000))
    assert (made.clip_state, made.clip_reason_code, world.names()) == ("failed", "disk_full", [])


def _context(world, attempt):
    from workers.job_runner import JobContext

    return JobContext(world.config, attempt)


@on_sqlite
def test_an_emptied_bus_loses_nothing_that_was_saved(world, tmp_path):
    server = RedisServer(tmp_path)
    server.start()
    try:
        world.config = replace(world.config, redis_url=server.url)
        clip, start = make_clip(seconds=8), now_ms() - 9000
        world.start_stream()
        world.publish(world.writer(), clip, start, last=8)
        bookmark = world.mark(start + 3000, before=2, after=4)
        world.begin(bookmark)
        wait_until(lambda: find_bookmark(world.scope, bookmark.id).poster_file, "it is at work", 20)
        server.stop()
        server.start()
        writer = world.writer()
        writer.open_run(1, clip.init)
        world.publish(writer, clip, start, first=8)
        wait_until(lambda: find_bookmark(world.scope, bookmark.id).clip_state == "ready", "it is ready", 20)
    finally:
        server.stop()
    made = find_bookmark(world.scope, bookmark.id)
    assert numbers_in(world.movie_of(made)) == list(range(25, 175))
