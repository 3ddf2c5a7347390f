"""Timelines and coverage: covered spans and every gap with its reason, over a day and over years."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.footage.coverage_reading import read_coverage
from gateway.footage.gaps import GapFact
from gateway.footage.segments import SegmentState
from gateway.footage.timelines import Span, read_dates, read_timeline
from gateway.schedules.local_days import local_days
from tests.gateway.rows import DAY, HOUR, MINUTE, make_rows

MIDNIGHT = round(datetime(2026, 6, 8, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def rows(bound_database, scope, box):
    made = make_rows(scope, box)
    made.change(observed="recording")
    return made


def timeline(rows, start, end, *, now=None, **options):
    return read_timeline(rows.scope, rows.recording(), start, end, now_ms=end if now is None else now, **options)


def coverage(rows, first, last, *, now, zone="UTC", read=read_coverage):
    days = local_days(ZoneInfo(zone), first, last)
    return read(rows.scope, rows.recording(), days, *([zone] if read is read_dates else []), now_ms=now)


def facts(gaps):
    return [
        (gap.start_ms - MIDNIGHT, None if gap.end_ms is None else gap.end_ms - MIDNIGHT, gap.reason_code)
        for gap in gaps
    ]


def test_a_day_has_its_spans_and_every_gap_to_the_millisecond(rows):
    rows.record(MIDNIGHT, 60)
    rows.note(MIDNIGHT + HOUR, MIDNIGHT + HOUR + 1500, "recorder_restarted")
    rows.record(MIDNIGHT + HOUR + 1500, 60, run=2)
    found = timeline(rows, MIDNIGHT, MIDNIGHT + 2 * HOUR)
    assert found.spans == [
        Span(MIDNIGHT, MIDNIGHT + HOUR, 1.0),
        Span(MIDNIGHT + HOUR + 1500, MIDNIGHT + 2 * HOUR, 1.0),
    ]
    assert facts(found.gaps) == [(HOUR, HOUR + 1500, "recorder_restarted")]


def test_spans_with_a_hole_shorter_than_the_resolution_are_merged_and_the_gap_is_kept(rows):
    rows.record(MIDNIGHT, 60)
    rows.note(MIDNIGHT + HOUR, MIDNIGHT + HOUR + 6000, "stalled")
    rows.record(MIDNIGHT + HOUR + 6000, 59, run=2)
    found = timeline(rows, MIDNIGHT, MIDNIGHT + 2 * HOUR, resolution_ms=60_000)
    assert [(span.start_ms, round(span.coverage, 3)) for span in found.spans] == [(MIDNIGHT, 0.999)]
    assert facts(found.gaps)[0] == (HOUR, HOUR + 6000, "stalled")


def test_the_open_minute_is_covered_and_the_last_seconds_are_no_gap(rows):
    rows.record(MIDNIGHT, 10)
    rows.record(MIDNIGHT + 10 * MINUTE, length_ms=20_000, sequence=1201, state=SegmentState.OPEN)
    found = timeline(rows, MIDNIGHT, MIDNIGHT + HOUR, now=MIDNIGHT + 10 * MINUTE + 24_000)
    assert found.spans == [Span(MIDNIGHT, MIDNIGHT + 10 * MINUTE + 20_000, 1.0)]
    assert found.gaps == []


def test_a_recorder_that_is_away_now_leaves_an_open_gap(rows):
    rows.record(MIDNIGHT, 10)
    found = timeline(rows, MIDNIGHT, MIDNIGHT + HOUR, now=MIDNIGHT + 30 * MINUTE)
    assert found.gaps == [GapFact(MIDNIGHT + 10 * MINUTE, None, "recorder_away")]


def test_future_time_is_neither_covered_nor_missing(rows):
    rows.record(MIDNIGHT, 10)
    found = timeline(rows, MIDNIGHT + DAY, MIDNIGHT + 2 * DAY, now=MIDNIGHT + 10 * MINUTE)
    assert (found.spans, found.gaps) == ([], [])
    assert timeline(rows, MIDNIGHT + DAY, MIDNIGHT + 200 * DAY, now=MIDNIGHT + 10 * MINUTE).gaps == []


def test_unrecorded_gaps_are_inferred(rows):
    rows.record(MIDNIGHT + HOUR, 1)
    rows.record(MIDNIGHT + HOUR + 2 * MINUTE, 1, run=2)
    rows.record(MIDNIGHT + HOUR + 4 * MINUTE, 1, run=3)
    rows.record(MIDNIGHT + HOUR + 3 * MINUTE, 1, run=4, state=SegmentState.MISSING)
    rows.change(expired_before_ms=MIDNIGHT + 30 * MINUTE)
    found = timeline(rows, MIDNIGHT, MIDNIGHT + HOUR + 5 * MINUTE)
    assert facts(found.gaps) == [
        (0, HOUR, "not_recorded_yet"),  # the device was made long after these days
        (HOUR + MINUTE, HOUR + 2 * MINUTE, "unknown"),
        (HOUR + 3 * MINUTE, HOUR + 4 * MINUTE, "file_missing"),
    ]
    assert [gap.is_wanted for gap in found.gaps] == [False, True, True]


def test_a_long_gap_explains_holes_below_hundreds_of_later_gaps(rows):
    rows.record(MIDNIGHT - HOUR, 60)
    rows.note(MIDNIGHT, MIDNIGHT + DAY, "deleted_by_person", by="operator")
    for number in range(100):
        rows.note(MIDNIGHT + number * MINUTE, MIDNIGHT + number * MINUTE + 2000, "refused")
    rows.record(MIDNIGHT + DAY, 1, run=2)
    found = timeline(rows, MIDNIGHT + 20 * HOUR, MIDNIGHT + 21 * HOUR, now=MIDNIGHT + 2 * DAY)
    assert found.gaps == [GapFact(MIDNIGHT + 20 * HOUR, MIDNIGHT + 21 * HOUR, "deleted_by_person", "operator")]


def record_days(rows, first, last, *, missing=()):
    """Whole days of footage, four hours a row of files, but for those numbers of them in `missing`."""
    for number in range(first * 6, last * 6):
        if number not in missing:
            rows.record(MIDNIGHT + number * 4 * HOUR, 24, run=number + 1, length_ms=10 * MINUTE, parts=1200)


def test_a_year_is_read_from_the_rollup_with_the_visible_gaps(rows):
    record_days(rows, 0, 10, missing=(7, 8))
    rows.note(MIDNIGHT + 28 * HOUR, MIDNIGHT + 36 * HOUR, "refused")
    rows.note(MIDNIGHT + 2 * DAY, MIDNIGHT + 2 * DAY + 5000, "stalled")
    found = timeline(rows, MIDNIGHT - 100 * DAY, MIDNIGHT + 265 * DAY, now=MIDNIGHT + 10 * DAY)
    assert found.resolution_ms == 6 * HOUR
    assert [(gap.reason_code, gap.end_ms) for gap in found.gaps] == [
        ("not_recorded_yet", MIDNIGHT),
        ("refused", MIDNIGHT + 36 * HOUR),
    ]
    covered = sum((span.end_ms - span.start_ms) * span.coverage for span in found.spans)
    assert covered == pytest.approx(10 * DAY - 8 * HOUR, rel=0.001)
    assert len(found.spans) <= 5


def test_chains_of_short_gaps_explain_a_long_hole_over_a_year(rows):
    record_days(rows, 0, 4, missing=(6, 7, 8, 9))
    for number in range(16 * 4):
        start = MIDNIGHT + DAY + number * 15 * MINUTE
        rows.note(start, start + 15 * MINUTE, "refused" if number % 4 else "timed_out")
    found = timeline(rows, MIDNIGHT, MIDNIGHT + 365 * DAY, now=MIDNIGHT + 4 * DAY)
    assert [gap.reason_code for gap in found.gaps] == ["refused"]


@pytest.mark.parametrize(
    ("days", "resolution"), [(4, 15 * MINUTE), (31, 30 * MINUTE), (365, 6 * HOUR), (3600, 2 * DAY)]
)
def test_the_resolution_follows_the_range(rows, days, resolution):
    assert timeline(rows, MIDNIGHT, MIDNIGHT + days * DAY).resolution_ms == resolution
    assert timeline(rows, MIDNIGHT, MIDNIGHT + days * DAY, resolution_ms=1).resolution_ms == resolution
    assert timeline(rows, MIDNIGHT, MIDNIGHT + days * DAY, resolution_ms=7 * DAY).resolution_ms == 7 * DAY


def test_coverage_has_every_gap_of_a_day_including_unrecorded_ones(rows):
    rows.record(MIDNIGHT, 12 * 60)
    rows.note(MIDNIGHT + 12 * HOUR, MIDNIGHT + 13 * HOUR, "stopped_by_person", by="operator", is_wanted=False)
    rows.record(MIDNIGHT + 13 * HOUR, 60, run=2)
    rows.record(MIDNIGHT + 14 * HOUR + 10 * MINUTE, 590, run=3)
    day = coverage(rows, date(2026, 6, 8), date(2026, 6, 8), now=MIDNIGHT + DAY)[0]
    assert facts(day.gaps) == [
        (12 * HOUR, 13 * HOUR, "stopped_by_person"),
        (14 * HOUR, 14 * HOUR + 10 * MINUTE, "unknown"),
    ]
    assert day.recorded_ms == 23 * HOUR - 10 * MINUTE
    assert day.wanted_ms == 23 * HOUR
    assert day.coverage == round((23 * 60 - 10) / (23 * 60), 4)


def test_coverage_and_dates_agree(rows):
    record_days(rows, 0, 3, missing=(4,))
    rows.note(MIDNIGHT + 16 * HOUR, MIDNIGHT + 20 * HOUR, "refused")
    now = MIDNIGHT + 3 * DAY
    asked = (date(2026, 6, 1), date(2026, 6, 12))
    exact = coverage(rows, *asked, now=now)
    quick = coverage(rows, *asked, now=now, read=read_dates)
    assert [(d.day.date, d.recorded_ms, d.wanted_ms) for d in exact] == [
        (d.day.date, d.recorded_ms, d.wanted_ms) for d in quick
    ]
    assert [day.coverage for day in quick] == [None] * 7 + [0.8333, 1.0, 1.0]
    assert [day.wanted_ms // HOUR for day in quick][-3:] == [24, 24, 24]


def test_a_day_of_the_clock_change_is_whole_in_its_zone(rows):
    berlin = ZoneInfo("Europe/Berlin")
    spring = local_days(berlin, date(2026, 3, 29), date(2026, 3, 29))[0]
    rows.record(spring.start_ms - HOUR, 60 * 25, run=1)
    day = coverage(rows, date(2026, 3, 29), date(2026, 3, 29), now=spring.end_ms + DAY, zone="Europe/Berlin")[0]
    assert (day.recorded_ms, day.wanted_ms, day.coverage, day.gaps) == (23 * HOUR, 23 * HOUR, 1.0, [])


def test_a_recording_that_is_off_without_a_recorded_gap_is_not_wanted(rows):
    rows.record(MIDNIGHT, 60)
    rows.change(mode="off", observed="off")
    day = coverage(rows, date(2026, 6, 8), date(2026, 6, 8), now=MIDNIGHT + 2 * HOUR, read=read_dates)[0]
    assert (day.wanted_ms, day.coverage) == (HOUR, 1.0)
