"""Coverage of days, and its CSV for spreadsheets."""

import csv
import io
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from gateway.footage.coverage import CSV_HEAD, DeviceCoverage, measure_days, write_csv
from gateway.footage.gaps import GapFact
from gateway.schedules.local_days import local_days

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3_600_000


def berlin_days(first, last):
    return local_days(BERLIN, first, last)


def test_wanted_time_is_the_passed_time_without_unwanted_gaps():
    day = berlin_days(date(2026, 11, 20), date(2026, 11, 20))[0]
    gaps = [
        GapFact(day.start_ms - HOUR, day.start_ms + 8 * HOUR, "not_planned", None, False),
        GapFact(day.start_ms + 9 * HOUR, day.start_ms + 10 * HOUR, "refused"),
        GapFact(day.start_ms + 18 * HOUR, day.end_ms + HOUR, "not_planned", None, False),
    ]
    found = measure_days([day], {day.number: (9 * HOUR, 5, 540)}, gaps, day.end_ms + 5 * HOUR)[0]
    assert (found.recorded_ms, found.wanted_ms, found.coverage) == (9 * HOUR, 10 * HOUR, 0.9)
    assert [(gap.start_ms - day.start_ms, gap.end_ms - day.start_ms) for gap in found.gaps] == [
        (0, 8 * HOUR),
        (9 * HOUR, 10 * HOUR),
        (18 * HOUR, 24 * HOUR),
    ]


def test_the_present_day_counts_up_to_now_and_later_days_are_left_out():
    days = berlin_days(date(2026, 11, 20), date(2026, 11, 23))
    now = days[1].start_ms + 6 * HOUR
    found = measure_days(days, {}, [GapFact(days[1].start_ms + HOUR, None, "disk_full")], now)
    assert [day.wanted_ms for day in found] == [24 * HOUR, 6 * HOUR]
    assert found[1].gaps[0].end_ms is None
    assert found[1].coverage == 0.0


def test_a_gap_over_several_days_is_cut_at_their_ends_and_open_only_today():
    days = berlin_days(date(2026, 11, 20), date(2026, 11, 22))
    found = measure_days(days, {}, [GapFact(days[0].start_ms + HOUR, None, "refused")], days[2].start_ms + HOUR)
    assert [gap.end_ms for day in found for gap in day.gaps] == [days[0].end_ms, days[1].end_ms, None]


def test_a_day_without_wanted_footage_has_no_coverage():
    day = berlin_days(date(2026, 11, 20), date(2026, 11, 20))[0]
    found = measure_days([day], {}, [GapFact(day.start_ms, day.end_ms, "recording_off", None, False)], day.end_ms)[0]
    assert (found.wanted_ms, found.coverage) == (0, None)


def test_a_day_of_twenty_five_hours_is_whole_with_twenty_five_hours():
    day = berlin_days(date(2026, 10, 25), date(2026, 10, 25))[0]
    found = measure_days([day], {day.number: (25 * HOUR, 1, 1)}, [], day.end_ms)[0]
    assert (found.wanted_ms, found.coverage) == (25 * HOUR, 1.0)


def table(name="Gate", by=None):
    day = berlin_days(date(2026, 11, 20), date(2026, 11, 20))[0]
    gaps = [GapFact(day.start_ms + 500, day.start_ms + HOUR, "stopped_by_person", by, False)]
    days = measure_days([day], {day.number: (23 * HOUR, 5, 540)}, gaps, day.end_ms)
    return "".join(write_csv([DeviceCoverage("d-1", name, days)], BERLIN, day.end_ms))


def test_the_csv_has_a_header_and_complete_rows_by_rfc_4180():
    text = table('He said "hello",\nü')
    assert text.endswith("\r\n")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == list(CSV_HEAD)
    assert {len(row) for row in rows} == {len(CSV_HEAD)}
    assert rows[1][1] == 'He said "hello",\nü'


def test_the_csv_has_times_with_offset_and_in_utc():
    rows = list(csv.DictReader(io.StringIO(table(), newline="")))
    day, gap = rows
    assert (day["kind"], day["recorded_seconds"], day["coverage"]) == ("day", "82800.000", "1.0000")
    assert gap["gap_start"] == "2026-11-20T00:00:00.500+01:00"
    assert gap["gap_start_utc"] == "2026-11-19T23:00:00.500Z"
    assert gap["gap_end"] == "2026-11-20T01:00:00.000+01:00"
    assert (gap["gap_seconds"], gap["is_wanted"], gap["reason_code"]) == ("3599.500", "no", "stopped_by_person")


def test_no_cell_is_a_formula_for_a_spreadsheet():
    for name in ("=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\tx", "\rx", "＝1"):
        rows = list(csv.DictReader(io.StringIO(table(name, by="=HYPERLINK(1)"), newline="")))
        assert rows[0]["device_name"] == "'" + name
        assert rows[1]["by"] == "'=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a,@SUM(A1)|-2", "a,'@SUM(A1)|'-2"),
        ('a;"=1+1";b', 'a;\'"=1+1";b'),
        ("a; \u201c=1", "a;' \u201c=1"),
        ("a\t+1\n-1\r\n=1", "a\t'+1\n'-1\r\n'=1"),
        ("a;;;=1", "a;;;'=1"),
        (" =1", "' =1"),
        ("'=1", "''=1"),
        ("a;＝1", "a;'＝1"),
        ("Gate - north = 1 + 1 @home", "Gate - north = 1 + 1 @home"),
        ("Gate (a; b), c", "Gate (a; b), c"),
        ("a-1;b=2", "a-1;b=2"),
    ],
)
def test_no_part_of_a_cell_is_a_formula_whatever_separates_the_cells(name, cell):
    assert next(csv.DictReader(io.StringIO(table(name), newline="")))["device_name"] == cell
