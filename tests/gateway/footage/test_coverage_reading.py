"""The coverage of many recordings is that of each, with a number of queries that does not grow with them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.footage import coverage_reading, reading
from gateway.footage.coverage_reading import read_coverage, read_coverages
from gateway.footage.segments import SegmentState
from gateway.schedules.local_days import local_days
from tests.gateway.rows import DAY, HOUR, MINUTE, make_rows
from tests.statements import recorded_statements

MIDNIGHT = round(datetime(2026, 6, 8, tzinfo=UTC).timestamp() * 1000)
NOW = MIDNIGHT + 30 * HOUR
DAYS = local_days(ZoneInfo("UTC"), date(2026, 6, 8), date(2026, 6, 9))


@pytest.fixture
def make(bound_database, scope, box):
    """Recordings of all kinds, one after the other."""

    def make(number: int):
        rows = make_rows(scope, box)
        rows.change(observed="recording")
        if number % 4 != 3:
            rows.record(MIDNIGHT + number * MINUTE, 20)
            rows.note(MIDNIGHT + (20 + number) * MINUTE, MIDNIGHT + 6 * HOUR, "refused")
        if number % 4 == 1:
            rows.record(MIDNIGHT + 7 * HOUR, 4, run=2)
            rows.record(MIDNIGHT + 7 * HOUR + 25 * MINUTE, 3, run=3)
        if number % 4 == 2:
            rows.note(MIDNIGHT - DAY, MIDNIGHT + MINUTE, "stalled")
            rows.note(NOW - HOUR, None, "disk_full")
            rows.record(NOW - 2 * HOUR, 3, run=2, state=SegmentState.MISSING)
        return rows.recording()

    return make


def test_the_coverage_of_many_is_that_of_each(make, scope, monkeypatch):
    monkeypatch.setattr(coverage_reading, "_BATCH", 5)
    monkeypatch.setattr(reading, "_RANGES", 3)
    recordings = [make(number) for number in range(12)]
    found = list(read_coverages(scope, recordings, DAYS, now_ms=NOW))
    assert found == [read_coverage(scope, recording, DAYS, now_ms=NOW) for recording in recordings]
    reasons = {gap.reason_code for days in found for day in days for gap in day.gaps}
    assert {"refused", "stalled", "disk_full"} <= reasons
    assert all(len(days) == 2 for days in found)


def test_the_queries_do_not_grow_with_the_recordings(make, scope):
    recordings = [make(number * 4) for number in range(10)]

    def count(number: int) -> int:
        with recorded_statements() as statements:
            assert len(list(read_coverages(scope, recordings[:number], DAYS, now_ms=NOW))) == number
        return len(statements)

    few = count(2)
    assert few < 20
    assert count(10) <= few


def test_gaps_long_before_the_range_are_not_searched_without_limit(make, scope, monkeypatch):
    """As for one recording, only the newest gaps before a range are checked for reaching into it."""
    monkeypatch.setattr(reading, "_GAPS_BEFORE", 2)
    recordings = [make(2), make(2)]
    for recording in recordings:
        single = reading.noted_gaps(recording.id, DAYS[0].start_ms, NOW)
        assert reading.noted_gaps_of(scope, [recording.id], DAYS[0].start_ms, NOW) == {recording.id: single}


def test_no_recording_has_no_coverage(bound_database, scope):
    assert list(read_coverages(scope, [], DAYS, now_ms=NOW)) == []
