"""Archives are compared with the index: lost objects, objects without rows, an empty database; objects are deleted."""

import pytest

from gateway import database
from gateway.archive.index import archive_id_of
from gateway.archive.reconciliation import ArchiveCheck, ArchiveScan, TooManyObjectsMissing
from gateway.archive.removal import ObjectRemoval, count_waiting_objects
from gateway.clock import DAY_MS, FakeClock
from gateway.footage.copies import ArchiveDeletion, SegmentCopy, bury_object, find_copies, has_archive_care
from gateway.footage.recordings import Recording
from gateway.footage.segments import Segment, SegmentParts, SegmentState, StoredSegment
from gateway.inventory import DeviceValues, create_device
from gateway.storage.deletion import drop_segments, mark_for_deletion
from gateway.storage.folders import Folder
from gateway.storage.local import ensure_storage
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT
from tests.archives import FolderArchive, archive_footage, remove_local_files
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, make_footage, segment_bytes, segment_scan

pytestmark = pytest.mark.usefixtures("bound_database")


@pytest.fixture
def archive(tmp_path) -> FolderArchive:
    return FolderArchive(tmp_path / "archive")


@pytest.fixture
def footage(scope, tmp_path, archive) -> Footage:
    """Four archived segments, of which two have local files."""
    footage = make_footage(scope, ensure_storage(make_config(recordings_dir=tmp_path / "recordings")))
    for number in range(4):
        footage.add(NOON_MS + number * MINUTE_MS, sequence=1 + 10 * number)
    ids = archive_footage(footage, archive)
    remove_local_files(footage.recording_id, footage.storage, ids[:2])
    return footage


def key(footage: Footage, number: int) -> str:
    return footage.key(NOON_MS + number * MINUTE_MS, 1, 1 + 10 * number)


def states(footage: Footage) -> list[tuple[int, int, int]]:
    return [(segment.state, segment.is_archived, segment.is_local) for segment in footage.segments()]


CLOSED, MISSING = SegmentState.CLOSED, SegmentState.MISSING


def check(footage: Footage, archive: FolderArchive, **options) -> ArchiveCheck:
    work = ArchiveCheck(archive, **options)
    work.check(Folder(footage.recording_id, footage.tenant_id, footage.device_id, NOON_MS // DAY_MS))
    footage.check_roll_up()
    return work


def scan(footage: Footage, archive: FolderArchive, **options) -> ArchiveScan:
    values = {"keeps_ms": lambda recording: None, "now_ms": NOON_MS + DAY_MS}
    work = ArchiveScan(archive, footage.storage.id, **(values | options))
    work.run()
    return work


# ---- lost objects ----------------------------------------------------------------------------------------------


def test_an_archive_with_all_objects_is_left_alone(footage, archive):
    work = check(footage, archive)
    assert (work.checked, work.lost, dict(work.done)) == (4, 0, {})


def test_a_copy_without_its_object_is_made_again_or_is_missing(footage, archive):
    archive.delete(key(footage, 0))
    archive.put(key(footage, 3), b"torn")
    assert dict(check(footage, archive).done) == {"the only copy is gone": 1, "copy gone, waiting for a new one": 1}
    assert states(footage) == [(MISSING, 0, 1), (CLOSED, 1, 0), (CLOSED, 1, 1), (CLOSED, 0, 1)]
    length = segment_scan().duration_ms
    assert footage.gaps() == [(NOON_MS, NOON_MS + length, "archive_copy_gone")]
    assert len(archive_footage(footage, archive)) == 1
    assert check(footage, archive).lost == 0


def test_another_bucket_or_an_empty_one_changes_nothing_until_a_person_accepts_it(footage, archive):
    before = states(footage)
    for number in range(3):
        archive.delete(key(footage, number))
    with pytest.raises(TooManyObjectsMissing, match="vas archive check --accept"):
        check(footage, archive)
    assert states(footage) == before
    assert sum(check(footage, archive, may_lose=True).done.values()) == 3


# ---- finding footage again --------------------------------------------------------------------------------------


def forget_rows(footage: Footage, numbers: list[int]) -> list[StoredSegment]:
    """Delete rows as if the database was restored from an older state; returns the segments."""
    found = [footage.segments()[number] for number in numbers]
    ids = [segment.id for segment in found]
    with database.transaction():
        for model in (SegmentCopy, SegmentParts):
            model.delete().where(model.segment_id.in_(ids)).execute()
        EVERY_RECORDING.delete(Segment).where(Segment.id.in_(ids)).execute()
        database.proxy.execute_sql("DELETE FROM recording_quarters")
    return found


def test_an_older_database_finds_its_footage_again_with_the_index_of_its_parts(footage, archive):
    lost = forget_rows(footage, [0, 1, 2, 3])
    work = scan(footage, archive)
    assert (work.scanned, dict(work.done)) == (4, {"adopted": 4})
    found = footage.segments()
    same = ("start_ms", "duration_ms", "run", "sequence", "parts", "frames", "size", "init_size", "state")
    assert [[getattr(s, name) for name in same] for s in found] == [[getattr(s, name) for name in same] for s in lost]
    assert {(segment.is_archived, segment.is_local) for segment in found} == {(1, 0)}
    (copy,) = find_copies(key(footage, 0))
    assert copy.size == len(segment_bytes())
    assert len(copy.blocks) == 4
    footage.check_roll_up()
    assert dict(scan(footage, archive).done) == {}


def test_an_empty_database_needs_the_devices_first(footage, archive, scope, box):
    with database.transaction():
        for model in (SegmentCopy, SegmentParts):
            model.delete().execute()
        EVERY_RECORDING.delete(Segment).execute()
        database.proxy.execute_sql("DELETE FROM recording_quarters")
        EVERY_TENANT.delete(Recording).execute()
        database.proxy.execute_sql("DELETE FROM devices")
    assert scan(footage, archive).unknown == {(footage.tenant_id, footage.device_id): 4}

    def make_device(tenant_id: str, device_id: str) -> bool:
        values = DeviceValues(name="Restored", source_url="rtsp://camera.invalid/", enabled=False)
        create_device(scope, values, box, device_id=device_id)
        return True

    assert dict(scan(footage, archive, make_device=make_device).done) == {"adopted": 4}


def test_missing_footage_is_found_again(footage, archive):
    content = segment_bytes()
    archive.delete(key(footage, 0))
    check(footage, archive)
    archive.put(key(footage, 0), content)
    assert dict(scan(footage, archive).done) == {"missing footage found again": 1}
    assert states(footage)[0] == (CLOSED, 1, 0)
    assert footage.gaps() == []
    footage.check_roll_up()


def test_damaged_foreign_and_old_objects_are_not_adopted(footage, archive):
    forget_rows(footage, [0, 1])
    archive.put(key(footage, 1), segment_bytes()[:-5])
    archive.put("notes/readme.txt", b"hello")
    archive.put(f"{footage.tenant_id}/{footage.device_id}/2025-06-16/12/00-00-000_snapshot_a.jpg", b"jpeg")
    work = scan(footage, archive, keeps_ms=lambda recording: DAY_MS - 30_000)
    assert dict(work.done) == {"too old, to be deleted": 1, "damaged, left alone": 1}
    assert count_waiting_objects() == {"folder": 1}


def test_objects_that_are_to_be_deleted_stay_deleted(footage, archive):
    mark_for_deletion(footage.recording_id, [segment.id for segment in footage.segments()])
    drop_segments([segment.id for segment in footage.segments()])
    assert dict(scan(footage, archive).done) == {}
    assert footage.segments() == []


# ---- deleting objects --------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON_MS / 1000 + 1_000_000_000)


def delete_footage(footage: Footage) -> None:
    ids = [segment.id for segment in footage.segments()]
    mark_for_deletion(footage.recording_id, ids)
    drop_segments(ids)


def test_the_objects_of_deleted_footage_are_deleted(footage, archive, clock):
    delete_footage(footage)
    assert count_waiting_objects() == {"folder": 4}
    assert ObjectRemoval([archive], clock).turn() == 4
    assert (archive.objects(), count_waiting_objects()) == ([], {})
    assert ObjectRemoval([archive], clock).turn() == 0


def test_an_archive_that_is_away_is_asked_again_after_growing_pauses(footage, archive, clock):
    delete_footage(footage)
    archive.away = True
    removal = ObjectRemoval([archive], clock)
    assert removal.turn() == 0
    archive.away = False
    assert removal.turn() == 0, "it is left alone for a moment"
    with database.session():
        assert "does not answer" in ArchiveDeletion.select().first().error
    clock.advance(3)
    assert removal.turn() == 4


def test_what_a_killed_process_has_begun_is_finished(footage, archive, clock):
    delete_footage(footage)

    class Killed(BaseException):
        pass

    def die() -> None:
        if len(archive.objects()) == 2:
            raise Killed

    with pytest.raises(Killed):
        ObjectRemoval([archive], clock, keep_going=die).turn()
    clock.advance(400)
    assert ObjectRemoval([archive], clock).turn() in (2, 4)
    assert (archive.objects(), count_waiting_objects()) == ([], {})


def test_an_object_that_is_in_use_again_is_not_deleted(footage, archive, clock):
    archive.delete(key(footage, 3))
    check(footage, archive)
    with database.transaction():
        bury_object(archive_id_of("folder"), key(footage, 3), NOON_MS)
    archive_footage(footage, archive)
    assert ObjectRemoval([archive], clock).turn() == 0
    assert len(archive.objects()) == 4


def test_archives_need_care_while_they_have_copies_or_objects_to_delete(scope, tmp_path, archive):
    assert not has_archive_care()
    footage = make_footage(scope, ensure_storage(make_config(recordings_dir=tmp_path / "recordings")))
    footage.add(NOON_MS)
    assert not has_archive_care()
    archive_footage(footage, archive)
    assert has_archive_care()
    with database.transaction():
        SegmentCopy.delete().execute()
    assert not has_archive_care()
    with database.transaction():
        ArchiveDeletion.insert(archive_id=archive_id_of(archive.name), object_key="a", since_ms=0).execute()
    assert has_archive_care()
