"""Recordings: the wish is one person's word at a time, the fact one recorder's; a deleted device keeps its footage
row."""

import pytest

from gateway import database
from gateway.clock import utc_now
from gateway.errors import LeaseLost, NotFound
from gateway.footage.gap_rows import add_gap, close_gaps, open_gap
from gateway.footage.recordings import (
    Recording,
    RecordingChanged,
    add_event,
    change_settings,
    claim_recording,
    extend_event,
    find_recording,
    observe_recording,
    read_recorder_settings,
    recordings_wanted,
    set_override,
)
from gateway.footage.segments import (
    Fence,
    FifteenMinuteRollup,
    Gap,
    SegmentState,
    SegmentValues,
    StorageRow,
    last_segment,
    open_segments,
    read_packed,
    save_segment,
)
from gateway.inventory import NewRecording, delete_device
from gateway.tenancy.scopes import EVERY_TENANT, FootageScope, TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.factories import make_device

NOW = 1_750_000_000_000
SETTINGS = {
    "mode": "continuous",
    "time_zone": "Europe/Berlin",
    "plan": {"monday": [("08:00", "12:00")]},
    "pre_roll_seconds": 5.0,
    "post_roll_seconds": 10.0,
    "keep_days": 3,
    "keep_bytes": None,
}


@pytest.fixture
def device(scope, box, bound_database):
    return make_device(scope, box)


@pytest.fixture
def other_scope():
    return TenantScope("00000000-0000-4000-8000-0000000000ff")


def test_a_new_device_has_the_requested_recording_settings(scope, box, bound_database):
    from gateway.inventory import DeviceValues, create_device

    values = DeviceValues("Gate", "rtsp://10.0.0.1/")
    device = create_device(scope, values, box, recording=NewRecording("continuous", "Europe/Berlin"))
    recording = find_recording(scope, device.id)
    assert (recording.mode, recording.time_zone, recording.observed) == ("continuous", "Europe/Berlin", "off")
    assert recordings_wanted(NOW) == [device.id]


def test_settings_are_replaced_whole_and_guarded_by_their_version(scope, device):
    first = change_settings(scope, device.id, SETTINGS, if_version=1)
    assert (first.mode, first.keep_days, first.version) == ("continuous", 3, 2)
    assert change_settings(scope, device.id, SETTINGS).version == 2
    with pytest.raises(RecordingChanged):
        change_settings(scope, device.id, SETTINGS | {"mode": "off"}, if_version=1)


def test_an_override_goes_before_the_mode_until_the_mode_changes(scope, device):
    change_settings(scope, device.id, SETTINGS)
    set_override(scope, device.id, "off", by="ann", now_ms=NOW)
    assert recordings_wanted(NOW) == []
    assert read_recorder_settings(device.id).decide(NOW).by_name == "ann"
    set_override(scope, device.id, None, by="ann", now_ms=NOW)
    assert recordings_wanted(NOW) == [device.id]
    set_override(scope, device.id, "on", by="ann", now_ms=NOW, until_ms=NOW + 1000)
    change_settings(scope, device.id, SETTINGS | {"mode": "off"})
    assert recordings_wanted(NOW) == []


def test_an_event_opens_a_window_that_a_later_one_only_lengthens(scope, device):
    change_settings(scope, device.id, SETTINGS | {"mode": "event"})
    add_event(scope, device.id, label="bell", at_ms=NOW, end_ms=NOW + 5000)
    add_event(scope, device.id, label="step", at_ms=NOW)
    assert recordings_wanted(NOW + 14_999) == [device.id]
    assert recordings_wanted(NOW + 15_000) == []


def test_another_tenant_has_no_recording_of_the_device(other_scope, device):
    for call in (
        lambda: find_recording(other_scope, device.id),
        lambda: change_settings(other_scope, device.id, SETTINGS),
        lambda: set_override(other_scope, device.id, "on", by="eve", now_ms=NOW),
        lambda: add_event(other_scope, device.id, label="x", at_ms=NOW),
    ):
        with pytest.raises(NotFound):
            call()


def test_only_the_recorder_with_the_newest_fencing_token_writes_the_observed_state(scope, device):
    first = claim_recording(device.id, "w1")
    second = claim_recording(device.id, "w2")
    assert second.fencing_token == first.fencing_token + 1
    observe_recording(second.recording_id, second.fencing_token, "recording")
    with pytest.raises(LeaseLost):
        observe_recording(first.recording_id, first.fencing_token, "interrupted")
    recording = find_recording(scope, device.id)
    assert (recording.observed, recording.worker) == ("recording", "w2")


def test_the_recording_of_a_deleted_device_stays_until_its_footage_is_deleted(scope, device):
    delete_device(scope, device.id)
    assert claim_recording(device.id, "w1") is None
    assert recordings_wanted(NOW) == []
    with database.session():
        row = EVERY_TENANT.select(Recording).where(Recording.device_id == device.id).first()
    assert row.deleted_at is not None


@pytest.fixture
def fence(device):
    claimed = claim_recording(device.id, "w1")
    return Fence(claimed.recording_id, claimed.fencing_token)


@pytest.fixture
def values(bound_database):
    with database.transaction():
        storage = StorageRow.create(uuid=DEFAULT_TENANT_ID, kind="local", created_at=utc_now())
    return lambda **changed: SegmentValues(
        **(
            {
                "start_ms": NOW,
                "duration_ms": 60_000,
                "run": 1,
                "sequence": 1,
                "parts": 120,
                "frames": 1500,
                "size": 1000,
                "init_size": 100,
                "storage_id": storage.id,
            }
            | changed
        )
    )


def quarters(fence) -> list[tuple[int, int, int, int]]:
    with database.session():
        rows = FootageScope(fence.recording_id).select(FifteenMinuteRollup).order_by(FifteenMinuteRollup.quarter)
        return [(row.quarter - NOW // 900_000, row.recorded_ms, row.bytes, row.segments) for row in rows]


def gaps(fence) -> list[tuple]:
    with database.session():
        rows = FootageScope(fence.recording_id).select(Gap).order_by(Gap.start_ms)
        return [
            (row.start_ms - NOW, row.end_ms and row.end_ms - NOW, row.reason_code, row.by_name, bool(row.is_wanted))
            for row in rows
        ]


def test_an_open_segment_grows_and_counts_once_when_it_is_closed(fence, values):
    segment_id = save_segment(fence, None, values(parts=1, size=200), b"1", is_closed=False)
    assert [(s.id, s.parts) for s in open_segments(fence.recording_id)] == [(segment_id, 1)]
    assert quarters(fence) == []
    for _ in range(2):
        save_segment(fence, segment_id, values(), b"12", is_closed=True)
    assert quarters(fence) == [(0, 60_000, 1000, 1)]
    assert open_segments(fence.recording_id) == []
    assert read_packed(segment_id) == b"12"
    save_segment(fence, None, values(start_ms=NOW + 60_000, sequence=121), b"", is_closed=True)
    assert quarters(fence) == [(0, 120_000, 2000, 2)]


def test_the_last_segment_is_that_of_the_newest_part_also_after_the_clock_was_set_back(fence, values):
    save_segment(fence, None, values(), b"", is_closed=True)
    save_segment(fence, None, values(run=2, start_ms=NOW - 3_600_000), b"", is_closed=False)
    last = last_segment(fence.recording_id)
    assert (last.run, last.state, last.last_sequence) == (2, SegmentState.OPEN, 120)


def test_a_gap_stays_open_until_footage_begins_again(fence):
    open_gap(fence, NOW, "refused", is_wanted=True)
    open_gap(fence, NOW + 5, "refused", is_wanted=True)
    open_gap(fence, NOW + 10, "stopped_by_person", is_wanted=False, by_name="ann")
    assert close_gaps(fence, NOW + 30)
    assert not close_gaps(fence, NOW + 40)
    add_gap(fence, NOW + 50, NOW + 60, "bus_lost")
    add_gap(fence, NOW + 60, NOW + 60, "bus_lost")
    assert gaps(fence) == [
        (0, 10, "refused", None, True),
        (10, 30, "stopped_by_person", "ann", False),
        (50, 60, "bus_lost", None, True),
    ]


def test_footage_that_the_bus_kept_is_cut_out_of_gaps_of_any_reason(fence):
    add_gap(fence, NOW, NOW + 10, "refused")
    open_gap(fence, NOW + 20, "storage_failed", is_wanted=True)
    open_gap(fence, NOW + 30, "storage_unmounted", is_wanted=True)
    open_gap(fence, NOW + 40, "disk_full", is_wanted=True)
    assert close_gaps(fence, NOW + 25)
    assert gaps(fence) == [(0, 10, "refused", None, True), (20, 25, "storage_failed", None, True)]


def test_an_earlier_recorder_can_no_longer_write(fence, values, device):
    claim_recording(device.id, "w2")
    for write in (
        lambda: save_segment(fence, None, values(), b"", is_closed=False),
        lambda: open_gap(fence, NOW, "refused", is_wanted=True),
        lambda: close_gaps(fence, NOW),
        lambda: add_gap(fence, NOW, NOW + 1, "refused"),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert (open_segments(fence.recording_id), gaps(fence)) == ([], [])


def test_an_event_that_goes_on_makes_footage_wanted_for_longer(scope, device):
    event = add_event(scope, device.id, label="person", at_ms=NOW, end_ms=NOW + 1000)
    before = find_recording(scope, device.id).event_until_ms
    extend_event(scope, event.id, NOW + 60_000)
    assert find_recording(scope, device.id).event_until_ms == before + 59_000
    extend_event(scope, event.id, NOW + 2000)
    assert find_recording(scope, device.id).event_until_ms == before + 59_000
    with pytest.raises(NotFound):
        extend_event(scope, 10**9, NOW)
