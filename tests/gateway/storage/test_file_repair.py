"""Crash repair gives recorders and reconciliation the same result, also for parts of up to a minute."""

import pytest

from gateway.clock import DAY_MS, FakeClock
from gateway.footage.recordings import claim_recording
from gateway.footage.segments import MAX_PART_MS, Fence, SegmentState, read_packed
from gateway.media import PartFact, pack_parts, unpack_parts
from gateway.storage.content import correct_times
from gateway.storage.file_repair import FileRepair, RepairAction
from gateway.storage.folders import Folder
from gateway.storage.local import LocalStorage, ensure_storage
from gateway.storage.reconciliation import Reconciliation
from gateway.tenancy.scopes import TenantScope
from tests.factories import make_config
from tests.footage import NOON_MS, Footage, make_footage, segment_bytes, segment_scan
from tests.plugins.hls_recorder.media import make_init, make_part

pytestmark = pytest.mark.usefixtures("bound_database")


@pytest.fixture
def storage(tmp_path) -> LocalStorage:
    return ensure_storage(make_config(recordings_dir=tmp_path / "recordings"))


@pytest.fixture
def footage(scope: TenantScope, storage: LocalStorage) -> Footage:
    return make_footage(scope, storage)


def slow_file(interval_seconds: float, parts: int = 4) -> bytes:
    """A file of a camera that sends one frame in so many seconds: each part is as long as the interval."""
    return make_init() + b"".join(
        make_part(number, 0.0, duration=interval_seconds, frames=1, is_key=number % 2 == 1).data
        for number in range(1, parts + 1)
    )


def repair_as_recorder(footage: Footage, *, has_row: bool) -> None:
    claimed = claim_recording(footage.device_id, "worker")
    repair = FileRepair(footage.storage, Fence(footage.recording_id, claimed.fencing_token), resumes=True)
    key = footage.key(NOON_MS)
    size = footage.storage.size(key)
    done = repair.repair_segment(key, footage.segments()[0], size) if has_row else repair.adopt(key, size)
    assert done.action is (RepairAction.CLOSED if has_row else RepairAction.ADOPTED)


def repair_by_reconciliation(footage: Footage, *, has_row: bool) -> None:
    clock = FakeClock(NOON_MS / 1000 + 3600)
    reconciliation = Reconciliation(footage.storage, clock, is_recorded=lambda device_id: False)
    folder = Folder(footage.recording_id, footage.tenant_id, footage.device_id, NOON_MS // DAY_MS)
    done = reconciliation.repair(reconciliation.scan(folder))
    assert done == {"closed" if has_row else "adopted": 1}


by_either = pytest.mark.parametrize("repair", [repair_as_recorder, repair_by_reconciliation])


@by_either
@pytest.mark.parametrize("interval_seconds", [0.5, 12, 30, 60])
def test_parts_as_long_as_a_frame_interval_keep_their_times(footage, repair, interval_seconds):
    footage.add(NOON_MS, data=slow_file(interval_seconds), has_row=False)
    repair(footage, has_row=False)
    [segment] = footage.segments()
    length_ms = round(interval_seconds * 1000)
    times = [(part.offset_ms, part.duration_ms) for part in unpack_parts(read_packed(segment.id))]
    assert times == [(number * length_ms, length_ms) for number in range(4)]
    assert (segment.parts, segment.duration_ms) == (4, 4 * length_ms)
    footage.check_consistent()


@by_either
def test_a_longer_part_is_cut_to_the_limit(footage, repair):
    footage.add(NOON_MS, data=slow_file(900, parts=1), has_row=False)
    repair(footage, has_row=False)
    assert footage.segments()[0].duration_ms == MAX_PART_MS
    footage.check_consistent()


@by_either
@pytest.mark.parametrize("torn", [b"", segment_bytes()[1300:1377]], ids=["whole", "torn"])
def test_an_open_segment_is_closed_with_all_whole_parts(footage, repair, torn):
    footage.add(NOON_MS, state=SegmentState.OPEN, data=segment_bytes() + torn)
    repair(footage, has_row=True)
    [segment] = footage.segments()
    assert (segment.state, segment.size, segment.parts) == (
        SegmentState.CLOSED,
        len(segment_bytes()),
        len(segment_scan().parts),
    )
    footage.check_consistent()


def test_the_longest_part_fits_into_the_packed_index():
    part = PartFact(1, 0, MAX_PART_MS, 1, True, False)
    assert unpack_parts(pack_parts([part])) == [part]


def test_a_part_follows_the_one_before_it_after_the_camera_set_its_clock():
    parts = [PartFact(1, offset_ms, 500, 12, True, False) for offset_ms in (0, 500, 3_600_000, 3_600_500)]
    assert [part.offset_ms for part in correct_times(parts)] == [0, 500, 1000, 1500]


def test_times_of_the_index_are_preferred_to_those_of_the_file():
    in_file = [PartFact(size, 500 * number, 500, 12, True, False) for number, size in enumerate((10, 20, 30))]
    indexed = [PartFact(10, 0, 500, 12, True, False), PartFact(20, 520, 490, 12, True, False)]
    times = [(part.offset_ms, part.duration_ms) for part in correct_times(in_file, indexed)]
    assert times == [(0, 500), (520, 490), (1010, 500)]
