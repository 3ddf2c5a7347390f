"""A killed recorder loses no whole part: the next one closes its files and resumes with the next part."""

import pytest

from gateway.footage.segments import Segment, SegmentParts, SegmentState
from gateway.media import Position, parse_segment_key
from gateway.tenancy.scopes import EVERY_RECORDING
from tests.plugins.hls_recorder.media import make_init

one_kind = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def cut(path, size: int) -> None:
    with open(path, "r+b") as file:
        file.truncate(size)


def test_a_killed_recorder_loses_nothing_that_the_bus_still_has(world):
    world.attach()
    world.record(31.5)
    world.kill()
    for _ in range(8):
        world.send()
    world.attach()
    world.record(40)
    world.detach()
    assert len(world.recorded()) == 63 + 8 + 80
    assert world.gaps() == []
    assert {row.state for row in world.segments()} == {SegmentState.CLOSED}
    world.check()


@one_kind
def test_parts_missing_from_the_index_are_found_in_the_file(world):
    world.attach()
    world.record(5.5)
    indexed = world.segments()[0].parts
    world.kill()
    world.attach()
    [row] = world.segments()
    assert indexed < 8
    assert (row.parts, row.duration_ms) == (11, 5500)
    assert world.recorder.position == Position(1, 11)
    world.check()


@one_kind
def test_a_file_cut_at_any_byte_keeps_its_whole_parts_and_the_rest_comes_from_the_bus(world):
    world.attach()
    world.record(5.5)
    world.kill()
    [row] = world.segments()
    whole = world.path(row).read_bytes()
    init = len(make_init(b"1"))
    part = (len(whole) - init) // 11
    assert init + 11 * part == len(whole)
    edges = [init, init + part, init + 8 * part, len(whole)]
    for size in [0, 1, *(edge + step for edge in edges for step in (-1, 0, 1, 40) if edge + step <= len(whole))]:
        with_row = row._asdict()
        packed = bytes(SegmentParts.get_by_id(row.id).packed)
        world.path(row).parent.mkdir(parents=True, exist_ok=True)
        world.path(row).write_bytes(whole[:size])
        world.attach()
        kept = max(0, (size - init) // part)
        assert world.recorder.position == (Position(1, kept) if kept else None), f"cut to {size} bytes"
        world.feed()
        world.detach()
        assert world.recorded() == [(1, number) for number in range(1, 12)]
        assert world.gaps() == []
        world.check()
        # As it was, for the next cut.
        EVERY_RECORDING.delete(Segment).execute()
        world.clear_rollup()
        for file in world.files():
            file.unlink()
        EVERY_RECORDING.select(Segment).count()
        world.insert_segment(with_row, packed)


@one_kind
def test_bytes_that_are_no_video_are_quarantined_not_deleted(world):
    world.attach()
    world.record(3)
    world.kill()
    [row] = world.segments()
    world.path(row).write_bytes(b"\x00\x00\x00\x10moovgarbage!" * 40)
    world.attach()
    assert world.segments() == []
    assert [path.suffix for path in (world.config.recordings_dir / ".quarantine").rglob("*.*")] != []
    world.feed()
    world.detach()
    assert world.recorded() == [(1, number) for number in range(1, 7)]
    world.check()


@one_kind
def test_a_missing_open_file_is_marked_as_missing(world):
    world.attach()
    world.record(30)
    world.kill()
    world.bus.clear()
    world.path(world.segments()[0]).unlink()
    world.attach()
    world.record(5)
    world.detach()
    assert [row.state for row in world.segments()] == [SegmentState.MISSING, SegmentState.CLOSED]
    assert ("file_missing", True) in [gap[2:] for gap in world.gaps()]


@one_kind
def test_a_missing_open_file_leaves_no_gap_when_the_bus_still_has_its_parts(world):
    world.attach()
    world.record(5.5)
    world.kill()
    world.path(world.segments()[0]).unlink()
    world.attach()
    assert [reason for _, _, reason, _ in world.gaps()] == ["file_missing"]
    world.record(5)
    world.detach()
    assert world.recorded() == [(1, number) for number in range(1, 22)]
    assert world.gaps() == []
    world.check()


@one_kind
def test_files_without_a_row_are_adopted_and_not_recorded_again(world):
    """The database was away, and then the worker was killed with all that it wanted to write."""
    world.attach()
    world.record(50)
    world.index_every = 10**9
    world.record(80)
    world.kill()
    world.index_every = 1
    assert len(world.files()) > len(world.segments())
    world.attach()
    world.record(10)
    world.detach()
    assert len(world.recorded()) == 280
    assert world.gaps() == []
    world.check()


@one_kind
def test_adopted_and_recovered_segments_are_reported(world):
    world.attach()
    world.record(5)
    world.kill()
    world.attach()
    assert [facts["segment"].size for hook, facts in world.told if hook == "on_segment"] == [world.segments()[0].size]


@one_kind
def test_files_of_garbage_are_not_adopted(world):
    world.attach()
    world.record(65)
    world.detach()
    last = world.segments()[-1]
    EVERY_RECORDING.update(Segment, state=SegmentState.GARBAGE).where(Segment.id == last.id).execute()
    world.bus.clear()
    world.attach()
    assert len(world.segments()) == 2
    assert world.path(last).is_file()


@one_kind
def test_the_position_is_right_after_the_clock_was_set_back(world):
    world.attach()
    world.record(30)
    world.clock.jump(-7200)
    world.begin_run()
    world.record(30)
    world.kill()
    world.attach()
    assert world.recorder.position == Position(2, 60)
    world.record(5)
    world.detach()
    assert len(world.recorded()) == 60 + 70
    world.check()


@one_kind
def test_a_recorder_away_for_longer_than_the_bus_window_leaves_a_gap(world):
    world.attach()
    world.record(30)
    world.kill()
    for _ in range(80):
        world.send()
    world.attach()
    world.record(5)
    world.detach()
    [(start, end, reason, is_wanted)] = world.gaps()
    assert (start, reason, is_wanted) == (30, "recorder_restarted", True)
    assert end >= 54
    world.check()


OWNER = "00000000-0000-4000-8000-000000000001/00000000-0000-4000-8000-0000000000d1"


@pytest.mark.parametrize(
    ("key", "parsed"),
    [
        (f"{OWNER}/2025-06-15/12/00-07-250_3-17.mp4", (1749988807250, 3, 17)),
        (f"{OWNER}/2025-06-15/12/00-07-250_3-17.tmp", None),
        (f"{OWNER}/2025-13-15/12/00-07-250_3-17.mp4", None),
        (f"{OWNER}/2025-06-15/24/00-07-250_3-17.mp4", None),
        ("cat.mp4", None),
    ],
)
def test_the_name_of_a_file_is_parsed(key, parsed):
    assert parse_segment_key(key) == parsed
