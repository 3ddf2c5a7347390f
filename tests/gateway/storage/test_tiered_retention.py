"""Retention of footage that an archive takes: local files go after a verified copy, archived footage by its own age."""

from collections.abc import Callable

import pytest

from gateway import database
from gateway.archive.interface import assign_devices
from gateway.clock import DAY_MS, FakeClock
from gateway.config import Config
from gateway.footage.copies import ArchiveDeletion, SegmentCopy, begin_leaving
from gateway.inventory import delete_device
from gateway.storage import retention
from gateway.storage.clock_trust import confirm_clock
from gateway.storage.deletion import mark_for_deletion
from gateway.storage.interface import Space
from gateway.storage.local import LocalStorage, ensure_storage
from gateway.storage.range_deletion import delete_range
from gateway.storage.retention import Retention
from gateway.tenancy.scopes import FootageScope
from tests.archives import FolderArchive, archive_footage
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, fill, make_footage, protect, segment_bytes

pytestmark = pytest.mark.usefixtures("bound_database")

SIZE = len(segment_bytes())


@pytest.fixture
def settings(tmp_path) -> Callable[..., Config]:
    generous = {"keep_days": 0, "free_bytes_floor": 1, "recordings_dir": tmp_path / "recordings"}
    return lambda **values: make_config(**(generous | values))


@pytest.fixture
def storage(settings) -> LocalStorage:
    return ensure_storage(settings())


@pytest.fixture
def clock(bound_database) -> FakeClock:
    clock = FakeClock(NOON_MS / 1000)
    confirm_clock(clock)
    return clock


@pytest.fixture
def footage(scope, storage) -> Footage:
    return make_footage(scope, storage)


@pytest.fixture
def archive(tmp_path) -> FolderArchive:
    return FolderArchive(tmp_path / "archive")


def to_delete() -> list[str]:
    with database.session():
        return sorted(row.object_key for row in ArchiveDeletion.select())


def copies() -> int:
    with database.session():
        return SegmentCopy.select().count()


def places(footage: Footage) -> list[tuple[int, int]]:
    """Whether each segment is archived, and local."""
    return [(segment.is_archived, segment.is_local) for segment in footage.segments()]


def test_the_local_file_of_old_footage_goes_once_it_has_a_copy_and_not_before(
    footage, storage, settings, clock, archive
):
    old = fill(footage, 2, before_ms=NOON_MS - 9 * DAY_MS)
    new = fill(footage, 1, sequence=9)
    assign_devices(archive.name, {footage.device_id})
    report = Retention(settings(keep_days=1), storage, clock).run()
    assert (footage.starts(), report.total_segments) == (old + new, 0)
    assert report.waiting == {footage.device_id: footage.tenant_id}
    archive_footage(footage, archive)
    report = Retention(settings(keep_days=1), storage, clock).run()
    assert (report.total_segments, report.total_bytes, report.waiting) == (2, 2 * SIZE, {})
    assert footage.starts() == old + new, "it can still be played"
    assert places(footage) == [(1, 0), (1, 0), (1, 1)]
    assert footage.gaps() == []
    assert footage.recording().expired_before_ms == 0
    assert (len(footage.files()), len(archive.objects()), to_delete()) == (1, 3, [])
    footage.check_consistent()


def test_a_recording_that_does_not_wait_loses_old_footage_without_a_copy_only(
    footage, storage, settings, clock, archive
):
    old = fill(footage, 3, before_ms=NOON_MS - 9 * DAY_MS)
    archive_footage(footage, archive, limit=1)
    footage.change(waits_for_copy=False)
    report = Retention(settings(keep_days=1), storage, clock).run()
    assert report.waiting == {}
    assert footage.starts() == old[:1]
    assert footage.files() == []
    footage.check_consistent()


def test_archived_footage_of_a_device_that_no_archive_takes_any_more_stays_in_it(
    footage, storage, settings, clock, archive
):
    old = fill(footage, 2, before_ms=NOON_MS - 9 * DAY_MS)
    archive_footage(footage, archive, limit=1)
    assign_devices(archive.name, set())
    Retention(settings(keep_days=1), storage, clock).run()
    assert footage.starts() == old[:1]


def test_footage_in_an_archive_has_a_limit_of_age_of_its_own(footage, storage, settings, clock, archive):
    fill(footage, 2, before_ms=NOON_MS - 40 * DAY_MS)
    middle = fill(footage, 2, before_ms=NOON_MS - 9 * DAY_MS, sequence=9)
    archive_footage(footage, archive)
    limits = settings(keep_days=1, archive_keep_days=30)
    for _ in range(2):
        Retention(limits, storage, clock).run()
    assert footage.starts() == middle
    assert footage.recording().expired_before_ms > NOON_MS - 40 * DAY_MS - MINUTE_MS
    assert (copies(), len(to_delete())) == (2, 2)
    footage.change(archive_keep_days=5)
    Retention(limits, storage, clock).run()
    assert (footage.starts(), copies(), len(to_delete())) == ([], 0, 4)
    footage.check_consistent()


def test_footage_that_is_still_on_the_disk_does_not_expire_by_the_age_of_the_archive(
    footage, storage, settings, clock, archive
):
    old = fill(footage, 2, before_ms=NOON_MS - 40 * DAY_MS)
    archive_footage(footage, archive)
    Retention(settings(archive_keep_days=3), storage, clock).run()
    assert (footage.starts(), len(footage.files()), to_delete()) == (old, 2, [])


def test_protected_ranges_hold_local_and_archived_footage(footage, storage, settings, clock, archive):
    archived = fill(footage, 2, before_ms=NOON_MS - 40 * DAY_MS)
    archive_footage(footage, archive)
    Retention(settings(keep_days=1), storage, clock).run()
    local = fill(footage, 2, before_ms=NOON_MS - 9 * DAY_MS, sequence=9)
    archive_footage(footage, archive)
    protect(footage, archived[0], archived[0] + 1000)
    protect(footage, local[0], local[0] + 1000)
    Retention(settings(keep_days=1, archive_keep_days=5), storage, clock).run()
    assert footage.starts() == [archived[0], local[0]]
    assert places(footage) == [(1, 0), (1, 1)]


@pytest.mark.parametrize("rule", ["device", "tenant", "store"])
def test_limits_of_size_are_those_of_the_local_disk(footage, storage, settings, clock, archive, rule):
    starts = fill(footage, 6)
    archive_footage(footage, archive, limit=4)
    values = {"tenant": {"tenant_keep_bytes": 3 * SIZE}, "store": {"keep_bytes": 3 * SIZE}}.get(rule, {})
    if rule == "device":
        footage.change(keep_bytes=3 * SIZE)
    Retention(settings(**values), storage, clock).run()
    assert footage.starts() == starts
    assert len(footage.files()) in (2, 3)
    before = footage.files()
    report = Retention(settings(**values), storage, clock).run()
    assert (footage.files(), report.waiting) == (before, {})


def test_beyond_a_limit_of_size_footage_without_a_copy_waits(footage, storage, settings, clock, archive):
    starts = fill(footage, 6)
    archive_footage(footage, archive, limit=1)
    report = Retention(settings(keep_bytes=2 * SIZE), storage, clock).run()
    assert (footage.starts(), len(footage.files())) == (starts, 5)
    assert list(report.waiting) == [footage.device_id]


def test_on_a_full_disk_copied_files_go_first_and_then_what_waits_with_a_gap_that_says_so(
    footage, storage, settings, clock, archive, monkeypatch
):
    starts = fill(footage, 6)
    archive_footage(footage, archive, limit=2)
    floor = 2 * SIZE - SIZE // 5  # with a twentieth more, less than two files are missing
    monkeypatch.setattr(storage, "space", lambda: Space(10**9, 100, 0))
    limits = settings(free_bytes_floor=floor)
    report = Retention(limits, storage, clock).run()
    assert (footage.starts(), len(footage.files()), report.unarchived) == (starts, 4, {})
    report = Retention(limits, storage, clock).run()
    assert footage.starts() == starts[:2] + starts[4:]
    assert report.unarchived == {footage.device_id: footage.tenant_id}
    assert {reason for _, _, reason in footage.gaps()} == {"not_archived"}
    footage.check_consistent()


def test_a_full_disk_gets_room_from_copied_files_first(footage, storage, settings, clock, archive, monkeypatch):
    starts = fill(footage, 8)
    archive_footage(footage, archive, limit=3)
    monkeypatch.setattr(storage, "space", lambda: Space(24 * SIZE, 0, 24 * SIZE))
    report = Retention(settings(), storage, clock).make_room()
    assert (report.total_segments, footage.starts()) == (3, starts)
    assert places(footage)[:4] == [(1, 0), (1, 0), (1, 0), (0, 1)]


@pytest.mark.parametrize("fails_at", ["file", "row"])
def test_a_killed_removal_of_local_files_is_finished(footage, storage, settings, clock, archive, monkeypatch, fails_at):
    starts = fill(footage, 3, before_ms=NOON_MS - 9 * DAY_MS)
    archive_footage(footage, archive)
    with monkeypatch.context() as patch:

        def die(*_: object) -> None:
            raise RuntimeError("cut off")

        patch.setattr(*((storage, "delete", die) if fails_at == "file" else (retention, "end_leaving", die)))
        with pytest.raises(RuntimeError, match="cut off"):
            Retention(settings(keep_days=1), storage, clock).run()
    assert 2 in [segment.is_local for segment in footage.segments()]
    footage.check_roll_up()
    Retention(settings(keep_days=1), storage, clock).run()
    assert (footage.starts(), footage.files()) == (starts, [])
    assert places(footage) == [(1, 0)] * 3
    footage.check_consistent()


def test_a_copy_that_comes_just_before_the_deletion_saves_the_footage(footage, archive):
    fill(footage, 1)
    ids = [segment.id for segment in footage.segments()]
    archive_footage(footage, archive)
    assert mark_for_deletion(footage.recording_id, ids, reason_code="retention", keeps_copied=True) == []
    assert len(footage.starts()) == 1


def test_a_segment_that_is_called_archived_without_a_copy_waits_for_one_again(footage):
    footage.add(NOON_MS, is_archived=True)
    with database.transaction():
        SegmentCopy.delete().execute()
        (segment,) = footage.segments()
        assert begin_leaving(FootageScope(footage.recording_id), [segment.id]) == []
    assert places(footage) == [(0, 1)]
    footage.check_roll_up()


def test_deleting_a_range_or_a_device_deletes_the_objects_too(scope, footage, storage, settings, clock, archive):
    starts = fill(footage, 3)
    archive_footage(footage, archive)
    keys = sorted(archive.objects())
    delete_range(scope, footage.device_id, starts[0], starts[1], "Ann")
    Retention(settings(), storage, clock).run()
    assert to_delete() == keys[:1]
    delete_device(scope, footage.device_id)
    Retention(settings(bin_hours=0), storage, clock).run()
    Retention(settings(bin_hours=0), storage, clock).run()
    assert footage.recording() is None
    assert (to_delete(), copies()) == (keys, 0)
