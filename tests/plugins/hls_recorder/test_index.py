"""The index is written in a thread of its own, so that recording never waits for a database."""

import threading

import pytest

from gateway import database
from gateway.clock import SystemClock
from gateway.footage.segments import SegmentState
from gateway.outputs import ConsumerContext
from plugins.hls_recorder.entries import Entry, GapEntry
from plugins.hls_recorder.output import HlsRecorder
from tests.conftest import wait_until
from tests.plugins.hls_recorder.media import make_init, make_part

one_kind = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def live(world):
    """The world's device under a recorder with its real thread and clock."""
    world.clock = SystemClock()
    told = []
    context = ConsumerContext(world.config, "worker-1", world.clock, lambda hook, **facts: told.append(hook))
    world.output = HlsRecorder(context)
    world.told = told
    yield world
    world.output.close()


def take(world, recorder, sequence: int) -> None:
    part = make_part(sequence, world.clock.wall(), device_id=world.device.id, is_key=sequence == 1, run=1)
    recorder.take(part, make_init(b"1"))


def test_rows_are_written_without_a_caller_waiting(live):
    recorder = live.output.attach(live.device)
    take(live, recorder, 1)
    wait_until(lambda: live.segments(SegmentState.OPEN), "the row of the first part is there")
    take(live, recorder, 2)
    recorder.close("worker_stopped")
    [row] = live.segments(SegmentState.CLOSED)
    assert row.parts == 2
    live.check()
    assert live.told == ["on_segment"]


@one_kind
def test_a_database_that_does_not_answer_delays_no_part(live, monkeypatch):
    recorder = live.output.attach(live.device)
    hangs = threading.Event()
    opened = database._open

    def hang(found):
        hangs.wait(20)
        opened(found)

    monkeypatch.setattr(database, "_open", hang)
    done = threading.Event()

    def record():
        for number in range(1, 10):
            take(live, recorder, number)
            recorder.tick()
        done.set()

    thread = threading.Thread(target=record)
    thread.start()
    assert done.wait(10), "a part waited for the database"
    thread.join(10)
    hangs.set()
    recorder.close("worker_stopped")
    assert live.segments()[0].parts == 9


@one_kind
def test_queued_entries_are_written_when_the_process_ends(live, monkeypatch):
    recorder = live.output.attach(live.device)
    take(live, recorder, 1)
    monkeypatch.setattr("plugins.hls_recorder.recorder._DRAIN_SECONDS", 0.0)
    recorder.close("worker_stopped")
    live.output.close()
    assert [row.state for row in live.segments()] == [SegmentState.CLOSED]
    assert live.output.index.waiting == 0


class Broken(Entry):
    def write(self, fence):
        raise ValueError("no such thing")


@one_kind
def test_an_entry_that_cannot_be_written_delays_no_other(world):
    world.attach()
    [queue] = world.output.index.queues_of(world.device.id)
    queue.push(Broken())
    queue.push(GapEntry(world.device.id, 1000, 2000, "bus_lost"))
    world.output.index.work()
    assert len(world.gaps()) == 1
    assert world.output.index.waiting == 0


@one_kind
def test_a_queue_that_is_too_long_drops_its_oldest_entries(world, monkeypatch):
    monkeypatch.setattr("plugins.hls_recorder.index_queue.MAX_QUEUE_LENGTH", 10)
    world.attach()
    [queue] = world.output.index.queues_of(world.device.id)
    for number in range(30):
        queue.push(GapEntry(world.device.id, number * 1000, number * 1000 + 500, "bus_lost"))
    world.output.index.work()
    assert len(world.gaps()) == 10
    assert world.gaps()[-1][0] == (29 - 1_749_988_800)


@one_kind
def test_a_flapping_state_is_queued_as_one_entry(world):
    world.attach()
    [queue] = world.output.index.queues_of(world.device.id)
    for number in range(50):
        queue.observe("interrupted" if number % 2 else "recording", "unreachable" if number % 2 else None)
    assert world.output.index.waiting == 1
    world.output.index.work()
    assert world.recording.observed == "interrupted"
