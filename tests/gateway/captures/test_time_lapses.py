"""The pictures of a time-lapse: the first of each step, for steps and ranges of any length."""

import pytest

from gateway.captures.time_lapses import Steps, nearest_snapshots, pick_key_frames, pick_snapshots
from gateway.inventory import find_device
from tests.gateway.rows import DAY, HOUR, MINUTE, make_rows, make_snapshot
from tests.playback import NOON_MS

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def rows(bound_database, scope, box):
    return make_rows(scope, box)


def pick(rows, start_ms: int, end_ms: int, step_ms: float):
    """The moments of the pictures after NOON_MS with their numbers of steps, and the gaps likewise."""
    picks = pick_key_frames(rows.recording(), Steps(NOON_MS + start_ms, NOON_MS + end_ms, step_ms))
    return (
        [(one.frame.at_ms - NOON_MS, one.steps) for one in picks.pictures],
        [(start - NOON_MS, end - NOON_MS) for start, end in picks.gaps],
    )


def test_each_step_has_its_first_key_frame(rows):
    rows.record(NOON_MS, minutes=3, has_parts=True)
    assert pick(rows, 0, 3 * MINUTE, 30_000) == ([(number * 30_000, 1) for number in range(6)], [])
    pictures, gaps = pick(rows, 1000, 3 * MINUTE, 30_000)
    assert pictures[:2] == [(2000, 1), (32_000, 1)]
    assert gaps == []


@on_sqlite
def test_a_key_frame_has_its_offset_in_the_file(rows):
    rows.record(NOON_MS, has_parts=True)
    picks = pick_key_frames(rows.recording(), Steps(NOON_MS, NOON_MS + MINUTE, 20_000))
    (first, second, _) = (one.frame for one in picks.pictures)
    assert (first.offset, first.init_size) == (900, 900)
    assert second.offset == 900 + 40 * second.size
    assert first.key == second.key


@on_sqlite
def test_short_steps_show_the_key_frame_before_them_also_at_the_start(rows):
    rows.record(NOON_MS, has_parts=True)
    assert pick(rows, 3000, 6000, 500) == ([(2000, 2), (4000, 4)], [])


@on_sqlite
def test_time_without_footage_is_a_gap_at_the_start_in_the_middle_and_at_the_end(rows):
    rows.record(NOON_MS + MINUTE, has_parts=True)
    rows.record(NOON_MS + 4 * MINUTE, run=2, has_parts=True)
    pictures, gaps = pick(rows, 0, 6 * MINUTE, 1000)
    assert sum(steps for _, steps in pictures) == 120
    assert gaps == [(0, MINUTE), (2 * MINUTE, 4 * MINUTE), (5 * MINUTE, 6 * MINUTE)]
    assert pick(rows, 0, 6 * MINUTE, MINUTE) == (
        [(MINUTE, 1), (4 * MINUTE, 1)],
        [(0, MINUTE), (2 * MINUTE, 4 * MINUTE), (5 * MINUTE, 6 * MINUTE)],
    )


@on_sqlite
def test_footage_that_ended_before_the_range_is_not_used(rows):
    rows.record(NOON_MS - MINUTE - 5000, has_parts=True)
    rows.record(NOON_MS + 7000, run=2, has_parts=True)
    assert pick(rows, 0, 9000, 1000) == ([(7000, 2)], [(0, 7000)])
    assert pick(rows, 0, 5000, 1000) == ([], [(0, 5000)])


@on_sqlite
def test_long_steps_skip_footage_that_they_do_not_need(rows, monkeypatch):
    from gateway.captures import time_lapses

    for day in range(5):
        rows.record(NOON_MS + day * DAY, minutes=3, run=day + 1, has_parts=True)
    read = []
    original = time_lapses.packed_between
    monkeypatch.setattr(time_lapses, "packed_between", lambda *where: read.append(where) or original(*where))
    pictures, gaps = pick(rows, 0, 5 * DAY, 12 * HOUR)
    assert [moment for moment, _ in pictures] == [day * DAY for day in range(5)]
    assert gaps == [(day * DAY + 12 * HOUR, (day + 1) * DAY) for day in range(5)]
    assert len(read) == 5, "the index of one file for each step with footage"


@on_sqlite
def test_a_step_takes_its_picture_from_any_footage_in_it(rows):
    rows.record(NOON_MS + 5 * HOUR + 7 * MINUTE, minutes=2, has_parts=True)
    assert pick(rows, 0, 12 * HOUR, 6 * HOUR) == ([(5 * HOUR + 7 * MINUTE, 1)], [(6 * HOUR, 12 * HOUR)])


@pytest.mark.parametrize(
    ("length", "step", "count"), [(10_000, 3000, 4), (9000, 3000, 3), (1, 3000, 1), (2000, 80, 25)]
)
def test_steps_cover_the_range(length, step, count):
    steps = Steps(NOON_MS, NOON_MS + length, step)
    assert steps.count == count
    assert (steps.start_of(0), steps.start_of(count)) == (NOON_MS, NOON_MS + length)
    assert steps.number_of(NOON_MS + length - 1) == count - 1


def test_snapshots_of_a_range_of_a_device(rows, scope, box):
    device = find_device(scope, rows.device_id)
    kept = [make_snapshot(scope, device, NOON_MS + at, schedule_id=at % 2) for at in (0, 10, 999, 1500, 5001)]
    make_snapshot(scope, device, NOON_MS + 20, deleted_at=device.created_at)
    make_snapshot(scope, find_device(scope, make_rows(scope, box).device_id), NOON_MS + 20)

    def picked(**options):
        return [one.at_ms - NOON_MS for one in pick_snapshots(scope, device.id, NOON_MS, NOON_MS + 5001, **options)]

    assert picked() == [0, 10, 999, 1500]
    assert picked(step_ms=1000) == [0, 1500]
    assert picked(schedule_id=1) == [999]
    assert nearest_snapshots(scope, device.id, NOON_MS + 1500) == (NOON_MS + 999, NOON_MS + 1500)
    assert nearest_snapshots(scope, device.id, NOON_MS) == (None, kept[0].at_ms)
