"""The care of archives: objects are deleted, copies compared folder by folder, and a failing archive is set aside."""

import pytest

from gateway.clock import FakeClock
from gateway.footage.segments import SegmentState
from gateway.storage.deletion import drop_segments, mark_for_deletion
from gateway.storage.local import ensure_storage
from tests.archives import FolderArchive, archive_footage
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, make_footage
from workers.plugins.archive_process import ArchiveCare

pytestmark = [
    pytest.mark.usefixtures("bound_database"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def archive(tmp_path) -> FolderArchive:
    return FolderArchive(tmp_path / "archive")


@pytest.fixture
def footage(scope, tmp_path, archive) -> Footage:
    footage = make_footage(scope, ensure_storage(make_config(recordings_dir=tmp_path / "recordings")))
    for number in range(4):
        footage.add(NOON_MS + number * MINUTE_MS, sequence=1 + 10 * number)
    archive_footage(footage, archive)
    return footage


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON_MS / 1000 + 3600)


def test_objects_of_deleted_footage_go_at_once(footage, archive, clock):
    ids = [footage.segments()[0].id]
    mark_for_deletion(footage.recording_id, ids)
    drop_segments(ids)
    clock.advance(2e9)
    ArchiveCare([archive], clock).turn()
    assert len(archive.objects()) == 3


def test_copies_are_compared_some_time_after_the_start(footage, archive, clock):
    archive.delete(footage.key(NOON_MS))
    care = ArchiveCare([archive], clock)
    care.turn()
    assert all(segment.is_archived for segment in footage.segments())
    for _ in range(10):
        clock.advance(601)
        care.turn()
    assert [segment.is_archived for segment in footage.segments()] == [0, 1, 1, 1]


def test_a_suspicious_archive_and_one_that_is_away_are_set_aside(footage, archive, clock, caplog):
    for key in archive.objects()[:3]:
        archive.delete(key)
    care = ArchiveCare([archive], clock)
    for _ in range(10):
        clock.advance(601)
        care.turn()
    assert "suspicious" in caplog.text
    assert {segment.state for segment in footage.segments()} == {SegmentState.CLOSED}
    archive.away = True
    clock.advance(8 * 86_400)
    for _ in range(10):
        clock.advance(601)
        care.turn()
    assert "cannot be compared now" in caplog.text
