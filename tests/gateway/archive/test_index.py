"""The index for archives: devices, pending segments in order, verified copies, the backlog."""

import pytest

from gateway import database
from gateway.archive.interface import assign_devices, mark_archived, pending_segments, read_backlog
from gateway.errors import InvalidValue
from gateway.footage.copies import ArchiveDeletion, find_copies
from gateway.footage.segments import SegmentState
from gateway.storage.local import ensure_storage
from tests.archives import FolderArchive, archive_footage
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, make_footage, segment_bytes

pytestmark = pytest.mark.usefixtures("bound_database")


@pytest.fixture
def footage(scope, tmp_path) -> Footage:
    return make_footage(scope, ensure_storage(make_config(recordings_dir=tmp_path / "recordings")))


@pytest.fixture
def archive(tmp_path) -> FolderArchive:
    return FolderArchive(tmp_path / "archive")


def deletions() -> list[str]:
    with database.session():
        return [row.object_key for row in ArchiveDeletion.select()]


def test_pending_are_closed_segments_without_a_copy_oldest_first_over_all_devices(scope, footage):
    other = make_footage(scope, footage.storage)
    third = footage.add(NOON_MS + 2 * MINUTE_MS, sequence=9)
    second = other.add(NOON_MS + MINUTE_MS)
    first = footage.add(NOON_MS, sequence=1)
    footage.add(NOON_MS + 3 * MINUTE_MS, sequence=13, state=SegmentState.OPEN)
    footage.add(NOON_MS - MINUTE_MS, sequence=14, is_archived=True)
    both = [footage.device_id, other.device_id]
    found = pending_segments(both, 10)
    assert [segment.id for segment in found] == [first, second, third]
    assert found[1].key == other.key(NOON_MS + MINUTE_MS)
    assert (found[1].tenant_id, found[1].size) == (other.tenant_id, len(segment_bytes()))
    assert [one.id for one in pending_segments(both, 1)] == [first]
    assert [one.id for one in pending_segments(both, 10, after=found[0].cursor)] == [second, third]
    assert [one.id for one in pending_segments([other.device_id], 10)] == [second]
    assert pending_segments([], 10) == []


def test_a_verified_copy_is_found_by_the_key_of_the_file(footage, archive):
    footage.add(NOON_MS)
    footage.add(NOON_MS + MINUTE_MS, sequence=5)
    assert read_backlog([footage.device_id]).oldest_ms == NOON_MS
    assert len(archive_footage(footage, archive, limit=1)) == 1
    (copy,) = find_copies(footage.key(NOON_MS))
    assert (copy.archive, copy.object_key, copy.size) == ("folder", footage.key(NOON_MS), len(segment_bytes()))
    assert copy.checksum.startswith("sha256:")
    assert find_copies(footage.key(NOON_MS + MINUTE_MS, sequence=5)) == []
    assert find_copies("no/key") == []
    backlog = read_backlog([footage.device_id])
    assert (backlog.bytes, backlog.oldest_ms) == (len(segment_bytes()), NOON_MS + MINUTE_MS)
    archive_footage(footage, archive)
    assert read_backlog([footage.device_id]).bytes == 0
    footage.check_roll_up()


def test_the_copy_of_a_segment_that_changed_or_is_deleted_is_refused_and_its_object_goes(footage, archive):
    segment_id = footage.add(NOON_MS)
    values = {"size": len(segment_bytes()), "checksum": "sha256:00", "at_ms": NOON_MS}
    assert not mark_archived(segment_id, "folder", object_key="a", **(values | {"size": 3}))
    assert not mark_archived(segment_id + 1, "folder", object_key="b", **values)
    assert deletions() == ["a", "b"]
    for _ in range(2):
        assert mark_archived(segment_id, "folder", object_key="c", **values)
    assert deletions() == ["a", "b"]
    footage.check_roll_up()


def test_a_device_belongs_to_one_archive_until_that_gives_it_up(scope, footage):
    other = make_footage(scope, footage.storage)
    assert assign_devices("first", {footage.device_id}) == {footage.device_id}
    assert assign_devices("second", {footage.device_id, other.device_id}) == {other.device_id}
    assert footage.recording().archived_by == "first"
    assert assign_devices("first", set()) == set()
    assert assign_devices("second", {footage.device_id, "00000000-0000-4000-8000-00000000dead"}) == {footage.device_id}
    assert (footage.recording().archived_by, other.recording().archived_by) == ("second", None)


def test_an_archive_has_a_short_name():
    with pytest.raises(InvalidValue, match="1 to 64 characters"):
        assign_devices("", set())
