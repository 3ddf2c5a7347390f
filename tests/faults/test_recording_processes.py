"""Processes and services fail while a camera is recorded; its numbered frames show what footage is lost."""

import os
import signal
import time
from collections.abc import Iterator

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker

from gateway.media import unpack_parts
from gateway.streams.messages import RECORD_QUEUE, RUN_CONSUMER
from tests.cameras import CounterCamera
from tests.faults.recorded import Fault, Recorded, start_recording, wait_for_frames
from tests.stack import Stack
from tests.stack.store import assert_store_is_consistent

#: Where the ingest itself breaks off, footage is lost until it is back, which must not take longer.
INGEST_SECONDS = 15
#: Two starts in a row may take longer than the bus reaches back.
STARTING_SECONDS = 5
#: A camera that answers again is recorded again within this time.
CAMERA_SECONDS = 5
#: One that has broken off before, less than a minute ago, is tried again only after a pause of some seconds.
AGAIN_SECONDS = 10


@pytest.fixture(scope="module")
def shared_recorded(shared_stack: Stack) -> Iterator[Recorded]:
    with CounterCamera() as camera:
        recorded = start_recording(shared_stack, camera, "Recorded")
        yield recorded
        shared_stack.delete_device(recorded.device_id)


@pytest.fixture
def recorded(stack: Stack, shared_recorded: Recorded) -> Recorded:
    """A device that has been recorded since before the first fault."""
    stack.wait_for_state(shared_recorded.device_id, "running", 20)
    return shared_recorded


@pytest.fixture(scope="module")
def second_recorder(shared_stack: Stack) -> Iterator[str]:
    """A second record worker, up to the end of the module: the tests that want it come last."""
    name = shared_stack.start_extra("record")
    keys = lambda: shared_stack.redis.client().keys("vas:worker:record:*")  # noqa: E731
    shared_stack.wait_until(lambda: len(keys()) == 2, 15, "two workers offer slots")
    yield name
    shared_stack.stop(name)


def test_a_killed_record_worker_loses_nothing(recorded, report):
    old = recorded.worker()
    with Fault(recorded, report, "kill -9 record worker") as fault:
        os.kill(old, signal.SIGKILL)
    assert recorded.worker() != old
    assert fault.back_seconds < INGEST_SECONDS


def test_a_record_worker_that_is_killed_again_while_it_starts_is_back_before_much_is_lost(stack, recorded, report):
    with Fault(recorded, report, "kill -9 record worker, and the next while it starts", budget=STARTING_SECONDS):
        for _ in range(2):
            worker = stack.kill("record")
            stack.wait_until(lambda: stack.process("record").pid not in (None, worker), 15, "the next one starts")  # noqa: B023


def test_a_record_worker_that_is_stopped_and_started_as_on_a_deploy_loses_nothing(stack, recorded, report):
    with Fault(recorded, report, "SIGTERM record worker, then a new one"):
        took = stack.stop("record")
        assert took < 20
        # What was taken is made safe before it goes.
        assert_store_is_consistent(stack, recorded.device_id, is_recording=False, seconds=0)
        stack.resume("record")


def test_a_killed_ffmpeg_costs_nothing(stack, recorded, report):
    old, connections = stack.ffmpeg_pids(recorded.device_id)[0], recorded.camera.connections
    with Fault(recorded, report, "kill -9 FFmpeg") as fault:
        os.kill(old, signal.SIGKILL)
    assert fault.exactness.is_exact
    assert recorded.camera.connections == connections, "the camera is not connected to again"


def test_a_killed_stream_worker_costs_no_more_than_its_restart(stack, recorded, report):
    with Fault(recorded, report, "kill -9 stream worker", budget=INGEST_SECONDS):
        stack.kill("stream")
        stack.wait_for_state(recorded.device_id, "running", INGEST_SECONDS)


def test_a_redis_that_comes_back_empty_loses_nothing(stack, recorded, report):
    with Fault(recorded, report, "Redis and bus killed, back empty after 3 s"):
        stack.redis.kill()
        wait_for_frames(recorded.camera, 75)
        stack.redis.start()


def test_an_unavailable_database_loses_nothing_nor_does_a_recorder_killed_meanwhile(stack, recorded, report):
    with Fault(recorded, report, "PostgreSQL away, meanwhile kill -9 record worker"):
        stack.postgres.stop()
        wait_for_frames(recorded.camera, 75)
        os.kill(recorded.worker(), signal.SIGKILL)
        wait_for_frames(recorded.camera, 50)
        stack.postgres.start()


def test_a_rebooted_camera_is_recorded_again_and_the_gap_has_the_reason(stack, recorded, report):
    camera = recorded.camera
    with Fault(recorded, report, "camera away for 3 s", budget=3 + CAMERA_SECONDS) as fault:
        camera.set_away(True)
        wait_for_frames(camera, 75)
        camera.set_away(False)
    assert fault.exactness.missing_frames >= 75
    assert set(fault.reasons) & {"refused", "closed_by_camera"}


def test_a_new_resolution_costs_nothing_and_new_sound_a_session(stack, recorded, report):
    camera = recorded.camera
    before = recorded.store.segments()
    runs = {row.run for row in before}
    connections = camera.connections
    with Fault(recorded, report, "new resolution") as fault:
        camera.change(size=(480, 270), audio=True)
        stack.wait_until(
            lambda: {row.run for row in recorded.store.segments()} - runs, 25, "the new resolution is recorded"
        )
    assert fault.exactness.is_exact
    assert camera.connections == connections, "the camera is not connected to again"
    with Fault(recorded, report, "sound that the next session finds", budget=AGAIN_SECONDS):
        camera.cut()
        stack.wait_until(lambda: has_sound(recorded, runs), 25, "sound is recorded")
    assert not any(part.has_audio for row in before for part in unpack_parts(row.packed))


def test_a_recorder_suspended_for_longer_than_its_lease_no_longer_writes(stack, recorded, second_recorder, report):
    sleeper = recorded.owner_pid()
    token = recorded.store.fencing_token
    with Fault(recorded, report, "SIGSTOP record worker beyond its lease"):
        os.kill(sleeper, signal.SIGSTOP)
        try:
            stack.wait_until(lambda: recorded.store.fencing_token > token, 20, "another recorder has taken over")
            recorded.wait_indexed(time.time(), 15)
        finally:
            os.kill(sleeper, signal.SIGCONT)
    assert recorded.owner_pid() != sleeper
    assert recorded.store.fencing_token == token + 1


def test_two_sets_of_workers_and_many_messages_make_one_recorder(stack, recorded, second_recorder, report):
    token = recorded.store.fencing_token
    with Fault(recorded, report, "two recorders started for one device"):
        for _ in range(10):
            enqueue_recorder(stack, recorded.device_id)
        queue_is_empty = lambda: stack.redis.client().llen(f"dramatiq:{RECORD_QUEUE}") == 0  # noqa: E731
        stack.wait_until(queue_is_empty, 10, "all messages are taken")
    assert recorded.store.fencing_token == token, "the recorder is still the one of before"


def has_sound(recorded: Recorded, known_runs: set[int]) -> bool:
    """Whether a run of later than the known ones has a part with sound in the index."""
    new = [row for row in recorded.store.segments() if row.run not in known_runs]
    return any(part.has_audio for row in new for part in unpack_parts(row.packed))


def enqueue_recorder(stack: Stack, device_id: str) -> None:
    """A message past the mark that keeps the queue short: what a repeated delivery looks like."""
    broker = RedisBroker(url=stack.redis.url, middleware=[])
    broker.declare_queue(RECORD_QUEUE)
    broker.enqueue(
        dramatiq.Message(
            queue_name=RECORD_QUEUE,
            actor_name=RUN_CONSUMER,
            args=("hls_recorder", device_id),
            kwargs={},
            options={},
        )
    )
    broker.close()
