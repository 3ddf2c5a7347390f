"""Queries of footage: segments and amounts of a range, its holes and its gaps."""

import uuid
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway import database
from gateway.clock import utc_now
from gateway.errors import NotFound
from gateway.footage.amounts import amounts_by_bucket, amounts_by_day
from gateway.footage.gaps import GapFact
from gateway.footage.lists import (
    RecordedSums,
    Totals,
    read_edges,
    read_totals,
    select_recordings,
)
from gateway.footage.reading import (
    find_segment,
    holes_between,
    main_gap,
    nearest_footage,
    noted_gaps,
    packed_between,
    segments_between,
)
from gateway.footage.recorder_status import EvidenceReader, recording_statuses
from gateway.footage.segments import SegmentState
from gateway.redis_client import connect_redis
from gateway.schedules.local_days import local_days, offset_steps
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import Tenant
from tests.gateway.rows import DAY, HOUR, MINUTE, SIZE, make_rows

#: A Monday at noon, UTC.
NOON = 1_750_075_200_000


@pytest.fixture
def rows(bound_database, scope, box):
    return make_rows(scope, box, name="Gate")


def test_a_range_has_the_segments_that_overlap_it(rows):
    ids = rows.record(NOON, 5)
    found = segments_between(rows.id, NOON + MINUTE + 1, NOON + 3 * MINUTE)
    assert [segment.id for segment in found] == ids[1:3]
    assert found[0].end_ms == NOON + 2 * MINUTE
    assert [s.id for s in segments_between(rows.id, NOON, NOON + DAY, limit=2)] == ids[:2]
    assert segments_between(rows.id, NOON - HOUR, NOON) == []


def test_only_playable_segments_are_found(rows):
    closed = rows.record(NOON)
    opened = rows.record(NOON + MINUTE, state=SegmentState.OPEN)
    gone = rows.record(NOON + 2 * MINUTE, state=SegmentState.MISSING) + rows.record(
        NOON + 3 * MINUTE, state=SegmentState.GARBAGE
    )
    found = segments_between(rows.id, NOON, NOON + HOUR)
    assert [(s.id, s.is_open) for s in found] == [(closed[0], False), (opened[0], True)]
    for segment_id in gone:
        with pytest.raises(NotFound):
            find_segment(rows.id, segment_id)


def test_the_indexes_of_parts_come_with_their_segments(rows):
    ids = rows.record(NOON, 2, has_parts=True)
    found = packed_between(rows.id, NOON, NOON + HOUR)
    assert sorted(found) == ids
    assert {len(packed) for packed in found.values()} == {120 * 14}


def test_footage_of_another_recording_is_not_found(rows, scope, box):
    other = make_rows(scope, box)
    ids = other.record(NOON, 2)
    assert segments_between(rows.id, NOON, NOON + HOUR) == []
    with pytest.raises(NotFound):
        find_segment(rows.id, ids[0])
    assert find_segment(other.id, ids[0]).id == ids[0]


def test_the_nearest_footage_is_found_on_both_sides(rows):
    assert nearest_footage(rows.id, NOON) == (None, None)
    rows.record(NOON, 2)
    rows.record(NOON + HOUR, run=2)
    assert nearest_footage(rows.id, NOON + 30 * MINUTE) == (NOON + 2 * MINUTE, NOON + HOUR)
    assert nearest_footage(rows.id, NOON - 1) == (None, NOON)
    assert nearest_footage(rows.id, NOON + DAY) == (NOON + HOUR + MINUTE, None)
    assert nearest_footage(rows.id, NOON + 90_000)[0] == NOON + 90_000


def test_totals_include_open_segments(rows, scope, box):
    empty = make_rows(scope, box)
    rows.record(NOON, 3)
    rows.record(NOON + 3 * MINUTE, length_ms=20_000, state=SegmentState.OPEN)
    rows.record(NOON + 5 * MINUTE, state=SegmentState.MISSING)
    end = NOON + 3 * MINUTE + 20_000
    assert read_totals(scope, [rows.id, empty.id], NOON + HOUR) == {
        rows.id: Totals(NOON, end, 4 * SIZE, 3 * MINUTE + 20_000, 4 * SIZE),
        empty.id: Totals(),
    }
    assert read_edges(scope, [rows.id]) == {rows.id: (NOON, end)}
    assert read_totals(scope, [], NOON) == {}


def test_old_sums_are_cached_until_a_deletion_and_new_ones_are_not(rows, scope):
    sums = RecordedSums(lambda: 0.0)
    rows.record(NOON, 2)

    def read(now):
        return sums.read([rows.id], now)[rows.id].segments

    assert read(NOON + DAY) == 2
    rows.record(NOON + 3 * MINUTE, run=2)
    rows.record(NOON + DAY, run=3)
    assert read(NOON + DAY) == 3
    sums.forget(rows.id)
    assert read(NOON + DAY) == 4
    rows.record(NOON + 5 * MINUTE, run=4)
    assert read(NOON + 2 * DAY) == 5


@pytest.mark.parametrize(("took", "kept"), [(0.0, 2.0), (0.1, 20.0), (60.0, 600.0)])
def test_sums_are_cached_for_longer_the_longer_they_took(rows, took, kept):
    times = iter([0.0, took, *[kept - 0.1] * 2, *[kept + 0.1] * 2])
    sums = RecordedSums(lambda: next(times))
    seen = []
    for run in (1, 2, 3):
        rows.record(NOON + run * MINUTE, run=run)
        seen.append(sums.read([rows.id], NOON + DAY)[rows.id].segments)
    assert seen == [1, 1, 3]


def test_recordings_of_another_tenant_are_not_found(rows, scope):
    tenant_id = str(uuid.uuid4())
    with database.transaction():
        Tenant.insert(id=tenant_id, name="other", created_at=utc_now()).execute()
    stranger = TenantScope(tenant_id)
    rows.record(NOON)
    assert read_totals(stranger, [rows.id], NOON) == {}
    evidence = EvidenceReader(connect_redis("redis://127.0.0.1:1/0"), recorder=lambda: None)
    assert recording_statuses(stranger, [rows.device_id], evidence) == {}
    assert select_recordings(stranger, text=None, device_ids=(), limit=10, offset=0) == ([], 0)
    assert recording_statuses(scope, [rows.device_id], evidence)[rows.device_id].mode == "continuous"


def test_recordings_are_listed_by_name_searched_and_filtered(rows, scope, box):
    door = make_rows(scope, box, name="Door")

    def names(**options):
        found, total = select_recordings(
            scope, **({"text": None, "device_ids": (), "limit": 10, "offset": 0} | options)
        )
        return [recording.device.name for recording in found], total

    assert names() == (["Door", "Gate"], 2)
    assert names(limit=1, offset=1) == (["Gate"], 2)
    assert names(text="doo") == (["Door"], 1)
    assert names(device_ids=[door.device_id]) == (["Door"], 1)


@pytest.mark.parametrize(("zone", "first_hour"), [("UTC", 0), ("Europe/Berlin", 22), ("Asia/Kathmandu", 18.25)])
def test_days_are_counted_in_their_time_zone(rows, zone, first_hour):
    midnight = round(datetime(2026, 6, 9, tzinfo=UTC).timestamp() * 1000)
    begins = midnight if first_hour == 0 else midnight - DAY + int(first_hour * HOUR)
    rows.record(begins - 2 * MINUTE, 4)
    info = ZoneInfo(zone)
    days = local_days(info, date(2026, 6, 8), date(2026, 6, 9))
    found = amounts_by_day(rows.id, days, offset_steps(info, days))
    assert [tuple(found[day.number]) for day in days] == [(2 * MINUTE, 2 * SIZE, 2, 0, 0)] * 2


def test_a_change_of_daylight_saving_time_moves_the_days(rows):
    berlin = ZoneInfo("Europe/Berlin")
    days = local_days(berlin, date(2026, 3, 28), date(2026, 3, 30))
    for day in days:
        rows.record(day.start_ms, 1)
        rows.record(day.end_ms - MINUTE, 1, run=2)
    found = amounts_by_day(rows.id, days, offset_steps(berlin, days))
    assert [found[day.number].segments for day in days] == [2, 2, 2]


def test_the_open_segment_counts_for_its_day_and_bucket(rows):
    rows.record(NOON, 1)
    rows.record(NOON + MINUTE, length_ms=5000, state=SegmentState.OPEN)
    day = local_days(ZoneInfo("UTC"), date(2025, 6, 16), date(2025, 6, 16))
    assert tuple(amounts_by_day(rows.id, day, offset_steps(ZoneInfo("UTC"), day))[day[0].number]) == (
        65_000,
        2 * SIZE,
        2,
        0,
        0,
    )
    assert amounts_by_bucket(rows.id, NOON, NOON + HOUR, HOUR)[NOON // HOUR].recorded_ms == 65_000
    assert amounts_by_bucket(rows.id, NOON + HOUR, NOON + DAY, HOUR) == {}


def test_a_range_without_footage_is_one_hole(rows):
    assert holes_between(rows.id, NOON, NOON + HOUR) == [(NOON, NOON + HOUR)]
    assert holes_between(rows.id, NOON, NOON) == []


def test_holes_are_between_files_before_the_first_and_after_the_last(rows):
    rows.record(NOON, 2)
    rows.record(NOON + 3 * MINUTE, 2, run=2)
    assert holes_between(rows.id, NOON - HOUR, NOON + HOUR) == [
        (NOON - HOUR, NOON),
        (NOON + 2 * MINUTE, NOON + 3 * MINUTE),
        (NOON + 5 * MINUTE, NOON + HOUR),
    ]
    assert holes_between(rows.id, NOON + 30_000, NOON + 90_000) == []
    assert holes_between(rows.id, NOON + 150_000, NOON + 170_000) == [(NOON + 150_000, NOON + 170_000)]


def test_consecutive_parts_of_a_run_leave_no_hole_despite_rounding(rows):
    rows.record(NOON, 1, parts=120)
    rows.record(NOON + MINUTE + 700, 1, sequence=121)
    assert holes_between(rows.id, NOON, NOON + 2 * MINUTE) == []
    rows.record(NOON + 3 * MINUTE, 1, run=2)
    rows.record(NOON + 4 * MINUTE + 700, 1, run=2, sequence=122)
    assert (NOON + 4 * MINUTE, NOON + 4 * MINUTE + 700) in holes_between(rows.id, NOON, NOON + HOUR)


def test_footage_recorded_twice_because_the_clock_was_set_back_hides_no_hole(rows):
    rows.record(NOON, 10)
    rows.record(NOON + 5 * MINUTE, 2, run=2)
    rows.record(NOON + 20 * MINUTE, 1, run=3)
    assert holes_between(rows.id, NOON, NOON + 21 * MINUTE) == [(NOON + 10 * MINUTE, NOON + 20 * MINUTE)]


def test_recorded_gaps_are_those_that_overlap_the_range(rows):
    rows.note(NOON, NOON + MINUTE, "refused")
    rows.note(NOON + HOUR, NOON + 2 * HOUR, "stopped_by_person", by="operator", is_wanted=False)
    rows.note(NOON + 3 * HOUR, None, "disk_full")
    pre_roll_filter = GapFact(NOON + HOUR, NOON + 2 * HOUR, "stopped_by_person", "operator", False)
    full = GapFact(NOON + 3 * HOUR, None, "disk_full")
    assert noted_gaps(rows.id, NOON + 90 * MINUTE, NOON + 4 * HOUR) == [pre_roll_filter, full]
    assert noted_gaps(rows.id, NOON + MINUTE, NOON + HOUR) == []
    assert noted_gaps(rows.id, NOON + DAY, NOON + 2 * DAY) == [full]
    assert noted_gaps(rows.id, NOON, NOON + DAY, at_least_ms=HOUR) == [pre_roll_filter, full]


def test_the_main_gap_spans_the_range_or_has_the_longest_reason(rows):
    rows.note(NOON, NOON + DAY, "recording_off", is_wanted=False)
    for number in range(80):
        rows.note(NOON + number * MINUTE, NOON + number * MINUTE + 1000, "refused")
    assert main_gap(rows.id, NOON + 20 * HOUR, NOON + 21 * HOUR) == GapFact(
        NOON + 20 * HOUR, NOON + 21 * HOUR, "recording_off", None, False
    )
    for number in range(60):
        rows.note(NOON + 2 * DAY + number * MINUTE, NOON + 2 * DAY + (number + 1) * MINUTE, "no_video")
    assert main_gap(rows.id, NOON + 2 * DAY, NOON + 2 * DAY + HOUR).reason_code == "no_video"
    assert main_gap(rows.id, NOON + 3 * DAY, NOON + 4 * DAY) is None
