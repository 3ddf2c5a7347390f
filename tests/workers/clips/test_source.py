"""A clip saves only the parts that it needs from the media bus; recorded and saved parts are joined without
duplicates."""

import pytest

from gateway.footage.cuts import cut_footage
from gateway.footage.recordings import find_recording
from gateway.redis_client import connect_redis
from gateway.storage.footage_reader import FootageReader
from gateway.storage.local import open_storage
from gateway.streams.bus import MediaBus
from tests.playback import NOON_MS, make_clip, start_of_one_file
from tests.workers.clips.conftest import now_ms
from workers.clips.source import BusSpool, join_footage

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def spool(world, tmp_path):
    """`spool(start_ms, end_ms)` over the bus of the device."""
    opened = []

    def open_spool(start_ms: int, end_ms: int) -> BusSpool:
        bus = MediaBus(connect_redis(world.config.bus_redis_url))
        opened.append(
            BusSpool(bus, world.device_id, start_ms, end_ms, folder=tmp_path, storage=open_storage(world.config))
        )
        return opened[-1]

    yield open_spool
    for one in opened:
        one.__exit__()


def take_all(spool: BusSpool) -> list[tuple[int, int, int]]:
    """Run, first sequence number and number of parts of each piece, after the last part on the bus."""
    while spool.take(0) and not spool.is_complete:
        pass
    return [(piece.run, piece.sequence, len(piece.parts)) for piece in spool.pieces()]


def test_before_the_range_only_its_group_of_pictures_is_saved(world, spool):
    start = now_ms() - 20_000
    world.publish(world.writer(), make_clip(seconds=12), start)
    held = spool(start + 6300, start + 8000)
    assert take_all(held) == [(1, 13, 4)]
    assert held.is_complete


def test_another_run_is_another_piece_and_a_run_without_init_segment_is_skipped(world, spool):
    start, writer = now_ms() - 20_000, world.writer()
    world.publish(writer, make_clip(seconds=2), start)
    world.publish(writer, make_clip(seconds=2), start + 3000, run=2)
    world.publish(writer, make_clip(seconds=2), start + 6000, run=3)
    connect_redis(world.config.bus_redis_url).delete(f"vas:bus:{world.device_id}:init:2")
    held = spool(start, start + 60_000)
    assert take_all(held) == [(1, 1, 4), (3, 1, 4)]
    assert not held.is_complete
    assert held.take(0) is False


def test_parts_that_are_recorded_and_saved_are_taken_once_from_memory(world, spool):
    clip = make_clip(seconds=6)
    start = start_of_one_file(now_ms() - 20_000, clip)
    (file,) = world.footage.record(clip, start, run=1, without=range(9, 12))
    assert len(file.parts) == 9
    world.publish(world.writer(), clip, start)
    held = spool(start + 3000, start + 6000)
    take_all(held)
    recorded = cut_footage(find_recording(world.scope, world.device_id), start, start + 6000)
    (footage_range,) = join_footage(recorded, held.pieces(), start, start + 6000)
    assert [(piece.key.startswith("bus/"), piece.sequence, len(piece.parts)) for piece in footage_range.pieces] == [
        (False, 1, 6),
        (True, 7, 6),
    ]
    reader = FootageReader(held, lambda: None)
    assert [len(part.data) for part in reader.read(footage_range)] == [len(part.data) for part in clip.parts]
    assert reader.damaged == []


@pytest.mark.parametrize(
    ("begin", "end", "first", "count"),
    [
        (0, 1, 1, 1),  # as little as there is
        (1000, 2000, 3, 2),  # from a key frame to the next
        (1400, 1600, 3, 2),  # inside a group of pictures
        (999, 2100, 3, 3),  # times are rounded
        (-9000, 400, 1, 1),
        (5990, 90_000, 11, 2),
    ],
)
def test_a_range_begins_at_its_key_frame_and_ends_with_the_part_that_reaches_its_end(world, begin, end, first, count):
    world.footage.record(make_clip(seconds=6), NOON_MS)
    recorded = cut_footage(find_recording(world.scope, world.device_id), NOON_MS, NOON_MS + 6000)
    (footage_range,) = join_footage(recorded, [], NOON_MS + begin, NOON_MS + end)
    assert (footage_range.pieces[0].sequence, footage_range.parts) == (first, count)


def test_parts_outside_the_range_are_not_used(world):
    world.footage.record(make_clip(seconds=2), NOON_MS)
    recorded = cut_footage(find_recording(world.scope, world.device_id), NOON_MS, NOON_MS + 2000)
    for begin, end in ((-5000, 0), (2000, 5000)):
        assert join_footage(recorded, [], NOON_MS + begin, NOON_MS + end) == []
