"""Every gap has its reason in the index, also while it lasts."""

import pytest

from gateway.footage.segments import SegmentState
from tests.plugins.hls_recorder.world import NOON

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_an_offline_camera_is_an_open_gap_with_the_reason_of_the_stream(world):
    world.attach()
    world.record(30)
    world.set_stream("reconnecting", "unreachable")
    world.wait(10)
    assert world.gaps() == [(30, None, "unreachable", True)]
    assert (world.recording.observed, world.recording.reason_code) == ("interrupted", "unreachable")
    world.set_stream("running")
    world.begin_run()
    world.record(10)
    assert world.gaps() == [(30, 40, "unreachable", True)]
    assert world.recording.observed == "recording"
    world.check()


def test_the_state_follows_the_stream_within_two_seconds(world):
    world.attach()
    world.record(1)
    assert world.recording.observed == "recording"
    world.set_stream("reconnecting", "closed_by_camera")
    world.wait(2)
    assert (world.recording.observed, world.recording.reason_code) == ("interrupted", "closed_by_camera")
    assert world.gaps() == []
    world.set_stream("running")
    world.begin_run()
    world.record(0.5)
    assert (world.recording.observed, world.recording.reason_code) == ("recording", None)


@pytest.mark.parametrize(("observed", "reason"), [("running", "recorder_stalled"), ("starting", "stream_starting")])
def test_ten_seconds_without_footage_are_not_recording_whatever_the_stream_says(world, observed, reason):
    world.attach()
    world.record(5)
    world.set_stream(observed)
    world.wait(11.5)
    assert (world.recording.observed, world.recording.reason_code) == ("interrupted", reason)
    world.set_stream("running")
    world.record(1)
    assert world.recording.observed == "recording"


def test_a_camera_with_long_parts_is_not_taken_for_a_silent_one(world):
    world.part_seconds = 15
    world.attach()
    for _ in range(3):
        world.record(15)
        assert world.recording.observed == "recording"


def test_a_short_outage_gets_the_reason_that_the_stream_gave_first(world):
    world.attach()
    world.record(30)
    world.clock.advance(1)
    world.set_stream("reconnecting", "closed_by_camera")
    world.clock.advance(1)
    world.set_stream("starting")
    world.set_stream("running")
    world.begin_run()
    world.record(10)
    assert world.gaps() == [(30, 32, "closed_by_camera", True)]


def test_a_killed_stream_worker_is_the_reason_when_the_next_one_starts(world):
    world.attach()
    world.record(30)
    world.clock.advance(4)
    world.set_stream("starting")
    world.set_stream("running")
    world.begin_run()
    world.record(10)
    assert world.gaps() == [(30, 34, "worker_stopped", True)]


def test_a_new_run_without_a_pause_is_no_gap(world):
    world.attach()
    world.record(30)
    world.clock.advance(0.1)
    world.begin_run()
    world.record(10)
    assert world.gaps() == []


def test_a_stream_that_a_person_stopped_is_an_unwanted_gap(world):
    world.attach()
    world.record(30)
    world.set_stream("stopped", "requested", desired="stopped")
    world.wait(60)
    assert world.gaps() == [(30, None, "stream_stopped", False)]
    assert world.recording.observed == "waiting"
    assert [row.state for row in world.segments()] == [SegmentState.CLOSED]
    world.set_stream("running")
    world.begin_run()
    world.record(5)
    assert world.gaps() == [(30, 90, "stream_stopped", False)]


def test_a_short_stop_by_a_person_is_an_unwanted_gap_too(world):
    world.attach()
    world.record(30)
    world.clock.advance(1)
    world.set_stream("stopped", "requested", desired="stopped")
    world.clock.advance(1)
    world.set_stream("running")
    world.begin_run()
    world.record(5)
    assert world.gaps() == [(30, 32, "stream_stopped", False)]


def test_a_camera_that_never_connected_is_a_gap_from_the_moment_it_was_wanted(world):
    world.set_stream("reconnecting", "unauthorized")
    world.attach()
    world.wait(20)
    assert world.gaps() == [(0, None, "unauthorized", True)]
    assert (world.recording.observed, world.recording.reason_code) == ("waiting", "unauthorized")
    world.set_stream("running")
    world.begin_run()
    world.record(5)
    assert world.gaps() == [(0, 20, "unauthorized", True)]


def test_an_open_gap_stays_open_under_the_next_recorder(world):
    world.attach()
    world.record(30)
    world.set_stream("reconnecting", "timed_out")
    world.wait(20)
    world.kill()
    world.clock.advance(30)
    world.attach()
    world.wait(20)
    world.begin_run()
    world.record(5)
    assert world.gaps() == [(30, 100, "timed_out", True)]


def test_a_clock_set_forward_is_a_gap_with_that_reason(world):
    world.attach()
    world.record(30)
    world.clock.jump(3600)
    world.begin_run()
    world.record(30)
    world.detach()
    assert world.gaps() == [(30, 3630, "clock_jumped", True)]
    world.check()


def test_the_clock_set_back_is_marked_and_both_times_are_kept(world):
    world.attach()
    world.record(90)
    world.clock.jump(-3600)
    world.begin_run()
    world.record(90)
    world.detach()
    [mark] = world.marks()
    assert (mark.label, mark.at_ms / 1000 - NOON, mark.source) == ("clock_jumped", 90 - 3600, "hls_recorder")
    assert len(world.recorded()) == 360
    assert world.gaps() == []
    world.check()


def test_the_clock_set_back_again_and_again_never_stops_the_recorder(world):
    world.attach()
    for _ in range(5):
        world.record(20)
        world.clock.jump(-20)
        world.begin_run()
    world.record(20)
    world.detach()
    assert len(world.recorded()) == 240
    assert len(world.marks()) == 5
    world.check()


def test_a_timestamp_that_jumps_within_a_run_begins_a_new_file(world):
    world.attach()
    world.record(10)
    world.media_start += 100
    world.clock.advance(100)
    world.record(10)
    world.detach()
    assert [row.duration_ms for row in world.segments()] == [10_000, 10_000]
    assert world.gaps() == [(10, 110, "clock_jumped", True)]


def test_parts_lost_to_a_slow_recorder_have_the_reason_too_slow(world):
    world.attach()
    world.record(10)
    for _ in range(26):
        world.send()
    late = next(part for part in world.bus if part.position > world.position)
    world.recorder.take(late, b"")
    world.position = late.position
    world.bus = world.bus[-8:]
    world.feed()
    world.detach()
    assert [gap[2] for gap in world.gaps()] == ["too_slow"]


def test_a_stream_that_restarts_its_run_numbers_is_recorded(world):
    """The database was put back to an older state, files and rows were found again: the old runs are the higher
    ones."""
    world.run = 900
    world.begin_run()
    world.attach()
    world.record(20)
    world.run = 4
    world.bus.clear()
    world.begin_run()
    for _ in range(40):
        world.send()
        try:
            world.feed()
        except Exception:
            world.detach("unknown")
            world.attach()
    assert {row.run for row in world.segments()} == {901, 5}
    world.check()
