"""Reading over both tiers: local first, then archives in blocks; away, slow, damaged and gone archives are named."""

import threading

import pytest

from gateway.archive.cache import BlockCache
from gateway.archive.checksums import BLOCK_BYTES, FileChecksums
from gateway.archive.interface import assign_devices, mark_archived
from gateway.archive.reader import ArchiveReader
from gateway.archive.storage import TieredStorage
from gateway.errors import NotFound
from gateway.footage.copies import FoundCopy
from gateway.storage.interface import StorageUnavailable
from gateway.storage.local import MARKER, ensure_storage
from tests.archives import FolderArchive, archive_footage
from tests.factories import make_config
from tests.footage import NOON_MS, Footage, make_footage, segment_bytes

#: Three blocks and a bit.
CONTENT = bytes(range(256)) * (4 * 3 * 1024) + b"end"


@pytest.fixture
def archive(tmp_path) -> FolderArchive:
    return FolderArchive(tmp_path / "archive")


@pytest.fixture
def cache(tmp_path) -> BlockCache:
    return BlockCache(tmp_path / "cache", 100 << 20)


@pytest.fixture
def reader(archive, cache) -> ArchiveReader:
    return ArchiveReader(lambda: [archive], cache, read_seconds=5)


@pytest.fixture
def copy(archive) -> FoundCopy:
    archive.put("a", CONTENT)
    checksums = FileChecksums()
    for at in range(0, len(CONTENT), 300_000):
        checksums.update(CONTENT[at : at + 300_000])
    return FoundCopy("folder", "a", len(CONTENT), checksums.checksum, checksums.blocks)


def read(reader, copy, *place) -> bytes:
    return b"".join(reader.read(copy, *place))


@pytest.mark.parametrize(
    "place",
    [
        (),
        (0, 10),
        (BLOCK_BYTES - 5, 10),
        (BLOCK_BYTES, BLOCK_BYTES),
        (len(CONTENT) - 2,),
        (5, 10**9),
        (len(CONTENT), 4),
    ],
)
def test_any_range_is_read(reader, copy, place):
    offset, length = (place + (0, None)[len(place) :])[:2]
    assert read(reader, copy, *place) == CONTENT[offset : None if length is None else offset + length]


def test_blocks_come_from_the_cache_also_for_another_process_and_while_the_archive_is_away(
    reader, copy, archive, cache
):
    assert read(reader, copy) == CONTENT
    assert sum(length for _, _, length in archive.reads) == len(CONTENT)
    archive.away = True
    assert read(ArchiveReader(lambda: [archive], cache), copy) == CONTENT


def test_readers_of_one_block_share_one_fetch(reader, copy, archive):
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(10)

    archive.before_read = wait
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(read(reader, copy, 0, 100))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert found == [CONTENT[:100]] * 8
    assert len(archive.reads) == 1


def test_a_prefetch_is_done_when_the_ranges_can_be_read_at_once(reader, copy, archive):
    reader.prefetch(copy, [(0, 10), (BLOCK_BYTES * 2, 10)]).result(10)
    archive.away = True
    assert read(reader, copy, 0, 5) == CONTENT[:5]
    assert read(reader, copy, BLOCK_BYTES * 2, 5) == CONTENT[BLOCK_BYTES * 2 :][:5]
    assert reader.prefetch(copy, []).done()
    with pytest.raises(StorageUnavailable):
        reader.prefetch(copy, [(BLOCK_BYTES, 10)]).result(10)


def test_an_archive_that_is_away_is_named_and_then_left_alone_for_a_moment(reader, copy, archive):
    archive.away = True
    with pytest.raises(StorageUnavailable, match="does not answer") as caught:
        reader.read(copy)
    assert caught.value.reason == "archive_unavailable"
    archive.away = False
    with pytest.raises(StorageUnavailable, match="in a moment"):
        reader.read(copy)
    assert not archive.reads
    reader._paused_until.clear()
    assert read(reader, copy, 0, 5) == CONTENT[:5]


def test_a_hanging_archive_holds_no_reader_for_long(copy, archive, cache):
    reader = ArchiveReader(lambda: [archive], cache, read_seconds=0.05)
    hang = threading.Event()
    archive.before_read = lambda: hang.wait(30)
    with pytest.raises(StorageUnavailable, match="has not answered") as caught:
        reader.read(copy)
    assert caught.value.reason == "archive_unavailable"
    with pytest.raises(StorageUnavailable, match="in a moment"):
        reader.read(copy, 3 * BLOCK_BYTES)
    hang.set()


def test_wrong_bytes_are_not_passed_on_and_not_cached(reader, copy, archive):
    archive.change = lambda data: data[:100] + b"!" + data[101:]
    with pytest.raises(NotFound, match="damaged in its block 0") as caught:
        reader.read(copy, 0, 10)
    assert caught.value.reason == "file_damaged"
    archive.change = lambda data: data
    assert read(reader, copy) == CONTENT


def test_a_truncated_or_absent_object_is_damage_or_loss(reader, copy, archive):
    archive.put("a", CONTENT[:-1])
    with pytest.raises(NotFound, match="too short"):
        reader.read(copy, len(CONTENT) - 2)
    archive.delete("a")
    with pytest.raises(NotFound, match="no longer in the archive") as caught:
        reader.read(copy, 0, 1)
    assert caught.value.reason == "file_missing"


def test_a_plugin_that_fails_or_is_not_installed_is_named(copy, archive, cache):
    def fail() -> None:
        raise SystemExit(3)

    archive.before_read = fail
    with pytest.raises(StorageUnavailable, match="'folder' failed"):
        ArchiveReader(lambda: [archive], cache).read(copy)
    with pytest.raises(StorageUnavailable, match="no installed plugin"):
        ArchiveReader(list, cache).read(copy)


# ---- both tiers ----------------------------------------------------------------------------------------------


@pytest.fixture
def footage(bound_database, scope, tmp_path) -> Footage:
    return make_footage(scope, ensure_storage(make_config(recordings_dir=tmp_path / "recordings")))


def test_a_file_is_read_locally_while_it_is_there_and_from_its_copy_then(footage, archive, reader):
    tiered = TieredStorage(footage.storage, reader)
    footage.add(NOON_MS)
    key = footage.key(NOON_MS)
    archive_footage(footage, archive)
    assert b"".join(tiered.read(key, 3, 100)) == segment_bytes()[3:103]
    assert (archive.reads, tiered.find_archived(key)) == ([], None)
    assert tiered.local_path(key).is_file()
    footage.storage.delete(key)
    assert b"".join(tiered.read(key, 3, 100)) == segment_bytes()[3:103]
    assert tiered.size(key) == len(segment_bytes())
    assert tiered.local_path(key) is None
    assert tiered.find_archived(key).object_key == key


def test_without_a_copy_a_missing_file_stays_missing(footage, reader):
    tiered = TieredStorage(footage.storage, reader)
    footage.add(NOON_MS, data=None)
    with pytest.raises(NotFound, match="there is no file"):
        tiered.read(footage.key(NOON_MS))
    assert tiered.size(footage.key(NOON_MS)) is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_archived_footage_can_be_read_while_the_local_disk_is_away(footage, archive, reader):
    tiered = TieredStorage(footage.storage, reader)
    footage.add(NOON_MS)
    archive_footage(footage, archive)
    footage.storage.delete(footage.key(NOON_MS))
    (footage.storage.root / MARKER).rename(footage.storage.root / ".gone")
    assert tiered.size(footage.key(NOON_MS)) == len(segment_bytes())
    assert b"".join(tiered.read(footage.key(NOON_MS))) == segment_bytes()
    with pytest.raises(StorageUnavailable, match="mounted"):
        tiered.size(footage.key(NOON_MS + 1))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_newest_copy_is_read(footage, archive, reader):
    tiered = TieredStorage(footage.storage, reader)
    segment_id = footage.add(NOON_MS)
    archive_footage(footage, archive)
    footage.storage.delete(footage.key(NOON_MS))
    assign_devices("other", set())
    archive.put("elsewhere", segment_bytes())
    mark_archived(
        segment_id,
        "folder",
        object_key="elsewhere",
        size=len(segment_bytes()),
        checksum="sha256:0",
        at_ms=NOON_MS + 9,
    )
    assert b"".join(tiered.read(footage.key(NOON_MS))) == segment_bytes()
    assert archive.reads[-1][0] == "elsewhere"
