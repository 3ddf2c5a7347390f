"""Mismatches of rows and files are repaired, whatever their cause, and no footage is lost by it."""

import os
import shutil
import struct
from itertools import accumulate

import pytest

from gateway import database
from gateway.clock import DAY_MS, FakeClock
from gateway.footage.recordings import claim_recording
from gateway.footage.segments import Segment, SegmentParts, SegmentState, StoredSegment, add_to_rollup, read_packed
from gateway.media import parse_segment_key, unpack_parts
from gateway.redis_client import connect_redis
from gateway.storage.deletion import mark_for_deletion
from gateway.storage.folders import Folder, list_folders
from gateway.storage.interface import StorageUnavailable
from gateway.storage.local import QUARANTINE, LocalStorage, ensure_storage
from gateway.storage.reconciliation import QUIET_SECONDS, MismatchKind, Reconciliation, TooManyMissing
from gateway.storage.report import StorageReports
from gateway.storage.sweep import Sweep
from gateway.tenancy.scopes import EVERY_RECORDING, FootageScope, TenantScope
from tests.factories import make_config
from tests.footage import MINUTE_MS, NOON_MS, Footage, make_footage, segment_bytes, segment_scan

pytestmark = pytest.mark.usefixtures("bound_database")


PARTS = len(segment_scan().parts)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "recordings"


@pytest.fixture
def storage(root) -> LocalStorage:
    return ensure_storage(make_config(recordings_dir=root))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON_MS / 1000 + 3600)


@pytest.fixture
def footage(scope: TenantScope, storage: LocalStorage) -> Footage:
    return make_footage(scope, storage)


@pytest.fixture
def reconciliation(storage, clock) -> Reconciliation:
    return Reconciliation(storage, clock, is_recorded=lambda device_id: False)


def fill(footage: Footage, count: int, start_ms: int = NOON_MS, **values) -> list[int]:
    starts = [start_ms + index * MINUTE_MS for index in range(count)]
    for index, moment in enumerate(starts):
        footage.add(moment, sequence=1 + PARTS * index, **values)
    return starts


def folder_of(footage: Footage, at_ms: int = NOON_MS) -> Folder:
    return Folder(footage.recording_id, footage.tenant_id, footage.device_id, at_ms // DAY_MS)


def repair(reconciliation: Reconciliation, footage: Footage) -> dict[str, int]:
    """Repair the day's footage; a second scan must find nothing more."""
    done = reconciliation.repair(reconciliation.scan(folder_of(footage)))
    assert reconciliation.scan(folder_of(footage)).mismatches == []
    return dict(done)


def path_of(footage: Footage, start_ms: int, sequence: int):
    return footage.storage.root / footage.key(start_ms, 1, sequence)


def quarantined(root) -> list[str]:
    return sorted(path.name for path in (root / QUARANTINE).rglob("*") if path.is_file())


def test_consistent_footage_is_not_changed(footage, reconciliation):
    fill(footage, 3)
    scan = reconciliation.scan(folder_of(footage))
    assert (scan.checked, scan.lost, scan.mismatches) == (3, 0, [])


def test_a_missing_file_becomes_a_gap(footage, reconciliation):
    starts = fill(footage, 3)
    path_of(footage, starts[1], 1 + PARTS).unlink()
    assert repair(reconciliation, footage) == {"file missing": 1}
    states = [segment.state for segment in footage.segments()]
    assert states == [SegmentState.CLOSED, SegmentState.MISSING, SegmentState.CLOSED]
    assert footage.gaps() == [(starts[1], starts[1] + segment_scan().duration_ms, "file_missing")]
    footage.check_consistent()


def test_a_file_that_is_back_is_playable_again(footage, reconciliation):
    starts = fill(footage, 3)
    path = path_of(footage, starts[1], 1 + PARTS)
    path.rename(path.with_name(".away"))
    repair(reconciliation, footage)
    path.with_name(".away").rename(path)
    assert repair(reconciliation, footage) == {"file is back": 1}
    assert footage.gaps() == []
    footage.check_consistent()


def test_a_file_without_a_row_is_adopted_as_it_was(footage, reconciliation):
    starts = fill(footage, 3)
    lost = footage.segments()[1]
    packed = read_packed(lost.id)
    with database.transaction():
        SegmentParts.delete().where(SegmentParts.segment_id == lost.id).execute()
        EVERY_RECORDING.delete(Segment).where(Segment.id == lost.id).execute()
        add_to_rollup(FootageScope(footage.recording_id), lost.start_ms, lost.duration_ms, lost.size, sign=-1)
    assert repair(reconciliation, footage) == {"adopted": 1}
    assert footage.starts() == starts
    adopted = footage.segments()[1]
    for name in ("start_ms", "duration_ms", "run", "sequence", "parts", "frames", "size", "init_size", "storage_id"):
        assert getattr(adopted, name) == getattr(lost, name), name
    assert read_packed(adopted.id) == packed
    footage.check_consistent()


def box_ends(data: bytes) -> list[int]:
    ends, at = [], 0
    while at < len(data):
        at += struct.unpack_from(">I", data, at)[0]
        ends.append(at)
    return ends


CUTS = sorted({end + step for end in [0, *box_ends(segment_bytes())[:-1]] for step in (-5, 0, 5) if end + step >= 0})


@pytest.mark.parametrize("cut", CUTS)
def test_a_truncated_file_keeps_its_whole_parts_and_the_rest_is_a_gap(footage, reconciliation, root, cut):
    starts = fill(footage, 3)
    path = path_of(footage, starts[1], 1 + PARTS)
    os.truncate(path, cut)
    scan = segment_scan()
    ends = accumulate((part.size for part in scan.parts), initial=scan.init_size)
    whole = [part for part, end in zip(scan.parts, list(ends)[1:], strict=True) if end <= cut]
    done = repair(reconciliation, footage)
    segment = footage.segments()[1]
    end_ms = starts[1] + (whole[-1].offset_ms + whole[-1].duration_ms if whole else 0)
    assert footage.gaps() == [(end_ms, starts[1] + scan.duration_ms, "file_damaged")]
    if whole:
        assert done == {"file damaged": 1}
        assert segment.state == SegmentState.CLOSED
        assert unpack_parts(read_packed(segment.id)) == whole
        assert (segment.parts, segment.frames) == (len(whole), sum(part.frames for part in whole))
        assert path.stat().st_size == segment.size
    else:
        assert done == {"quarantined": 1}
        assert segment.state == SegmentState.MISSING
        assert path.name in quarantined(root)
    footage.check_consistent()


@pytest.mark.parametrize("tail", [b"\0" * 100, segment_bytes()[1000:1700]], ids=["zeros", "a piece of media"])
def test_bytes_after_the_last_whole_part_are_truncated(footage, reconciliation, tail):
    starts = fill(footage, 2)
    path = path_of(footage, starts[0], 1)
    with path.open("ab") as file:
        file.write(tail)
    assert repair(reconciliation, footage) == {"torn end cut off": 1}
    assert path.read_bytes() == segment_bytes()
    assert footage.gaps() == []
    footage.check_consistent()


def shorten_row(footage: Footage, segment: StoredSegment, count: int) -> None:
    """Have a row tell of its first parts only, as one that was not written for some seconds."""
    parts = segment_scan().parts[:count]
    with database.transaction():
        scope = FootageScope(footage.recording_id)
        if segment.state == SegmentState.CLOSED:
            add_to_rollup(scope, segment.start_ms, segment.duration_ms, segment.size, sign=-1)
        duration_ms, size = parts[-1].offset_ms + parts[-1].duration_ms, segment.init_size + sum(p.size for p in parts)
        scope.update(
            Segment, parts=count, frames=sum(p.frames for p in parts), size=size, duration_ms=duration_ms
        ).where(Segment.id == segment.id).execute()
        SegmentParts.update(packed=read_packed(segment.id)[: 14 * count]).where(
            SegmentParts.segment_id == segment.id
        ).execute()
        if segment.state == SegmentState.CLOSED:
            add_to_rollup(scope, segment.start_ms, duration_ms, size)


def test_whole_parts_missing_from_the_row_are_added(footage, reconciliation):
    fill(footage, 1)
    shorten_row(footage, footage.segments()[0], 2)
    assert repair(reconciliation, footage) == {"index repaired": 1}
    assert footage.segments()[0].parts == PARTS
    assert unpack_parts(read_packed(footage.segments()[0].id)) == list(segment_scan().parts)
    footage.check_consistent()


def test_parts_that_the_next_file_holds_are_not_indexed_twice(footage, reconciliation):
    footage.add(NOON_MS, sequence=1)
    shorten_row(footage, footage.segments()[0], 2)
    footage.add(NOON_MS + 1000, sequence=3)
    assert repair(reconciliation, footage) == {"torn end cut off": 1}
    assert footage.segments()[0].parts == 2
    footage.check_consistent()


@pytest.mark.parametrize("torn", [0, 77])
def test_a_segment_left_open_is_closed_with_all_whole_parts(footage, reconciliation, torn):
    footage.add(NOON_MS, state=SegmentState.OPEN, data=segment_bytes() + segment_bytes()[1300 : 1300 + torn])
    shorten_row(footage, footage.segments()[0], 1)
    assert reconciliation.folders_left_open() == [folder_of(footage)]
    assert repair(reconciliation, footage) == {"closed": 1}
    assert footage.segments()[0].parts == PARTS
    assert reconciliation.folders_left_open() == []
    footage.check_consistent()


def test_files_of_a_living_recorder_are_skipped(footage, storage, clock):
    footage.add(NOON_MS, state=SegmentState.OPEN, data=segment_bytes() + b"half a part")
    footage.add(NOON_MS + MINUTE_MS, sequence=1 + PARTS, has_row=False)
    clock.jump(path_of(footage, NOON_MS, 1).stat().st_mtime - clock.wall() + QUIET_SECONDS * 2)
    recorded = Reconciliation(storage, clock, is_recorded=lambda device_id: True)
    assert recorded.scan(folder_of(footage)).mismatches == []
    assert recorded.folders_left_open() == []


def test_recently_changed_files_are_skipped(footage, reconciliation, clock):
    footage.add(NOON_MS, state=SegmentState.OPEN)
    footage.add(NOON_MS + MINUTE_MS, sequence=1 + PARTS, has_row=False)
    clock.jump(path_of(footage, NOON_MS, 1).stat().st_mtime - clock.wall() + 1)
    assert reconciliation.scan(folder_of(footage)).mismatches == []
    clock.advance(QUIET_SECONDS)
    assert [mismatch.kind for mismatch in reconciliation.scan(folder_of(footage)).mismatches] == [
        MismatchKind.LEFT_OPEN,
        MismatchKind.UNKNOWN,
    ]


def test_nothing_is_changed_after_a_recorder_claimed_the_device(footage, reconciliation):
    starts = fill(footage, 3)
    path_of(footage, starts[1], 1 + PARTS).unlink()
    footage.add(NOON_MS + 10 * MINUTE_MS, sequence=99, state=SegmentState.OPEN)
    scan = reconciliation.scan(folder_of(footage))
    claim_recording(footage.device_id, "another")
    assert reconciliation.repair(scan) == {}
    assert [segment.state for segment in footage.segments()] == [SegmentState.CLOSED] * 3 + [SegmentState.OPEN]


def test_a_file_that_came_back_between_scan_and_repair_is_not_lost(footage, reconciliation):
    starts = fill(footage, 3)
    path = path_of(footage, starts[1], 1 + PARTS)
    path.rename(path.with_name(".away"))
    scan = reconciliation.scan(folder_of(footage))
    path.with_name(".away").rename(path)
    assert reconciliation.repair(scan) == {}
    footage.check_consistent()


def test_a_file_that_got_its_row_between_scan_and_repair_is_left_in_place(footage, reconciliation, root):
    footage.add(NOON_MS, has_row=False)
    scan = reconciliation.scan(folder_of(footage))
    assert [mismatch.kind for mismatch in scan.mismatches] == [MismatchKind.UNKNOWN]
    footage.add(NOON_MS, data=None)
    assert reconciliation.repair(scan) == {}
    assert quarantined(root) == []
    footage.check_consistent()


def test_a_file_that_grew_between_scan_and_repair_is_skipped(footage, reconciliation, root):
    folder = root / os.path.dirname(footage.key(NOON_MS))
    folder.mkdir(parents=True)
    path = folder / os.path.basename(footage.key(NOON_MS))
    path.write_bytes(segment_bytes()[:500])
    scan = reconciliation.scan(folder_of(footage))
    path.write_bytes(segment_bytes())
    assert reconciliation.repair(scan) == {}
    assert repair(reconciliation, footage) == {"adopted": 1}


def test_a_disk_unmounted_between_scan_and_repair_loses_nothing(footage, reconciliation, root):
    starts = fill(footage, 3)
    path_of(footage, starts[1], 1 + PARTS).unlink()
    scan = reconciliation.scan(folder_of(footage))
    root.rename(root.with_name("away"))
    root.mkdir()
    with pytest.raises(StorageUnavailable, match="mounted"):
        reconciliation.repair(scan)
    with pytest.raises(StorageUnavailable, match="mounted"):
        reconciliation.scan(folder_of(footage))
    assert [segment.state for segment in footage.segments()] == [SegmentState.CLOSED] * 3


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("25-00-000_1-1.mp4", b"no media"),
        ("25-00-000_1-1.mp4", b""),
        ("25-00-000_1-1.mp4", segment_bytes()[:500]),
        ("notes.txt", segment_bytes()),
    ],
    ids=["garbage", "empty", "half an init segment", "another name"],
)
def test_a_file_without_footage_is_quarantined_with_the_reason(footage, reconciliation, root, name, data):
    folder = root / os.path.dirname(footage.key(NOON_MS))
    folder.mkdir(parents=True)
    (folder / name).write_bytes(data)
    assert repair(reconciliation, footage) == {"quarantined": 1}
    assert quarantined(root) == [name, f"{name}.why"]
    assert footage.starts() == []


def test_footage_that_exists_twice_is_indexed_once(footage, reconciliation, root):
    footage.add(NOON_MS)
    footage.add(NOON_MS + 10, has_row=False)
    assert repair(reconciliation, footage) == {"quarantined": 1}
    footage.check_consistent()


def test_garbage_and_other_stores_are_skipped(footage, reconciliation):
    starts = fill(footage, 3)
    mark_for_deletion(footage.recording_id, [footage.segments()[0].id])
    path_of(footage, starts[0], 1).unlink()
    with database.transaction():
        from gateway.clock import utc_now
        from gateway.footage.segments import StorageRow

        other = StorageRow.insert(
            uuid="00000000-0000-4000-8000-0000000000bb", kind="local", created_at=utc_now()
        ).execute()
        EVERY_RECORDING.update(Segment, storage_id=other).where(Segment.start_ms == starts[1]).execute()
    path_of(footage, starts[1], 1 + PARTS).unlink()
    scan = reconciliation.scan(folder_of(footage))
    assert (scan.checked, scan.mismatches) == (1, [])


@pytest.mark.parametrize(
    "key",
    [
        "a",
        "x/y/2025-06-16/12/00-00-000_1-1.mp4",
        "{t}/{d}/2025-06-16/12/00-00-000_1-1.txt",
        "{t}/{d}/2025-06-31/12/00-00-000_1-1.mp4",
        "{t}/{d}/2025-06-16/12/61-00-000_1-1.mp4",
        "{t}/{d}/2025-06-16/12/00-00-000_01-1.mp4",
    ],
)
def test_a_key_of_no_segment_is_not_parsed(footage, key):
    assert parse_segment_key(key.format(t=footage.tenant_id, d=footage.device_id)) is None


def test_a_key_is_parsed_into_its_values(footage):
    assert parse_segment_key(footage.key(NOON_MS + 61_007, 12, 345)) == (NOON_MS + 61_007, 12, 345)


def test_folders_come_newest_first_and_reach_back_to_the_oldest_row(scope, footage, storage):
    other = make_footage(scope, storage)
    footage.add(NOON_MS - 3 * DAY_MS)
    today = NOON_MS // DAY_MS
    days = [(folder.day - today, folder.recording_id) for folder in list_folders(NOON_MS)]
    first, second = sorted((footage.recording_id, other.recording_id))
    assert days[:4] == [(1, first), (1, second), (0, first), (0, second)]
    assert days[4:] == [(-1, footage.recording_id), (-2, footage.recording_id), (-3, footage.recording_id)]


# ---- sweeps -------------------------------------------------------------------------------------------------------


@pytest.fixture
def reports(redis_url) -> StorageReports:
    return StorageReports(connect_redis(redis_url))


def test_with_more_than_half_missing_nothing_changes_until_a_person_confirms(
    footage, reconciliation, reports, clock, storage
):
    starts = fill(footage, 4) + fill(footage, 4, NOON_MS - DAY_MS)
    for index, start_ms in enumerate(starts[:4]):
        path_of(footage, start_ms, 1 + PARTS * index).unlink()
    path_of(footage, starts[4], 1).unlink()
    with pytest.raises(TooManyMissing, match="5 of 8") as caught:
        Sweep(reconciliation, reports, clock).survey()
    assert caught.value.reason == "too_many_missing"
    with pytest.raises(TooManyMissing):
        Sweep(reconciliation, reports, clock).repair_recent()
    assert {segment.state for segment in footage.segments()} == {SegmentState.CLOSED}
    accepted = Reconciliation(storage, clock, is_recorded=lambda device_id: False, may_lose=True)
    everything = Sweep(accepted, reports, clock)
    while everything.step(60):
        pass
    assert dict(everything.done) == {"file missing": 5}
    footage.check_consistent()


@pytest.mark.parametrize("days", [0, 1, 99, 150, 151, 525, 526])
def test_a_lost_store_is_noticed_however_long_nothing_was_recorded(footage, reconciliation, reports, clock, root, days):
    fill(footage, 4, NOON_MS)
    shutil.rmtree(root / footage.tenant_id)
    clock.jump(days * DAY_MS / 1000)
    with pytest.raises(TooManyMissing, match="4 of 4"):
        Sweep(reconciliation, reports, clock).survey()


def test_with_half_missing_the_store_is_repaired(footage, reconciliation, reports, clock):
    starts = fill(footage, 4)
    for index in (0, 1):
        path_of(footage, starts[index], 1 + PARTS * index).unlink()
    everything = Sweep(reconciliation, reports, clock)
    everything.survey()
    everything.repair_recent()
    assert dict(everything.done) == {"file missing": 2}
    footage.check_consistent()


def test_a_store_that_empties_after_the_first_sample_is_noticed(footage, reconciliation, reports, clock, root):
    fill(footage, 4)
    everything = Sweep(reconciliation, reports, clock)
    everything.survey()
    shutil.rmtree(root / footage.tenant_id)
    clock.advance(61)
    with pytest.raises(TooManyMissing):
        everything.repair_recent()
    assert {segment.state for segment in footage.segments()} == {SegmentState.CLOSED}


def test_a_sweep_resumes_where_the_last_worker_stopped(
    scope, footage, reconciliation, reports, clock, storage, monkeypatch
):
    other = make_footage(scope, storage)
    for days in range(5):
        fill(footage, 1, NOON_MS - days * DAY_MS)
        fill(other, 1, NOON_MS - days * DAY_MS)
    scanned: list[tuple[int, int]] = []
    scan = reconciliation.scan

    def remember(folder: Folder):
        scanned.append((folder.day, folder.recording_id))
        return scan(folder)

    monkeypatch.setattr(reconciliation, "scan", remember)
    first = Sweep(reconciliation, reports, clock)
    for _ in range(7):
        assert first.step(0)
    second = Sweep(reconciliation, reports, clock)
    while second.step(0):
        pass
    assert scanned == sorted(scanned, key=lambda place: (-place[0], place[1]))
    assert len(scanned) == len(set(scanned)) == 2 * (1 + 5 + 31)


def test_a_sweep_is_due_once_a_day(footage, reconciliation, reports, clock):
    everything = Sweep(reconciliation, reports, clock)
    assert everything.is_due(86_400)
    while everything.step(60):
        pass
    assert not Sweep(reconciliation, reports, clock).is_due(86_400)
    clock.advance(86_401)
    assert Sweep(reconciliation, reports, clock).is_due(86_400)


def test_the_rollup_is_corrected_after_the_file_of_a_lost_row_was_adopted(footage, reconciliation, reports, clock):
    fill(footage, 3)
    lost = footage.segments()[1]
    with database.transaction():
        SegmentParts.delete().where(SegmentParts.segment_id == lost.id).execute()
        EVERY_RECORDING.delete(Segment).where(Segment.id == lost.id).execute()
    with pytest.raises(AssertionError):
        footage.check_roll_up()
    everything = Sweep(reconciliation, reports, clock)
    everything.repair_recent()
    assert dict(everything.done) == {"adopted": 1, "sums corrected": 1}
    footage.check_consistent()
    everything.repair_recent()
    assert everything.done["sums corrected"] == 1


def test_footage_that_retention_deletes_during_a_scan_is_not_lost(footage, reconciliation, storage, monkeypatch):
    """Retention runs in a thread of its own. Taken for lost, it would make the store suspicious."""
    fill(footage, 4)
    listed = storage.list

    def list_late(prefix: str):
        for segment in mark_for_deletion(footage.recording_id, [one.id for one in footage.segments()[:3]]):
            storage.delete(segment.key(footage.tenant_id, footage.device_id))
        return listed(prefix)

    monkeypatch.setattr(storage, "list", list_late)
    scan = reconciliation.scan(folder_of(footage))
    assert (scan.mismatches, scan.lost, scan.checked) == ([], 0, 1)
