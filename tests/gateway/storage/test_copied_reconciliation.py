"""Reconciliation of footage with a copy in an archive: nothing is lost when its local file is, and nothing twice."""

import pytest

from gateway.clock import DAY_MS, FakeClock
from gateway.footage.segments import SegmentState
from gateway.storage.folders import Folder
from gateway.storage.local import QUARANTINE, ensure_storage
from gateway.storage.reconciliation import Reconciliation
from tests.archives import FolderArchive, archive_footage, remove_local_files
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, make_footage, segment_bytes

pytestmark = pytest.mark.usefixtures("bound_database")


@pytest.fixture
def footage(scope, tmp_path) -> Footage:
    footage = make_footage(scope, ensure_storage(make_config(recordings_dir=tmp_path / "recordings")))
    for number in range(3):
        footage.add(NOON_MS + number * MINUTE_MS, sequence=1 + 10 * number)
    archive_footage(footage, FolderArchive(tmp_path / "archive"))
    return footage


@pytest.fixture
def reconciliation(footage) -> Reconciliation:
    return Reconciliation(footage.storage, FakeClock(NOON_MS / 1000 + 3600), is_recorded=lambda device_id: False)


def repair(reconciliation: Reconciliation, footage: Footage) -> dict[str, int]:
    folder = Folder(footage.recording_id, footage.tenant_id, footage.device_id, NOON_MS // DAY_MS)
    scan = reconciliation.scan(folder)
    assert scan.lost == 0
    done = reconciliation.repair(scan)
    assert reconciliation.scan(folder).mismatches == []
    footage.check_roll_up()
    assert footage.gaps() == []
    assert {segment.state for segment in footage.segments()} == {SegmentState.CLOSED}
    return dict(done)


def path(footage: Footage, number: int):
    return footage.storage.root / footage.key(NOON_MS + number * MINUTE_MS, 1, 1 + 10 * number)


def places(footage: Footage) -> list[int]:
    return [segment.is_local for segment in footage.segments()]


def test_footage_whose_local_file_was_removed_is_consistent(footage, reconciliation):
    remove_local_files(footage.recording_id, footage.storage, [segment.id for segment in footage.segments()])
    assert repair(reconciliation, footage) == {}
    assert footage.files() == []


def test_a_lost_local_file_costs_nothing(footage, reconciliation):
    path(footage, 0).unlink()
    assert repair(reconciliation, footage) == {"local file gone, its copy is archived": 1}
    assert places(footage) == [0, 1, 1]


def test_a_damaged_local_file_is_quarantined_and_read_from_its_copy(footage, reconciliation):
    path(footage, 1).write_bytes(segment_bytes()[:-9])
    assert repair(reconciliation, footage) == {"local file gone, its copy is archived": 1}
    assert places(footage) == [1, 0, 1]
    assert list((footage.storage.root / QUARANTINE).rglob("*.why"))


def test_what_follows_the_footage_is_cut_off(footage, reconciliation):
    with path(footage, 2).open("ab") as file:
        file.write(b"torn")
    assert repair(reconciliation, footage) == {"torn end cut off": 1}
    footage.check_consistent()


def test_a_local_file_that_is_back_is_used_again_and_a_wrong_one_is_not(footage, reconciliation):
    contents = [path(footage, number).read_bytes() for number in range(2)]
    remove_local_files(footage.recording_id, footage.storage, [segment.id for segment in footage.segments()])
    for number, content in enumerate(contents):
        path(footage, number).parent.mkdir(parents=True, exist_ok=True)
        path(footage, number).write_bytes(content[: len(content) - number])
    assert repair(reconciliation, footage) == {
        "local file is back beside its copy": 1,
        "local file gone, its copy is archived": 1,
    }
    assert places(footage) == [1, 0, 0]
