"""A range of footage is cut into whole groups of pictures, and its holes are found."""

from dataclasses import replace

import pytest

from gateway.footage.cuts import cut_footage, estimate_footage, uncovered_between
from gateway.footage.recordings import find_recording
from tests.factories import make_device
from tests.playback import NOON_MS, FootageFactory, make_clip

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def config(config, tmp_path):
    return replace(config, recordings_dir=tmp_path / "recordings")


@pytest.fixture
def footage(bound_database, config, scope, box):
    return FootageFactory(config, scope, make_device(scope, box).id)


@pytest.fixture
def cut(footage, scope):
    """`cut(start, end)` in milliseconds after noon gives (start, end, parts) of each stretch, after noon too."""

    def cut(start: int, end: int):
        found = cut_footage(find_recording(scope, footage.device_id), NOON_MS + start, NOON_MS + end)
        return [(one.start_ms - NOON_MS, one.end_ms - NOON_MS, one.parts) for one in found]

    return cut


def test_a_range_reaches_from_the_key_frame_before_it_to_the_one_after(footage, cut):
    footage.record(make_clip(seconds=6), NOON_MS)
    assert cut(1400, 3500) == [(1000, 4000, 6)]
    assert cut(1000, 2000) == [(1000, 2000, 2)]
    assert cut(1999, 2001) == [(1000, 3000, 4)]
    assert cut(-5000, 100_000) == [(0, 6000, 12)]


def test_a_group_of_pictures_that_began_in_the_file_before_is_whole(footage, cut):
    footage.record(make_clip(seconds=12, key_seconds=4), NOON_MS - 2000)
    # The file of the next minute begins at the key frame at 2000.
    assert cut(2500, 2600) == [(2000, 6000, 8)]
    assert cut(500, 2600) == [(-2000, 6000, 16)]


def test_a_new_run_and_a_lost_part_begin_a_contiguous_range(footage, cut):
    footage.record(make_clip(seconds=4), NOON_MS)
    footage.record(make_clip(seconds=4), NOON_MS + 4000)
    assert cut(0, 8000) == [(0, 4000, 8), (4000, 8000, 8)]


def test_parts_after_a_lost_one_wait_for_the_next_key_frame(footage, cut):
    footage.record(make_clip(seconds=4), NOON_MS, without=range(2, 3))
    assert cut(0, 4000) == [(0, 1000, 2), (2000, 4000, 4)]


@pytest.mark.parametrize("place", [(-3000, 0), (4000, 5000), (60_000, 70_000)])
def test_a_range_without_footage_is_empty(footage, cut, place):
    footage.record(make_clip(seconds=4), NOON_MS)
    assert cut(*place) == []


def test_uncovered_times_are_found(footage, scope):
    footage.record(make_clip(seconds=4), NOON_MS)
    footage.record(make_clip(seconds=4), NOON_MS + 10_000)
    stretches = cut_footage(find_recording(scope, footage.device_id), NOON_MS - 1000, NOON_MS + 20_000)
    holes = uncovered_between(stretches, NOON_MS - 1000, NOON_MS + 20_000)
    assert [(start - NOON_MS, end - NOON_MS) for start, end in holes] == [(-1000, 0), (4000, 10_000), (14_000, 20_000)]


def test_pieces_have_the_byte_position_of_their_parts(footage, scope):
    (file,) = footage.record(make_clip(seconds=4), NOON_MS)
    (stretch,) = cut_footage(find_recording(scope, footage.device_id), NOON_MS + 1200, NOON_MS + 1900)
    (piece,) = stretch.pieces
    data = file.path.read_bytes()
    assert piece.offset == file.values.init_size + sum(part.size for part in file.parts[:2])
    assert data[piece.offset + 4 : piece.offset + 8] == b"moof"
    assert data[piece.offset + piece.size + 4 : piece.offset + piece.size + 8] == b"moof"
    assert (piece.sequence, piece.frames) == (3, 25)


def test_a_short_range_is_estimated_by_its_parts_and_a_long_one_by_its_files(footage, scope):
    (file,) = footage.record(make_clip(seconds=4), NOON_MS)
    recording = find_recording(scope, footage.device_id)
    short = estimate_footage(recording, NOON_MS + 1200, NOON_MS + 1900)
    assert (short.size, short.start_ms, short.end_ms) == (
        sum(part.size for part in file.parts[2:4]),
        NOON_MS + 1000,
        NOON_MS + 2000,
    )
    long = estimate_footage(recording, NOON_MS + 1200, NOON_MS + 5 * 3_600_000)
    assert (long.size, long.start_ms, long.end_ms) == (file.values.size, NOON_MS, NOON_MS + 4000)
    for length_ms in (1000, 5 * 3_600_000):
        assert estimate_footage(recording, NOON_MS + 4000, NOON_MS + 4000 + length_ms) is None
