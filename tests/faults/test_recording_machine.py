"""The disk of the footage is full, hangs, dies, is unmounted, has its files changed; the clock of the machine is
set."""

import os
import time
from collections.abc import Iterator

import pytest

from gateway.media import unpack_parts
from tests.cameras import CounterCamera
from tests.cameras.footage import judge, read_counters
from tests.faults.recorded import Fault, Recorded, start_recording, wait_for_frames
from tests.faults.report import Loss
from tests.stack import Stack
from tests.stack.disk import DiskUnavailableError, LoopDisk
from tests.stack.playback import format_time
from tests.stack.skewed_clock import NoCompilerError, SkewedClock
from tests.stack.store import CLOSED, MISSING, assert_store_is_consistent

#: So long the disk hangs; a picture that waited for it would stand still as long.
HANG_SECONDS = 4
#: A disk that dies takes with it what was not yet durable.
DURABLE_SECONDS = 1
FLOOR_BYTES = 4 << 20
#: Media time and wall time that are apart end a run: so long until the stream runs again.
RESTART_SECONDS = 6
#: A part lasts about half a second; where a file is cut, one is lost.
PART_FRAMES = 13


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopDisk]:
    try:
        disk = LoopDisk(tmp_path_factory.mktemp("disk"))
    except DiskUnavailableError as error:
        pytest.skip(str(error))
    yield disk
    disk.close()


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> SkewedClock:
    try:
        return SkewedClock(tmp_path_factory.mktemp("clock"))
    except NoCompilerError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def stack(disk: LoopDisk, clock: SkewedClock) -> Iterator[Stack]:
    """A product on SQLite whose footage, and nothing else, is on the disk, and whose clock can be set."""
    settings = {"recordings_dir": disk.folder, "free_bytes_floor": FLOOR_BYTES, "retention_seconds": 1}
    with Stack(recording_mode="continuous", stall_seconds=3, **settings, **clock.settings) as stack:
        yield stack
        disk.thaw()


@pytest.fixture(scope="module")
def recorded(stack: Stack) -> Iterator[Recorded]:
    with CounterCamera() as camera:
        recorded = start_recording(stack, camera, "Recorded")
        yield recorded
        stack.delete_device(recorded.device_id)


def test_a_full_disk_interrupts_and_the_bus_bridges_it_until_there_is_space(stack, disk, recorded, report):
    ffmpeg = stack.ffmpeg_pids(recorded.device_id)
    with Fault(recorded, report, "disk full in the middle of a part, then room") as fault:
        disk.fill(leave_bytes=20_000)
        recorded.wait_observed("interrupted", "disk_full", 15)
        assert stack.stream(recorded.device_id)["observed"] == "running"
        disk.make_room()
    assert stack.ffmpeg_pids(recorded.device_id) == ffmpeg
    recorded.wait_observed("recording", None, 10)
    assert fault.exactness.is_exact


def test_retention_frees_space_before_the_disk_is_full(stack, disk, recorded, report):
    make_closed_files(recorded, 3)
    oldest = recorded.store.segments()[0]
    with Fault(recorded, report, "disk nearly full: retention makes room"):
        disk.fill(leave_bytes=FLOOR_BYTES // 2)
        stack.wait_until(lambda: oldest not in recorded.store.segments(), 15, "the oldest footage goes")
        disk.make_room()
    assert not recorded.store.path(oldest).exists()
    assert recorded.store.expired_before_ms >= oldest.end_ms
    assert "retention" in stack.log("record"), "what is deleted is logged"


def test_a_disk_that_hangs_neither_delays_live_video_nor_loses_footage(stack, disk, recorded, report, watch):
    viewer = watch(recorded.device_id)
    viewer.wait_live()
    with Fault(recorded, report, f"disk hangs for {HANG_SECONDS} s"):
        moment = time.time()
        disk.freeze()
        try:
            viewer.frames_in(HANG_SECONDS)
        finally:
            disk.thaw()
        assert viewer.longest_gap(moment) < HANG_SECONDS / 2
    assert viewer.has_continued


def test_a_disk_that_fails_and_is_mounted_again_loses_only_what_was_not_durable(stack, disk, recorded, report):
    with Fault(recorded, report, "disk dies, is unmounted, comes back", budget=DURABLE_SECONDS, seconds=30):
        disk.cut_power()
        recorded.wait_observed("interrupted", None, 15)
        disk.unmount()
        try:
            recorded.wait_observed("interrupted", "storage_unmounted", 15)
            assert list(disk.folder.iterdir()) == [], "nothing is written into the bare folder"
        finally:
            disk.mount()


def test_deleted_truncated_and_rowless_files_are_repaired_at_the_next_start(stack, recorded, report):
    make_closed_files(recorded, 4)
    store = recorded.store
    deleted, cut, unknown, untouched = [row for row in store.segments() if row.state == CLOSED][-4:]
    before = read_counters_of(recorded, deleted, cut, unknown, untouched)
    began = time.time()
    stack.stop("record")
    store.path(deleted).unlink()
    os.truncate(store.path(cut), cut.size - unpack_parts(cut.packed)[-1].size // 2)
    store.delete_row(unknown.id)
    for row in (cut, unknown):
        # As of long ago: what has just been written is left to who wrote it.
        os.utime(store.path(row), (0, 0))
    stack.resume("record")
    back = recorded.wait_indexed(time.time(), 25) - began
    assert_store_is_consistent(stack, recorded.device_id, seconds=20)
    rows = {(row.run, row.sequence): row for row in store.segments()}
    assert rows.get((deleted.run, deleted.sequence)) is None or rows[deleted.run, deleted.sequence].state == MISSING
    assert rows[cut.run, cut.sequence].parts == cut.parts - 1
    assert rows[unknown.run, unknown.sequence].parts == unknown.parts
    assert {"file_missing", "file_damaged"} <= {gap.reason_code for gap in store.gaps()}
    played = recorded.play(deleted.start_ms / 1000 - 1, recorded.indexed_until()).counters
    assert judge(played).repeated == ()
    assert not set(before[deleted.id]) & set(played)
    assert set(before[unknown.id]) | set(before[untouched.id]) <= set(played)
    torn = set(before[cut.id]) - set(played)
    assert 0 < len(torn) <= PART_FRAMES
    lost, fps = set().union(*before.values()) - set(played), recorded.camera.settings.fps
    budget = (len(before[deleted.id]) + PART_FRAMES) / fps
    reasons = "file_missing", "file_damaged"
    report.add_loss(Loss("a file deleted, one cut, a row deleted", len(lost) / fps, budget, back, reasons))
    assert len(lost) / fps <= budget


def test_a_clock_that_is_set_back_and_right_again_loses_no_more_than_the_restart_of_the_stream(
    stack, recorded, clock, report
):
    began, first = time.time(), recorded.camera.counter
    recorded.wait_indexed(began, 15)
    for seconds in (-60, 0):
        runs = {row.run for row in recorded.store.segments()}
        clock.set(seconds)
        stack.wait_until(
            lambda known=runs: [row for row in recorded.store.segments() if row.run not in known and row.parts > 2],
            25, "footage of the new time is in the index",
        )  # fmt: skip
    back = time.time() - began
    assert_store_is_consistent(stack, recorded.device_id, clock_was_set=True)
    played = recorded.play(began - 65, recorded.indexed_until())
    # By their time, footage of before the clock was set and of after it lie in and behind each other: each is there
    # once.
    exactness = judge(sorted(counter for counter in played.counters if counter >= first))
    lost = exactness.missing_frames / recorded.camera.settings.fps
    reasons = tuple({gap.reason_code for gap in recorded.store.gaps() if (gap.end_ms or 0) > began * 1000})
    report.add_loss(Loss("clock set back by 60 s, then right", lost, 2 * RESTART_SECONDS, back, reasons))
    assert exactness.repeated == ()
    assert lost <= 2 * RESTART_SECONDS
    assert "clock_jumped" in reasons
    assert_gaps_are_beside_footage(stack, recorded.device_id, began - 65)


def assert_gaps_are_beside_footage(stack: Stack, device_id: str, start: float) -> None:
    """What a person sees: on the timeline no gap lies over footage, whatever clock it was stamped by."""
    timeline = stack.api.get(
        f"/recordings/devices/{device_id}/timeline", start=format_time(start), end=format_time(time.time())
    )
    overlaps = [
        (gap, span)
        for gap in timeline["gaps"]
        for span in timeline["spans"]
        # Where the timeline has drawn spans together, gaps that are shorter than its grain lie within.
        if span["coverage"] == 1 and gap["start"] < span["end"] and span["start"] < (gap["end"] or span["end"])
    ]
    assert timeline["spans"]
    assert overlaps == []


def make_closed_files(recorded: Recorded, count: int) -> None:
    """Until there are so many: each time the camera hangs up, a run and its file end."""
    while len([row for row in recorded.store.segments() if row.state == CLOSED]) < count:
        runs = {row.run for row in recorded.store.segments()}
        recorded.camera.cut()
        recorded.stack.wait_until(
            lambda known=runs: {row.run for row in recorded.store.segments()} - known,
            20,
            "a new run is recorded",
        )
        wait_for_frames(recorded.camera, 25)


def read_counters_of(recorded: Recorded, *rows) -> dict[int, list[int]]:
    """The numbers of the frames of each file, by its row's id."""
    return {row.id: read_counters(recorded.store.path(row)) for row in rows}
