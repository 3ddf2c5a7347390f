"""A time-lapse shows one picture of each step at its time, in a movie that any player accepts."""

import io
import json
import threading
from dataclasses import replace
from datetime import timedelta
from threading import BoundedSemaphore

import pytest
from PIL import Image

from gateway.captures.files import CaptureFiles
from gateway.clock import utc_now
from gateway.inventory import delete_device, find_device
from gateway.jobs.attempts import LOST_SECONDS
from gateway.jobs.cleanup import sweep_jobs
from gateway.jobs.files import ExportSpaceMissing, ResultFile
from gateway.jobs.model import create_job, find_job, request_cancel
from tests.conftest import wait_until
from tests.gateway.rows import make_snapshot
from tests.playback import NOON_MS, make_clip
from tests.workers.exporting.movies import box_names, decode_strictly, frame_times, numbers_in, probe, track
from tests.workers.exporting.worker import JobsWorker, encoders_of
from workers.job_runner import JobRunner
from workers.time_lapse.time_lapse import TIME_LAPSE, run_time_lapse

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Maker:
    """Makes time-lapse jobs for the footage's device, and runs them in this thread."""

    def __init__(self, config, scope, device_id) -> None:
        self.config, self.scope, self.device_id = config, scope, device_id

    def ask(self, start_ms: int, end_ms: int, **values):
        parameters = {
            "start_ms": start_ms,
            "end_ms": end_ms,
            "source": "recordings",
            "step_ms": 1000,
            "speed": 25.0,
            "seconds": None,
            "fps": 25,
            "width": None,
            "name": "movie.mp4",
            "schedule_id": None,
            "bytes": 1,
        }
        return create_job(self.scope, TIME_LAPSE, parameters | values, device_id=self.device_id)[0]

    def run(self, job_id: str):
        JobRunner(self.config, "test:1", {TIME_LAPSE: run_time_lapse}, BoundedSemaphore(1)).run(job_id)
        return find_job(self.scope, job_id)

    def make(self, start_ms: int, end_ms: int, **values):
        return self.run(self.ask(start_ms, end_ms, **values).id)


@pytest.fixture
def time_lapses(config, scope, footage) -> Maker:
    return Maker(config, scope, footage.device_id)


@pytest.fixture
def keep_picture(config, scope, footage):
    """`keep_picture(at_ms, size, grey)` makes a snapshot of one grey."""

    def keep(at_ms, size=(320, 180), grey=100, **values):
        row = make_snapshot(
            scope, find_device(scope, footage.device_id), at_ms, width=size[0], height=size[1], **values
        )
        data = io.BytesIO()
        Image.new("L", size, grey).convert("RGB").save(data, "JPEG")
        CaptureFiles.from_config(config).write(row.file, data.getvalue())
        return row

    return keep


def facts(job) -> dict:
    return json.loads(job.result)


def test_each_step_gives_its_first_key_frame(footage, time_lapses, movie_of):
    footage.record(make_clip(seconds=12), NOON_MS)
    job = time_lapses.make(NOON_MS, NOON_MS + 12_000, step_ms=2000, speed=50.0)
    movie = movie_of(job)
    assert numbers_in(movie) == [0, 50, 100, 150, 200, 250]
    assert frame_times(movie) == pytest.approx([number / 25 for number in range(6)], abs=0.001)
    assert float(probe(movie)["format"]["duration"]) == pytest.approx(0.24, abs=0.002)
    assert [name for name in box_names(movie) if name != "free"] == ["ftyp", "moov", "mdat"]
    result = facts(job)
    assert (result["start_ms"], result["end_ms"], result["frames"]) == (NOON_MS, NOON_MS + 10_000, 6)
    assert (result["duration_seconds"], result["notes"], result["size"]) == (0.24, [], movie.stat().st_size)


@on_sqlite
def test_steps_without_a_key_frame_show_the_one_before(footage, time_lapses, movie_of):
    footage.record(make_clip(seconds=6, key_seconds=2), NOON_MS)
    movie = movie_of(job := time_lapses.make(NOON_MS + 500, NOON_MS + 6000, step_ms=500, speed=1.0, fps=2))
    # The range begins between two key frames: the one before was the current picture then.
    assert numbers_in(movie) == [0, 50, 100]
    assert frame_times(movie) == pytest.approx([0, 1.5, 3.5], abs=0.001)
    assert facts(job)["duration_seconds"] == 5.5


@on_sqlite
def test_gaps_are_skipped_and_noted(footage, time_lapses, movie_of):
    footage.record(make_clip(seconds=3), NOON_MS)
    footage.add_gap(NOON_MS + 3000, NOON_MS + 63_000, "unreachable")
    footage.record(make_clip(seconds=3, first_frame=100), NOON_MS + 63_000)
    job = time_lapses.make(NOON_MS, NOON_MS + 70_000)
    assert numbers_in(movie_of(job)) == [0, 25, 50, 100, 125, 150]
    assert facts(job)["duration_seconds"] == 0.24
    assert facts(job)["notes"] == [
        "no footage: 2026-03-11T12:00:03Z to 2026-03-11T12:01:03Z (60.0 s) (there is no network route to the camera)",
        "no footage: 2026-03-11T12:01:06Z to 2026-03-11T12:01:10Z (4.0 s)",
    ]


@on_sqlite
def test_pictures_of_several_sizes_and_codecs_are_one_movie(footage, time_lapses, movie_of):
    footage.record(make_clip(seconds=2), NOON_MS)
    footage.record(make_clip(seconds=2, first_frame=50, codec="h265", size=(768, 432), audio=True), NOON_MS + 2000)
    footage.record(make_clip(seconds=2, first_frame=100, b_frames=2), NOON_MS + 4000)
    movie = movie_of(time_lapses.make(NOON_MS, NOON_MS + 6000))
    assert numbers_in(movie) == [0, 25, 50, 75, 100, 125]
    assert (track(movie)["codec_name"], track(movie)["width"], track(movie)["height"]) == ("h264", 768, 432)
    assert [one["codec_type"] for one in probe(movie)["streams"]] == ["video"]


@on_sqlite
def test_the_width_is_as_requested_and_never_larger_than_the_pictures(footage, time_lapses, movie_of):
    footage.record(make_clip(seconds=2), NOON_MS)
    sizes = [
        (track(movie)["width"], track(movie)["height"])
        for movie in (movie_of(time_lapses.make(NOON_MS, NOON_MS + 2000, width=width)) for width in (193, 4000))
    ]
    assert sizes == [(194, 110), (384, 216)]


@on_sqlite
def test_damaged_pictures_are_left_out_and_noted(footage, time_lapses, movie_of):
    (file,) = footage.record(make_clip(seconds=4), NOON_MS)
    second = file.values.init_size + sum(part.size for part in file.parts[:2])
    with open(file.path, "r+b") as opened:
        opened.seek(second + 30)
        opened.write(b"\xff" * 40)
    footage.record(make_clip(seconds=2, first_frame=100), NOON_MS + 60_000)[0].path.unlink()
    job = time_lapses.make(NOON_MS, NOON_MS + 62_000)
    assert numbers_in(movie_of(job)) == [0, 50, 75]
    assert facts(job)["duration_seconds"] == 0.16, "the previous picture is shown in its place"
    assert facts(job)["notes"][-1] == "3 pictures that cannot be read were left out"


@on_sqlite
def test_snapshots_are_each_shown_for_the_same_time(keep_picture, time_lapses, movie_of):
    for number, size in enumerate([(320, 180), (640, 360), (320, 240)]):
        keep_picture(NOON_MS + number * 7000, size)
    keep_picture(NOON_MS + 8000, (1280, 720), schedule_id=9, deleted_at=utc_now())
    job = time_lapses.make(NOON_MS, NOON_MS + 30_000, source="snapshots", step_ms=None, seconds=6.0)
    movie = movie_of(job)
    decode_strictly(movie)
    assert frame_times(movie) == pytest.approx([0, 2, 4], abs=0.001)
    assert (track(movie)["width"], track(movie)["height"], track(movie)["pix_fmt"]) == (640, 360, "yuv420p")
    result = facts(job)
    assert (result["duration_seconds"], result["start_ms"], result["end_ms"]) == (6.0, NOON_MS, NOON_MS + 14_000)
    stepped = time_lapses.make(NOON_MS, NOON_MS + 30_000, source="snapshots", step_ms=10_000)
    assert (facts(stepped)["frames"], facts(stepped)["duration_seconds"]) == (2, 0.08)


@on_sqlite
def test_snapshots_with_a_missing_or_invalid_file_are_left_out(config, keep_picture, time_lapses, movie_of):
    rows = [keep_picture(NOON_MS + number) for number in range(4)]
    files = CaptureFiles.from_config(config)
    files.delete(rows[1].file)
    files.path(rows[2].file).write_bytes(b"no picture")
    job = time_lapses.make(NOON_MS, NOON_MS + 10, source="snapshots", step_ms=None)
    assert facts(job)["frames"] == 2
    assert facts(job)["notes"] == ["2 pictures that cannot be read were left out"]


@pytest.mark.parametrize("source", ["recordings", "snapshots"])
@on_sqlite
def test_a_range_without_readable_pictures_fails_with_that_reason(config, footage, keep_picture, time_lapses, source):
    (file,) = footage.record(make_clip(seconds=2), NOON_MS)
    with open(file.path, "r+b") as opened:
        opened.seek(file.values.init_size)
        opened.write(b"\xff" * (file.values.size - file.values.init_size))
    CaptureFiles.from_config(config).path(keep_picture(NOON_MS).file).write_bytes(b"no picture")
    job = time_lapses.make(NOON_MS, NOON_MS + 2000, source=source)
    assert (job.state, job.error_code) == ("failed", "footage_damaged")
    assert not list(config.exports_dir.glob("*"))


@on_sqlite
def test_a_missing_ffmpeg_is_the_reason(config, footage, time_lapses):
    footage.record(make_clip(seconds=2), NOON_MS)
    time_lapses.config = replace(config, ffmpeg_bin="/no/such/ffmpeg")
    job = time_lapses.make(NOON_MS, NOON_MS + 2000)
    assert (job.state, job.error_code) == ("failed", "ffmpeg_missing")


@on_sqlite
def test_an_unreadable_file_loses_only_its_own_pictures(footage, time_lapses, movie_of):
    (file,) = footage.record(make_clip(seconds=2, size=(768, 432)), NOON_MS)
    footage.record(make_clip(seconds=2, first_frame=50), NOON_MS + 2000)
    with open(file.path, "r+b") as opened:
        opened.seek(file.values.init_size)
        opened.write(b"\xff" * (file.values.size - file.values.init_size))
    job = time_lapses.make(NOON_MS, NOON_MS + 4000)
    assert numbers_in(movie_of(job)) == [50, 75]
    assert facts(job)["notes"] == ["2 pictures that cannot be read were left out"]
    assert facts(job)["duration_seconds"] == 0.08


@on_sqlite
def test_snapshots_of_one_schedule_alone(keep_picture, time_lapses):
    for number in range(4):
        keep_picture(NOON_MS + number, schedule_id=number % 2 or None)
    job = time_lapses.make(NOON_MS, NOON_MS + 10, source="snapshots", step_ms=None, schedule_id=1)
    assert facts(job)["frames"] == 2


@pytest.mark.parametrize("source", ["recordings", "snapshots"])
@on_sqlite
def test_an_empty_range_fails_with_that_reason(time_lapses, config, source):
    job = time_lapses.make(NOON_MS, NOON_MS + 10_000, source=source)
    assert (job.state, job.error_code) == ("failed", "no_footage")
    assert not list(config.exports_dir.glob("*"))


@on_sqlite
def test_a_deleted_device_is_the_reason(footage, time_lapses, scope):
    job = time_lapses.ask(NOON_MS, NOON_MS + 10_000)
    delete_device(scope, footage.device_id)
    assert time_lapses.run(job.id).error_code == "device_deleted"


def long_job(footage, time_lapses):
    """A job of five hundred pictures: long enough to be observed while running."""
    footage.record(make_clip(seconds=50, size=(640, 360), fps=10, key_seconds=0.1, part_seconds=0.1), NOON_MS)
    return time_lapses.ask(NOON_MS, NOON_MS + 50_000, step_ms=100, speed=2.5)


@on_sqlite
def test_a_time_lapse_is_cancelled_within_a_second_and_leaves_nothing(footage, time_lapses, config, scope):
    job = long_job(footage, time_lapses)
    thread = threading.Thread(target=time_lapses.run, args=(job.id,))
    thread.start()
    wait_until(lambda: list(config.exports_dir.glob(".*.part")), "it has begun")
    request_cancel(scope, job.id, keep_hours=1)
    thread.join(5)
    assert find_job(scope, job.id).state == "cancelled"
    assert not list(config.exports_dir.glob("*")) + list(config.exports_dir.glob(".*"))
    assert encoders_of(job.id) == []


@on_sqlite
def test_a_killed_worker_delays_the_time_lapse_and_nothing_else(
    footage, time_lapses, config, scope, movie_of, tmp_path
):
    job = long_job(footage, time_lapses)
    first = JobsWorker(config, tmp_path / "worker.log")
    try:
        first.messages.run_job(job.id)
        wait_until(lambda: encoders_of(job.id) and list(config.exports_dir.glob(".*.part")), "it is at work", 30)
    finally:
        first.kill()
    wait_until(lambda: not encoders_of(job.id), "its FFmpeg is gone with it")
    assert not list(config.exports_dir.glob("[!.]*")), "no partial movie is visible"
    assert sweep_jobs(config, utc_now() + timedelta(seconds=LOST_SECONDS + 1)) == [job.id]
    done = time_lapses.run(job.id)
    assert (done.attempts, facts(done)["frames"]) == (2, 500)
    assert numbers_in(movie_of(done)) == list(range(500))
    assert [path.name for path in config.exports_dir.iterdir()] == [facts(done)["file"]]


@on_sqlite
def test_a_full_disk_is_the_reason_and_no_file_remains(footage, time_lapses, config, monkeypatch):
    write = ResultFile.write

    def full(file, data):
        if len(data) > 64:
            write(file, data)
        else:
            raise ExportSpaceMissing("the disk of the exported files is full")

    footage.record(make_clip(seconds=4), NOON_MS)
    monkeypatch.setattr(ResultFile, "write", full)
    job = time_lapses.make(NOON_MS, NOON_MS + 4000)
    assert (job.state, job.error_code) == ("failed", "disk_full")
    assert not list(config.exports_dir.glob("*")) + list(config.exports_dir.glob(".*"))
    too_large = time_lapses.make(NOON_MS, NOON_MS + 4000, bytes=1 << 60)
    assert (too_large.error_code, encoders_of(too_large.id)) == ("disk_full", [])
