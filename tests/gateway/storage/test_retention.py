"""Retention by age, size and free space: the oldest first, never protected footage; a crash leaves nothing behind."""

import shutil
from collections.abc import Callable

import pytest

from gateway import database
from gateway.clock import DAY_MS, FakeClock, utc_now
from gateway.config import Config
from gateway.errors import InvalidValue, NotFound
from gateway.footage.segments import SegmentState
from gateway.inventory import delete_device
from gateway.storage import retention, room_requests
from gateway.storage.clock_trust import confirm_clock
from gateway.storage.deletion import mark_for_deletion
from gateway.storage.interface import Space, StorageUnavailable
from gateway.storage.limits import Limits, free_bytes_floor, limits_of
from gateway.storage.local import LocalStorage, ensure_storage
from gateway.storage.range_deletion import delete_range
from gateway.storage.retention import Retention
from gateway.tenancy.scopes import TenantScope
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, fill, make_footage, protect, segment_bytes

pytestmark = pytest.mark.usefixtures("bound_database")

GENEROUS = {"keep_days": 0, "free_bytes_floor": 1}


@pytest.fixture
def settings(tmp_path) -> Callable[..., Config]:
    return lambda **values: make_config(recordings_dir=tmp_path / "recordings", **(GENEROUS | values))


@pytest.fixture
def storage(settings) -> LocalStorage:
    return ensure_storage(settings())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON_MS / 1000)


@pytest.fixture(autouse=True)
def confirmed_clock(bound_database, clock) -> None:
    """A clock that a person has confirmed: what is too old by it goes at once."""
    confirm_clock(clock)


@pytest.fixture
def footage(scope: TenantScope, storage: LocalStorage) -> Footage:
    return make_footage(scope, storage)


def test_expired_footage_is_deleted_with_its_file(footage, storage, settings, clock):
    old = fill(footage, 3, before_ms=NOON_MS - 2 * DAY_MS)
    new = fill(footage, 3)
    report = Retention(settings(keep_days=1), storage, clock).run()
    assert footage.starts() == new
    assert len(footage.files()) == 3
    assert report.segments == {footage.device_id: 3}
    assert footage.recording().expired_before_ms == footage_end(old[-1])
    footage.check_consistent()


def footage_end(start_ms: int) -> int:
    from tests.footage import segment_scan

    return start_ms + segment_scan().duration_ms


def test_the_days_of_a_device_override_those_of_the_settings(footage, storage, settings, clock):
    fill(footage, 2, before_ms=NOON_MS - 2 * DAY_MS)
    footage.change(keep_days=3)
    Retention(settings(keep_days=1), storage, clock).run()
    assert len(footage.starts()) == 2
    footage.change(keep_days=0)
    Retention(settings(keep_days=1), storage, clock).run()
    assert len(footage.starts()) == 2
    footage.change(keep_days=1)
    Retention(settings(keep_days=0), storage, clock).run()
    assert footage.starts() == []


def test_protected_footage_is_kept_at_any_age(footage, storage, settings, clock):
    starts = fill(footage, 6, before_ms=NOON_MS - 9 * DAY_MS)
    protect(footage, starts[2] + 500, starts[3] + 500)
    Retention(settings(keep_days=1), storage, clock).run()
    assert footage.starts() == starts[2:4]
    footage.check_consistent()


def test_an_open_segment_is_kept(footage, storage, settings, clock):
    footage.add(NOON_MS - 9 * DAY_MS, state=SegmentState.OPEN)
    Retention(settings(keep_days=1), storage, clock).run()
    assert len(footage.starts()) == 1
    assert len(footage.files()) == 1


def test_a_device_s_footage_is_kept_within_its_bytes(footage, storage, settings, clock):
    starts = fill(footage, 5)
    footage.change(keep_bytes=3 * len(segment_bytes()))
    Retention(settings(), storage, clock).run()
    assert footage.starts() == starts[2:] or footage.starts() == starts[3:]
    footage.check_consistent()


def test_the_oldest_footage_of_all_devices_is_deleted_when_the_store_is_over_its_limit(
    scope, footage, storage, settings, clock
):
    other = make_footage(scope, storage)
    newer, older = fill(footage, 3), fill(other, 3, before_ms=NOON_MS - DAY_MS)
    Retention(settings(keep_bytes=4 * len(segment_bytes())), storage, clock).run()
    assert footage.starts() == newer
    assert set(other.starts()) < set(older)
    assert other.starts() in (older[2:], [])
    footage.check_consistent()
    other.check_consistent()


def test_a_tenant_over_its_limit_loses_no_footage_of_other_tenants(scope, footage, storage, settings, clock):
    from gateway.tenancy.tenants import Tenant

    with database.transaction():
        tenant_id = "00000000-0000-4000-8000-0000000000aa"
        Tenant.insert(id=tenant_id, name="Other", created_at=utc_now()).execute()
    other = make_footage(TenantScope(tenant_id), storage)
    fill(footage, 2, before_ms=NOON_MS - DAY_MS)
    fill(other, 6)
    Retention(settings(tenant_keep_bytes=3 * len(segment_bytes())), storage, clock).run()
    assert len(footage.starts()) == 2
    assert len(other.starts()) in (2, 3)


def test_space_is_freed_up_to_the_floor_and_no_further(footage, storage, settings, clock, monkeypatch):
    starts = fill(footage, 8)
    size = len(segment_bytes())
    free = [1_000_000]
    floor = 1_000_000 + 2 * size
    monkeypatch.setattr(storage, "space", lambda: Space(10**9, free[0], 0))
    Retention(settings(free_bytes_floor=floor), storage, clock).run()
    gone = len(starts) - len(footage.starts())
    assert 2 <= gone <= 2 + floor // 20 // size + 1
    assert footage.starts() == starts[gone:]
    free[0] = floor
    before = footage.starts()
    Retention(settings(free_bytes_floor=floor), storage, clock).run()
    assert footage.starts() == before


def test_a_pass_with_nothing_left_to_delete_is_stuck(footage, storage, settings, clock, monkeypatch):
    starts = fill(footage, 3)
    protect(footage, starts[0], NOON_MS)
    monkeypatch.setattr(storage, "space", lambda: Space(10**9, 10, 0))
    assert Retention(settings(free_bytes_floor=10**6), storage, clock).run().is_stuck
    assert footage.starts() == starts


def test_the_floor_depends_on_the_disk_and_the_growth(settings):
    gib = 1 << 30
    automatic = settings(free_bytes_floor=0)
    assert free_bytes_floor(automatic, Space(8000 * gib, 0, 0), 5 * gib) == 10 * gib
    assert free_bytes_floor(automatic, Space(8000 * gib, 0, 0), 50 * gib) == 50 * gib
    assert free_bytes_floor(automatic, Space(20 * gib, 0, 0), 0) == gib
    assert free_bytes_floor(automatic, Space(2 * gib, 0, 0), 50 * gib) == gib // 2
    assert free_bytes_floor(settings(free_bytes_floor=7), Space(8000 * gib, 0, 0), 5 * gib) == 7


def test_limits_of_a_device_override_the_settings(footage, settings):
    assert limits_of(footage.recording(), settings(keep_days=2)) == Limits(2 * DAY_MS, None)
    footage.change(keep_days=0, keep_bytes=5)
    assert limits_of(footage.recording(), settings(keep_days=2)) == Limits(None, 5)


@pytest.mark.parametrize("fails_at", ["before the first file", "between two files", "before the rows"])
def test_an_interrupted_deletion_is_finished_by_the_next_pass(footage, storage, settings, clock, monkeypatch, fails_at):
    fill(footage, 4, before_ms=NOON_MS - 9 * DAY_MS)
    fill(footage, 1)
    with monkeypatch.context() as patch:
        cut(patch, storage, fails_at)
        with pytest.raises(RuntimeError, match="cut off"):
            Retention(settings(keep_days=1), storage, clock).run()
    footage.check_roll_up()
    assert SegmentState.GARBAGE in [segment.state for segment in footage.segments()]
    Retention(settings(keep_days=1), storage, clock).run()
    assert len(footage.starts()) == 1
    footage.check_consistent()


def cut(patch: pytest.MonkeyPatch, storage: LocalStorage, where: str) -> None:
    """Have the process die at a point of a deletion: no later step of it is done."""
    deleted: list[str] = []
    delete, drop = storage.delete, retention.drop_segments

    def dying_delete(key: str) -> bool:
        if where == "before the first file" or (where == "between two files" and len(deleted) == 2):
            raise RuntimeError("cut off")
        deleted.append(key)
        return delete(key)

    def dying_drop(ids: list[int]) -> int:
        if where == "before the rows":
            raise RuntimeError("cut off")
        # A process that is gone does not tidy up on its way out either.
        return drop(ids) if len(deleted) == 4 else 0

    patch.setattr(storage, "delete", dying_delete)
    patch.setattr(retention, "drop_segments", dying_drop)


def test_garbage_is_neither_counted_nor_played(footage, storage, settings, clock):
    starts = fill(footage, 3)
    ids = [segment.id for segment in footage.segments()]
    mark_for_deletion(footage.recording_id, ids[:1])
    mark_for_deletion(footage.recording_id, ids[:1])
    footage.check_roll_up()
    Retention(settings(), storage, clock).run()
    assert footage.starts() == starts[1:]
    footage.check_consistent()


def test_nothing_is_deleted_while_the_disk_is_not_mounted(footage, storage, settings, clock, tmp_path):
    starts = fill(footage, 3, before_ms=NOON_MS - 9 * DAY_MS)
    (tmp_path / "recordings").rename(tmp_path / "away")
    (tmp_path / "recordings").mkdir()
    with pytest.raises(StorageUnavailable, match="mounted"):
        Retention(settings(keep_days=1), storage, clock).run()
    (tmp_path / "recordings").rmdir()
    (tmp_path / "away").rename(tmp_path / "recordings")
    Retention(settings(keep_days=1), storage, clock).run()
    assert footage.starts() == []
    assert footage.files() == [], starts


def test_the_footage_of_a_deleted_device_is_deleted_and_then_its_recording(scope, footage, storage, settings, clock):
    starts = fill(footage, 3)
    footage.add(NOON_MS, sequence=9, state=SegmentState.OPEN)
    footage.add(NOON_MS + MINUTE_MS, sequence=10, has_row=False)
    protect(footage, starts[0], NOON_MS)
    delete_device(scope, footage.device_id)
    Retention(settings(), storage, clock, is_recorded=lambda device_id: True).run()
    assert len(footage.starts()) == 4, "its recorder has not noticed yet"
    Retention(settings(), storage, clock).run()
    assert footage.starts() == []
    assert footage.files() == []
    assert footage.recording() is None


def test_a_person_deletes_whole_segments_of_a_range(scope, footage, storage, settings, clock):
    starts = fill(footage, 6)
    footage.add(NOON_MS, sequence=9, state=SegmentState.OPEN)
    protect(footage, starts[4], starts[4] + 1000)
    asked = (scope, footage.device_id, starts[1] - 1, starts[5] + 100, "Ann")
    counts = delete_range(*asked, dry_run=True)
    assert len(footage.starts()) == 7
    assert delete_range(*asked) == counts
    assert (counts.segments, counts.bytes, counts.kept_protected) == (3, 3 * len(segment_bytes()), 1)
    assert counts.seconds == pytest.approx(6, abs=0.5)
    footage.check_roll_up()
    Retention(settings(), storage, clock).run()
    assert footage.starts() == [starts[0], starts[4], starts[5], NOON_MS]
    assert {reason for _, _, reason in footage.gaps()} == {"deleted_by_person"}
    assert footage.recording().expired_before_ms == 0


def test_contiguous_footage_that_a_person_deletes_is_one_gap(scope, footage):
    for sequence in range(4):
        footage.add(NOON_MS + sequence * MINUTE_MS, sequence=sequence, duration_ms=MINUTE_MS)
    delete_range(scope, footage.device_id, NOON_MS, NOON_MS + 2 * MINUTE_MS, "Ann")
    delete_range(scope, footage.device_id, NOON_MS + 2 * MINUTE_MS, NOON_MS + 4 * MINUTE_MS, "Ann")
    assert footage.gaps() == [(NOON_MS, NOON_MS + 4 * MINUTE_MS, "deleted_by_person")]


def test_only_what_the_caller_may_see_can_be_deleted(scope, footage):
    fill(footage, 1)
    stranger = TenantScope("00000000-0000-4000-8000-0000000000ff")
    with pytest.raises(NotFound):
        delete_range(stranger, footage.device_id, 0, NOON_MS, "Eve")
    with pytest.raises(InvalidValue):
        delete_range(scope, footage.device_id, NOON_MS, NOON_MS, "Ann")
    assert len(footage.starts()) == 1


def test_a_full_disk_gets_free_space_at_once(footage, storage, settings, clock, monkeypatch):
    starts = fill(footage, 8)
    size = len(segment_bytes())
    monkeypatch.setattr(storage, "space", lambda: Space(24 * size, 0, 24 * size))
    report = Retention(settings(), storage, clock).make_room()
    assert report.total_segments == 3, "an eighth of the disk"
    assert footage.starts() == starts[3:]


def test_requests_for_space_are_merged(monkeypatch):
    room_requests.take_room_request()
    room_requests.request_room()
    room_requests.request_room()
    assert room_requests.take_room_request()
    assert not room_requests.take_room_request()


def test_garbage_in_a_missing_folder_is_no_error(footage, storage, settings, clock, tmp_path):
    fill(footage, 2, before_ms=NOON_MS - 9 * DAY_MS)
    shutil.rmtree(tmp_path / "recordings" / footage.tenant_id)
    Retention(settings(keep_days=1), storage, clock).run()
    assert footage.starts() == []
