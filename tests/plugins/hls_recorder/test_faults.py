"""A full, hanging or absent disk, a database that is away, a second recorder: nothing is torn, nothing is there
twice."""

import errno
import os

import pytest

from gateway import database
from gateway.errors import Conflict, LeaseLost
from gateway.footage.segments import SegmentState
from gateway.storage.interface import StorageFull, StorageUnavailable
from gateway.storage.local_writer import LocalSegmentWriter
from gateway.storage.room_requests import take_room_request
from tests.plugins.hls_recorder.media import make_init

one_kind = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Disk:
    """Lets `room` more bytes in, and then says that it is full, as the kernel does: with a part of the bytes
    written."""

    def __init__(self, monkeypatch) -> None:
        self.room = 1 << 40
        self.error = errno.ENOSPC
        self._write = os.pwrite
        monkeypatch.setattr("gateway.storage.local.os.pwrite", self.write)

    def write(self, descriptor, data, offset):
        if self.room <= 0:
            raise OSError(self.error, os.strerror(self.error))
        written = self._write(descriptor, data[: self.room], offset)
        self.room -= written
        return written


@pytest.fixture
def disk(monkeypatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def away(monkeypatch):
    """`away(True)`: the database does not answer any more."""
    state = {"is_away": False}
    opened = database._open

    def refuse(found):
        if state["is_away"]:
            raise database.DatabaseUnavailable("the database does not answer")
        opened(found)

    monkeypatch.setattr(database, "_open", refuse)
    return lambda value: state.update(is_away=value)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("room", [0, 1, 200])
@one_kind
def test_a_disk_that_fails_in_the_middle_of_a_part_leaves_whole_parts_only(world, disk, number, room):
    world.attach()
    world.record(10)
    disk.room, disk.error = room, number
    world.send()
    error = world.fail(StorageUnavailable)
    assert isinstance(error, StorageFull) == (number != errno.EIO)
    disk.room = 1 << 40
    world.attach()
    world.record(10)
    world.detach()
    assert len(world.recorded()) == 41
    assert world.gaps() == []
    world.check()


@one_kind
def test_a_full_disk_requests_space_and_is_reported(world, disk):
    take_room_request()
    world.attach()
    world.record(10)
    disk.room = 10
    world.send()
    world.fail(StorageFull)
    assert take_room_request()
    assert (world.recording.observed, world.recording.reason_code) == ("interrupted", "disk_full")
    [(start, end, reason, is_wanted)] = world.gaps()
    assert (end, reason, is_wanted) == (None, "disk_full", True)
    assert 9.5 <= start <= 10


@one_kind
def test_a_disk_that_stays_full_is_a_gap_of_the_right_length_and_leaves_no_empty_files(world, disk):
    world.attach()
    world.record(10)
    disk.room = 0
    for _ in range(60):
        world.send()
        world.fail(StorageFull)
        world.attach()
    disk.room = 1 << 40
    world.record(10)
    world.detach()
    [(start, end, reason, is_wanted)] = world.gaps()
    assert (start, reason, is_wanted) == (10, "disk_full", True)
    assert end == world.segments()[1].start_ms / 1000 - 1_749_988_800
    assert 20 <= end <= 30
    assert len(world.segments()) == 2
    assert world.recording.observed == "recording"
    world.check()


@one_kind
def test_a_failed_sync_is_never_taken_for_durable(world, monkeypatch):
    world.attach()
    world.record(10)
    before = world.segments()[0].parts
    sync = os.fdatasync

    def fail(descriptor):
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr("gateway.storage.local.os.fdatasync", fail)
    world.send()
    world.clock.advance(1)
    world.fail(StorageUnavailable)
    assert world.segments()[0].parts == before
    monkeypatch.setattr("gateway.storage.local.os.fdatasync", sync)
    world.attach()
    world.record(5)
    world.detach()
    assert len(world.recorded()) == 31
    world.check()


@one_kind
def test_nothing_is_written_into_an_unmounted_folder(world, tmp_path):
    world.attach()
    world.record(10)
    folder, elsewhere = world.config.recordings_dir, tmp_path / "unmounted"
    folder.rename(elsewhere)
    folder.mkdir()
    world.send()
    world.clock.advance(1)
    assert world.fail(StorageUnavailable).reason == "storage_unmounted"
    for _ in range(4):
        assert world.fail_to_attach().reason == "storage_unmounted"
        world.send()
    assert list(folder.iterdir()) == []
    assert (world.recording.observed, world.recording.reason_code) == ("interrupted", "storage_unmounted")
    folder.rmdir()
    elsewhere.rename(folder)
    world.attach()
    world.record(10)
    world.detach()
    assert len(world.recorded()) == 45
    assert world.gaps() == []
    world.check()


@one_kind
def test_a_file_removed_while_it_is_written_is_noticed(world):
    world.attach()
    world.record(10)
    world.files()[0].unlink()
    world.send()
    world.clock.advance(1)
    assert world.fail(StorageUnavailable).reason == "file_missing"
    world.attach()
    world.record(10)
    world.detach()
    # The bus still had all of it.
    assert {row.state for row in world.segments()} == {SegmentState.CLOSED}
    assert len(world.recorded()) == 41
    world.check()


@one_kind
def test_a_disk_that_hangs_is_reported_by_the_index_thread(world, monkeypatch):
    world.attach()
    world.record(10)
    sync = LocalSegmentWriter.sync

    def hang(self):
        world.clock.advance(8)
        world.output.index.work()
        sync(self)

    monkeypatch.setattr(LocalSegmentWriter, "sync", hang)
    seen = []
    monkeypatch.setattr(
        world.output.index, "_read_device_states", lambda: seen.append(world.recording.reason_code) or True
    )
    world.send()
    world.clock.advance(1)
    world.feed()
    assert "storage_failed" in seen


def test_files_are_written_while_the_database_is_unavailable_and_the_index_follows(world, away):
    world.attach()
    world.record(50)
    away(True)
    world.record(100)
    world.begin_run()
    world.record(50)
    assert len(world.files()) == 5
    away(False)
    world.record(10)
    world.detach()
    assert len(world.recorded()) == 420
    assert world.gaps() == []
    world.check()


@one_kind
def test_a_reply_lost_with_its_connection_does_no_harm(world, monkeypatch):
    """The transaction was written, but the recorder does not know: it writes the same again."""
    world.attach()
    index = world.output.index
    write = index._write
    state = {"lose": True}

    def lose_answer(queues):
        written = [(queue, queue._entries.copy()) for queue in queues]
        result = write(queues)
        if state["lose"]:
            for queue, entries in written:
                queue._entries.extendleft(reversed(entries))
                for entry in entries:
                    if hasattr(entry, "segment"):
                        entry.segment.row_id, entry.segment.is_queued = None, True
            state["lose"] = False
            return False
        return result

    monkeypatch.setattr(index, "_write", lose_answer)
    for _ in range(150):
        world.record(0.5)
        state["lose"] = world.sequence % 10 == 0
    state["lose"] = False
    world.detach()
    assert len(world.recorded()) == 150
    world.check()


def test_a_second_recorder_takes_over_and_the_first_can_write_no_row(world):
    world.attach()
    world.record(10)
    first, first_output = world.recorder, world.output
    world.kill()
    world.attach()
    world.record(10)
    with pytest.raises(LeaseLost):
        go_on(world, first, first_output)
    first.close("takeover")
    world.record(10)
    world.detach()
    assert len(world.recorded()) == len(set(world.recorded()))
    numbers = [number for run, number in world.recorded()]
    assert numbers == list(range(1, max(numbers) + 1))


def go_on(world, recorder, output) -> None:
    """What a recorder does that does not know yet that its time is over."""
    for _ in range(6):
        recorder.take(world.send(), make_init(b"1"))
        recorder.tick()
        output.index.work()


@one_kind
def test_a_file_of_the_same_name_is_never_overwritten(world):
    world.attach()
    world.record(10)
    other = world.make_output("worker-2")
    other_recorder = other.attach(world.device)
    part = world.send()
    # The older recorder does not know yet that it is the older one.
    world.begin_run()
    part = world.send()
    world.recorder.take(part, make_init(b"2"))
    with pytest.raises(Conflict):
        other_recorder.take(part, make_init(b"2"))


@one_kind
def test_close_may_be_called_twice_and_before_the_first_part(world):
    world.attach()
    recorder = world.recorder
    world.detach()
    recorder.close("worker_stopped")
    assert world.segments() == []
    world.output.close()
    world.output.close()
