"""Parts of the bus are written into one-minute files, each once, and indexed."""

import math

import pytest

from gateway.footage.segments import SegmentState
from gateway.media import Position
from tests.plugins.hls_recorder.media import make_init
from tests.plugins.hls_recorder.world import NOON

one_kind = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_parts_become_files_that_begin_with_the_minute(world):
    world.clock.advance(20)
    world.begin_run()
    world.attach()
    world.record(130)
    world.detach()
    starts = [row.start_ms / 1000 - NOON for row in world.segments()]
    assert starts == [20, 60, 120]
    assert [row.parts for row in world.segments()] == [80, 120, 60]
    assert {row.state for row in world.segments()} == {SegmentState.CLOSED}
    world.check()
    assert world.gaps() == []


@one_kind
def test_files_are_in_folders_of_the_utc_hour(world):
    world.attach()
    world.record(10)
    [file] = world.files()
    place = file.relative_to(world.config.recordings_dir).as_posix()
    assert place == f"{world.device.tenant_id}/{world.device.id}/2025-06-15/12/00-00-000_1-1.mp4"


@one_kind
def test_a_file_waits_for_a_key_part_after_the_minute(world):
    world.key_every = 18
    world.attach()
    world.record(130)
    assert [row.start_ms / 1000 - NOON for row in world.segments()] == [0, 63, 126]
    world.check()


@one_kind
def test_without_key_parts_a_file_ends_after_two_minutes(world):
    world.key_every = 10**9
    world.attach()
    world.record(250)
    assert [row.start_ms / 1000 - NOON for row in world.segments()] == [0, 120, 240]


@one_kind
def test_a_new_run_begins_a_new_file_with_its_own_init_segment(world):
    world.attach()
    world.record(10)
    world.begin_run()
    world.record(10)
    world.detach()
    first, second = world.segments()
    assert (first.run, second.run, second.sequence) == (1, 2, 1)
    assert world.path(second).read_bytes().startswith(make_init(b"2"))
    assert world.gaps() == []
    world.check()


@one_kind
def test_a_lost_part_begins_a_new_file_and_is_a_gap(world):
    world.attach()
    world.record(10)
    world.send()
    world.bus.clear()
    world.record(10)
    first, second = world.segments()
    assert second.sequence == first.last_sequence + 2
    assert world.gaps() == [(10, 10.5, "bus_lost", True)]


@one_kind
def test_a_part_that_is_given_twice_is_recorded_once(world):
    world.attach()
    world.record(5)
    for part in world.bus:
        world.recorder.take(part, make_init(b"1"))
    world.record(5)
    world.detach()
    assert [row.parts for row in world.segments()] == [20]
    world.check()


@one_kind
def test_the_index_shows_a_new_file_at_once_and_its_growth_every_three_seconds(world):
    world.attach()
    seen = []
    for _ in range(20):
        world.record(0.5)
        seen.append(world.segments()[0].parts)
    assert seen[0] == 1
    assert seen[-1] >= 14
    assert len(set(seen)) <= 4


@one_kind
def test_what_the_index_shows_is_durable(world, monkeypatch):
    durable = {}
    from gateway.storage.local_writer import LocalSegmentWriter

    sync = LocalSegmentWriter.sync

    def remember(self):
        sync(self)
        durable[self._path] = self.durable_size

    monkeypatch.setattr(LocalSegmentWriter, "sync", remember)
    world.attach()
    for _ in range(150):
        world.record(0.5)
        for row in world.segments():
            assert row.size <= durable[world.path(row)]


@one_kind
def test_every_part_is_durable_within_a_second_even_when_it_is_the_last(world, monkeypatch):
    from gateway.storage.local_writer import LocalSegmentWriter

    pending: list[float] = []
    longest = []
    append, sync = LocalSegmentWriter.append, LocalSegmentWriter.sync

    def note_append(self, data):
        append(self, data)
        pending.append(world.clock.wall())

    def note_sync(self):
        sync(self)
        longest.append(world.clock.wall() - pending[0] if pending else 0)
        pending.clear()

    monkeypatch.setattr(LocalSegmentWriter, "append", note_append)
    monkeypatch.setattr(LocalSegmentWriter, "sync", note_sync)
    world.attach()
    world.record(20.5)
    world.wait(2)
    assert not pending
    assert max(longest) <= 1


@one_kind
def test_a_closed_segment_is_reported_once(world):
    world.attach()
    world.record(130)
    world.detach()
    told = [facts["segment"] for hook, facts in world.told if hook == "on_segment"]
    assert [(fact.id, fact.start_ms, fact.size) for fact in told] == [
        (row.id, row.start_ms, row.size) for row in world.segments()
    ]
    assert (world.config.recordings_dir / told[0].key).is_file()


@one_kind
def test_the_observed_state_is_recording(world):
    world.attach()
    world.record(1)
    assert (world.recording.observed, world.recording.worker) == ("recording", "worker-1")


@one_kind
@pytest.mark.parametrize("start", [math.nan, math.inf, -5.0, 1e18])
def test_an_implausible_time_stamp_is_replaced(world, start):
    world.attach()
    world.record(5)
    world.send(start=start)
    world.feed()
    world.record(5)
    world.detach()
    [row] = world.segments()
    assert (row.duration_ms, row.parts) == (10_500, 21)
    assert world.gaps() == []


@one_kind
@pytest.mark.parametrize("duration", [math.nan, -3.0, 536_400.0])
def test_an_implausible_duration_is_limited(world, duration):
    world.attach()
    world.record(5)
    part = world.send()
    world.bus[-1] = type(part)(
        *[duration if name == "duration" else getattr(part, name) for name in part.__dataclass_fields__]
    )
    world.feed()
    world.record(70)
    world.detach()
    assert all(row.duration_ms < 120_000 for row in world.segments())
    assert sum(row.parts for row in world.segments()) == 151


@one_kind
def test_a_first_recording_begins_with_a_key_frame(world):
    for _ in range(6):
        world.send()
    world.bus = world.bus[2:]
    world.attach()
    world.record(5)
    assert world.segments()[0].sequence == 5


@one_kind
def test_a_camera_without_key_frames_is_recorded(world):
    world.key_every = 10**9
    world.send()
    world.bus.clear()
    world.attach()
    world.record(60)
    assert world.segments()[0].sequence == 62
    world.check()


@one_kind
def test_recording_resumes_where_the_last_recorder_ended(world):
    world.attach()
    world.record(30)
    world.detach()
    for _ in range(20):
        world.send()
    world.attach()
    assert world.recorder.position == Position(1, 60)
    world.record(30)
    world.detach()
    assert len(world.recorded()) == 140
    assert world.gaps() == []
    world.check()


@one_kind
def test_two_days_of_a_difficult_camera_are_all_accounted_for(world, monkeypatch):
    """48 hours: camera outages, new runs, lost parts and restarted recorders; each second is footage or a gap."""
    monkeypatch.setattr("gateway.storage.local.os.fdatasync", lambda descriptor: None)
    monkeypatch.setattr("gateway.storage.local.os.fsync", lambda descriptor: None)
    world.part_seconds = 10.0
    world.key_every = 2
    world.index_every = 60
    world.attach()
    for hour in range(48):
        for minute in range(0, 60, 20):
            world.record(1100 if (hour + minute) % 3 else 1170)
            match (hour + minute // 20) % 4:
                case 0:
                    world.wait(40)
                    world.begin_run()
                case 1:
                    world.detach()
                    world.attach()
                case 2:
                    world.begin_run()
                case 3:
                    world.send()
                    world.bus.clear()
    world.detach()
    world.check()
    end_ms = max(row.end_ms for row in world.segments())
    recorded_ms = sum(row.duration_ms for row in world.segments())
    missing_ms = sum(round((end - start) * 1000) for start, end, _, _ in world.gaps())
    assert abs(end_ms - NOON * 1000 - recorded_ms - missing_ms) < 1000
    assert all(end is not None for _, end, _, _ in world.gaps())
