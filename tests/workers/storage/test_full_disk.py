"""A small disk that footage fills: recording continues, the oldest footage is deleted, and rows and files agree."""

import shutil

import pytest

from gateway import database
from gateway.clock import SystemClock
from gateway.config import Config
from gateway.database import DatabaseUnavailable
from gateway.footage.segments import SegmentState
from gateway.redis_client import connect_redis
from gateway.storage import room_requests
from gateway.storage.interface import StorageFull
from gateway.storage.local import ensure_storage
from gateway.storage.retention import Retention
from tests.conftest import wait_until
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, make_footage
from tests.stack.disk import DiskUnavailableError, LoopDisk
from workers.storage.disk_reserve import DiskReserve
from workers.storage.housekeeping import Housekeeper

pytestmark = [
    pytest.mark.usefixtures("bound_database"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

FILE_BYTES = 1 << 20


@pytest.fixture
def disk(tmp_path, request):
    """A disk of 24 megabytes, or as many as the test says."""
    try:
        disk = LoopDisk(tmp_path / "disk", megabytes=getattr(request, "param", 24))
    except DiskUnavailableError as error:
        pytest.skip(str(error))
    yield disk
    disk.close()


@pytest.fixture
def world(disk, scope, redis_url):
    config = make_config(recordings_dir=disk.folder / "footage", keep_days=0, free_bytes_floor=1, retention_seconds=60)
    footage = make_footage(scope, ensure_storage(config))
    client = connect_redis(redis_url)
    keeper = Housekeeper(config, client, worker="one", recorder="recorder-output")
    room_requests.take_room_request()
    yield config, footage, keeper
    keeper.stop()
    client.close()


def write(footage, number: int) -> None:
    """One file, as a recorder writes it: a part that finds no room is tried again."""
    start_ms = NOON_MS + number * MINUTE_MS
    writer = footage.storage.create(footage.key(start_ms, 1, number))

    def append() -> bool:
        try:
            writer.append(bytes(FILE_BYTES))
        except StorageFull:
            room_requests.request_room()
            return False
        return True

    wait_until(append, "there is room for the file", 15)
    writer.sync()
    writer.close()
    footage.add(start_ms, sequence=number, data=None, size=FILE_BYTES)


def stop(keeper: Housekeeper, config: Config, footage: Footage) -> None:
    """Stop, and finish what the stop cut off: between marking and removing files, as the next process would."""
    keeper.stop()
    Retention(config, footage.storage, SystemClock()).run()


def test_a_disk_that_is_full_takes_new_footage_in_place_of_the_oldest(world, disk):
    config, footage, keeper = world
    keeper.start()
    for number in range(60):
        write(footage, number)
    stop(keeper, config, footage)
    starts = footage.starts()
    assert starts == [NOON_MS + number * MINUTE_MS for number in range(60 - len(starts), 60)]
    assert 5 < len(starts) < 24
    footage.check_consistent()


def test_retention_keeps_the_floor_so_that_the_disk_never_fills(world, disk, redis_url):
    config, footage, _ = world
    floor = 6 << 20
    client = connect_redis(redis_url)
    config = make_config(recordings_dir=config.recordings_dir, keep_days=0, free_bytes_floor=floor, retention_seconds=1)
    keeper = Housekeeper(config, client, worker="two", recorder="recorder-output")
    keeper.start()
    for number in range(40):
        wait_until(lambda: disk.free_bytes > 2 * FILE_BYTES, "there is room before anybody asks", 15)
        write(footage, number)
    wait_until(lambda: disk.free_bytes >= floor, "the floor is free again")
    keeper.stop()
    client.close()
    assert not room_requests.take_room_request(), "the disk was never full"
    assert all(segment.state == SegmentState.CLOSED for segment in footage.segments())
    footage.check_consistent()


def test_a_disk_filled_by_others_loses_footage_but_stays_consistent(world, disk):
    config, footage, keeper = world
    for number in range(10):
        write(footage, number)
    disk.fill(leave_bytes=8192)
    keeper.start()
    write(footage, 99)
    stop(keeper, config, footage)
    assert footage.starts()[-1] == NOON_MS + 99 * MINUTE_MS
    assert 1 < len(footage.starts()) < 11
    footage.check_consistent()


@pytest.mark.parametrize("disk", [48], indirect=True)
def test_a_database_on_the_full_disk_can_still_mark_garbage(disk, tmp_path, sqlite_url, scope, redis_url):
    url = f"sqlite:///{disk.folder / 'vas.db'}"
    shutil.copy(tmp_path / "vas.db", disk.folder / "vas.db")
    config = make_config(
        database_url=url, recordings_dir=disk.folder / "footage", keep_days=0, free_bytes_floor=1, retention_seconds=1
    )
    database.connect(config)
    client = connect_redis(redis_url)
    footage = make_footage(scope, ensure_storage(config))
    for number in range(10):
        write(footage, number)
    DiskReserve(footage.storage).allocate(1 << 30)
    assert DiskReserve(footage.storage).is_allocated
    disk.fill()
    with pytest.raises(DatabaseUnavailable):
        fill_log(footage)
    room_requests.request_room()
    keeper = Housekeeper(config, client, worker="one", recorder="recorder-output")
    keeper.start()
    wait_until(lambda: len(footage.starts()) < 10, "footage has made room")
    wait_until(lambda: disk.free_bytes > FILE_BYTES, "there is room")
    stop(keeper, config, footage)
    client.close()
    footage.check_consistent()


def fill_log(footage) -> None:
    """Use up what space the database still has in its own files."""
    for number in range(100_000):
        footage.change(reason_message=str(number) * 1000)
