"""Snapshots and clips while their worker dies, hangs or is away, while Redis is away, and while the disk is
full.
"""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import requests

from tests.cameras import CounterCamera, read_counter_of_file
from tests.cameras.footage import judge, read_counters
from tests.faults.recorded import start_recording, wait_for_frames
from tests.stack import Stack
from tests.stack.disk import DiskUnavailableError, LoopDisk

#: Tolerance: a part is stamped at its arrival, on a busy machine.
CLOCK_SECONDS = 0.7
#: A job whose worker died is requeued after 15 s; then the clip is made.
LOST_SECONDS = 40
BACK_SECONDS = 15
AT_ONCE = 200


@dataclass
class Filmed:
    """A device, and captures of it through the API."""

    stack: Stack
    device_id: str
    camera: CounterCamera

    def capture(self, **body: Any) -> requests.Response:
        """Request a snapshot of now."""
        url = f"{self.stack.url}/api/v1/snapshots/devices/{self.device_id}/capture/live"
        return requests.post(url, json=body, timeout=30)

    def number_in(self, snapshot: dict[str, Any]) -> int:
        """The number of the frame that a snapshot shows; it must match the time that the snapshot gives."""
        number = read_counter_of_file(self.stack.api.raw(f"/snapshots/{snapshot['id']}/image").content)
        assert abs(self.camera.wall_clock(number) - moment_of(snapshot["at"])) < CLOCK_SECONDS
        return number

    def snapshot_of_job(self, answer: requests.Response) -> dict[str, Any]:
        """The snapshot made by the job of a 202."""
        assert answer.status_code == 202, answer.text
        job = self.stack.wait_until(
            lambda: (j := self.stack.api.get(f"/jobs/{answer.json()['id']}"))["state"] in ("done", "failed") and j,
            BACK_SECONDS,
            "the job has ended",
        )
        assert job["state"] == "done", job
        return self.stack.api.get(f"/snapshots/{job['result']['snapshot_id']}")

    def wait_captured(self) -> dict[str, Any]:
        """Wait until a snapshot is taken at once; returns it."""
        return self.stack.wait_until(
            lambda: (answer := self.capture()).status_code == 201 and answer.json(), BACK_SECONDS, "a snapshot at once"
        )

    def poster(self) -> tuple[int, float]:
        """Status of the poster, and the seconds that it took."""
        began = time.monotonic()
        status = self.stack.api.raw(f"/devices/{self.device_id}/poster.jpg?width=320").status_code
        return status, time.monotonic() - began

    def bookmark(self, before: float, after: float) -> dict[str, Any]:
        """Create a bookmark of now."""
        body = {"device_id": self.device_id, "title": "seen", "before_seconds": before, "after_seconds": after}
        return self.stack.api.post("/bookmarks", body)

    def wait_receiving(self, bookmark: dict[str, Any]) -> None:
        """Wait until a worker waits for the footage after the bookmark's time."""
        self.stack.wait_until(
            lambda: self.stack.api.get(f"/bookmarks/{bookmark['id']}")["clip"]["progress"] > 0, 10, "the clip is begun"
        )
        assert time.time() < moment_of(bookmark["at"]) + bookmark["after_seconds"]
        refused = self.stack.api.raw(f"/bookmarks/{bookmark['id']}/clip.mp4")
        assert (refused.status_code, refused.json()["reason"]) == (409, "clip_pending")

    def wait_settled(self, bookmark: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Wait until the clip is complete or has failed; returns it."""
        return self.stack.wait_until(
            lambda: (clip := self.stack.api.get(f"/bookmarks/{bookmark['id']}")["clip"])["state"] != "pending" and clip,
            seconds,
            "the clip is complete or has failed",
        )

    def frames_of(self, bookmark: dict[str, Any]) -> list[int]:
        """The numbers of the frames of a downloaded clip: each once, in order, and none missing."""
        film = self.stack.api.raw(f"/bookmarks/{bookmark['id']}/clip.mp4")
        assert film.status_code == 200, film.text
        frames = read_counters(film.content)
        assert judge(frames).is_exact
        return frames

    def assert_whole(self, bookmark: dict[str, Any], clip: dict[str, Any]) -> None:
        """Check that the clip has the whole requested range, without a hole."""
        assert (clip["state"], clip["notes"]) == ("ready", []), clip
        frames, at = self.frames_of(bookmark), moment_of(bookmark["at"])
        assert self.camera.wall_clock(frames[0]) <= at - bookmark["before_seconds"] + CLOCK_SECONDS
        assert self.camera.wall_clock(frames[-1]) >= at + bookmark["after_seconds"] - CLOCK_SECONDS
        assert abs(clip["duration_seconds"] - len(frames) / self.camera.settings.fps) < 0.1


def moment_of(text: str) -> float:
    """Seconds since 1970 of a time in the API's format."""
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopDisk]:
    try:
        disk = LoopDisk(tmp_path_factory.mktemp("disk"), megabytes=160)
    except DiskUnavailableError as error:
        pytest.skip(str(error))
    yield disk
    disk.close()


@pytest.fixture(scope="module")
def shared_stack(disk: LoopDisk) -> Iterator[Stack]:
    """A product on SQLite whose snapshots and clips, and nothing else, are on the disk."""
    with Stack(captures_dir=disk.folder / "captures", free_bytes_floor=1 << 20, poster_seconds=1) as stack:
        yield stack


@pytest.fixture(scope="module")
def camera() -> Iterator[CounterCamera]:
    with CounterCamera() as camera:
        yield camera


@pytest.fixture(scope="module")
def shared_filmed(shared_stack: Stack, camera: CounterCamera) -> Iterator[Filmed]:
    device_id = shared_stack.add_device("Live", camera.url)["id"]
    shared_stack.wait_for_state(device_id, "running")
    yield Filmed(shared_stack, device_id, camera)
    shared_stack.delete_device(device_id)


@pytest.fixture(scope="module")
def shared_recorded(shared_stack: Stack, camera: CounterCamera) -> Iterator[Filmed]:
    recorded = start_recording(shared_stack, camera, "Recorded")
    yield Filmed(shared_stack, recorded.device_id, camera)
    shared_stack.delete_device(recorded.device_id)


@pytest.fixture
def filmed(stack: Stack, shared_filmed: Filmed) -> Filmed:
    """A device whose live video is on the bus, and nowhere else."""
    shared_filmed.wait_captured()
    return shared_filmed


@pytest.fixture
def recorded(filmed: Filmed, shared_recorded: Filmed) -> Filmed:
    """A device that is also recorded."""
    return shared_recorded


def test_two_hundred_concurrent_captures_are_all_taken(stack, filmed):
    ffmpeg = stack.ffmpeg_pids(filmed.device_id)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: filmed.capture(tags=["storm"], wait_seconds=5), range(AT_ONCE)))
    assert {answer.status_code for answer in answers} <= {201, 202}
    kept = lambda: stack.api.get("/snapshots", tag="storm", page_size=AT_ONCE)  # noqa: E731
    snapshots = stack.wait_until(lambda: len(found := kept()) == AT_ONCE and found, BACK_SECONDS, "all are kept")
    for snapshot in snapshots[::20]:
        filmed.number_in(snapshot)
    assert stack.ffmpeg_pids(filmed.device_id) == ffmpeg


def test_killing_a_worker_in_the_middle_of_a_clip_loses_nothing_that_is_recorded(stack, disk, filmed, recorded, report):
    bookmark, live = recorded.bookmark(3, 4), filmed.bookmark(3, 4)
    recorded.wait_receiving(bookmark)
    filmed.wait_receiving(live)
    moment = time.time()
    stack.kill("snapshot")
    clip = recorded.wait_settled(bookmark, LOST_SECONDS)
    report.add("kill -9 snapshot worker in the middle of a clip", time.time() - moment, budget_seconds=LOST_SECONDS)
    recorded.assert_whole(bookmark, clip)
    # Footage that was only on the bus may have expired by then: the clip then notes it, or fails.
    late = filmed.wait_settled(live, LOST_SECONDS)
    if late["state"] == "failed":
        assert late["reason"]["code"] == "no_footage"
        assert stack.api.raw(f"/bookmarks/{live['id']}/clip.mp4").status_code == 409
    else:
        assert filmed.frames_of(live)
        assert late["notes"] or len(filmed.frames_of(live)) > 6 * filmed.camera.settings.fps
    names = [path.name for path in (disk.folder / "captures/clips").rglob("*") if path.is_file()]
    assert len([name for name in names if name.endswith(".mp4")]) == (clip["state"], late["state"]).count("ready"), (
        names
    )
    assert not [name for name in names if name.startswith(".")], "no partial file remains"


def test_a_suspended_worker_delays_no_request_and_duplicates_nothing(stack, filmed, report):
    assert filmed.poster()[0] == 200
    sleeper = stack.process("snapshot").pid
    os.kill(sleeper, signal.SIGSTOP)
    try:
        began = time.monotonic()
        late = filmed.capture(wait_seconds=0.5, tags=["late"])
        assert time.monotonic() - began < 3
        filmed.number_in(filmed.snapshot_of_job(late))
        status, seconds = filmed.poster()
        assert (status, seconds < 3) == (200, True)
    finally:
        os.kill(sleeper, signal.SIGCONT)
    began = time.monotonic()
    filmed.wait_captured()
    report.add("SIGSTOP snapshot worker (until snapshots come at once)", time.monotonic() - began)
    assert len(stack.api.get("/snapshots", tag="late")) == 1


def test_without_a_snapshot_worker_snapshots_and_clips_are_made_by_jobs(stack, filmed):
    assert filmed.poster()[0] == 200
    assert stack.stop("snapshot") < 15
    try:
        filmed.number_in(filmed.snapshot_of_job(filmed.capture()))
        bookmark = filmed.bookmark(2, 1)
        filmed.assert_whole(bookmark, filmed.wait_settled(bookmark, BACK_SECONDS))
        assert filmed.poster()[0] == 200, "the last one known"
        health = stack.api.raw("/health").json()["components"]["snapshot_slots"]
        assert health["status"] != "ok"
    finally:
        stack.resume("snapshot")
    filmed.number_in(filmed.wait_captured())


def test_an_outage_of_redis_is_reported_and_a_clip_in_progress_is_complete(stack, filmed, report):
    bookmark = filmed.bookmark(2, 6)
    filmed.wait_receiving(bookmark)
    stack.redis.kill()
    try:
        refused = filmed.capture()
        assert refused.status_code == 503
        assert refused.json()["reason"] in ("redis_unavailable", "bus_unavailable")
        wait_for_frames(filmed.camera, 50)
    finally:
        stack.redis.start()
    began = time.monotonic()
    filmed.number_in(filmed.wait_captured())
    report.add("Redis and bus killed, back empty (until snapshots come again)", time.monotonic() - began)
    filmed.assert_whole(bookmark, filmed.wait_settled(bookmark, 2 * BACK_SECONDS))


def test_a_full_disk_is_reported_leaves_no_files_and_captures_work_again_with_free_space(stack, disk, filmed):
    files = lambda: {path for path in (disk.folder / "captures").rglob("*") if path.is_file()}  # noqa: E731
    before = files()
    disk.fill(leave_bytes=20_000)
    try:
        refused = filmed.capture()
        assert (refused.status_code, refused.json()["reason"]) == (503, "disk_full")
        assert "room" in refused.json()["message"]
        bookmark = filmed.bookmark(2, 0.5)
        clip = filmed.wait_settled(bookmark, BACK_SECONDS)
        assert (clip["state"], clip["reason"]["code"]) == ("failed", "disk_full")
        assert files() == before
        assert filmed.poster()[0] == 200, "posters need no disk"
    finally:
        disk.make_room()
    filmed.number_in(filmed.wait_captured())
    stack.api.post(f"/bookmarks/{bookmark['id']}/clip")
    filmed.assert_whole(bookmark, filmed.wait_settled(bookmark, BACK_SECONDS))
