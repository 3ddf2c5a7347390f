"""Holes get the reason of a recorded gap, or an inferred one."""

import pytest

from gateway.footage.gaps import GapFact, Knowledge, cut_out, explain_holes, join_gaps, merge_ranges
from gateway.schedules.recording_plan import Decision

HOUR = 3_600_000
NOW = 100 * HOUR
WANTED = Decision(True, cause="continuous")


def known(**values):
    facts = {
        "now_ms": NOW,
        "begins_ms": 0,
        "expired_before_ms": 0,
        "decision": WANTED,
        "observed": "recording",
        "reason_code": None,
    }
    return Knowledge(**(facts | values))


def test_a_hole_has_the_reason_of_the_recorded_gap_and_keeps_its_length():
    noted = [GapFact(10_500, 20_500, "refused")]
    assert explain_holes([(11_000, 20_000)], noted, known()) == [GapFact(11_000, 20_000, "refused")]


def test_a_recorded_gap_that_footage_covers_is_left_out():
    assert explain_holes([], [GapFact(0, 1000, "refused")], known()) == []


def test_a_hole_with_several_reasons_is_cut_at_them():
    noted = [GapFact(0, 3000, "refused"), GapFact(3000, 9000, "recording_off", None, False)]
    assert explain_holes([(0, 10_000)], noted, known()) == [
        GapFact(0, 3000, "refused"),
        GapFact(3000, 9000, "recording_off", None, False),
        GapFact(9000, 10_000, "unknown", message="no reason was noted"),
    ]


def test_a_moment_between_two_recorded_gaps_is_no_gap():
    noted = [GapFact(0, 3000, "refused"), GapFact(3100, 9900, "no_video")]
    assert [(gap.start_ms, gap.end_ms) for gap in explain_holes([(0, 10_000)], noted, known())] == [
        (0, 3000),
        (3000, 9900),
    ]


def test_an_open_gap_lasts_until_now_but_ends_where_footage_begins():
    noted = [GapFact(1000, None, "disk_full")]
    assert explain_holes([(2000, NOW)], noted, known()) == [GapFact(2000, None, "disk_full")]
    assert explain_holes([(2000, 5000)], noted, known()) == [GapFact(2000, 5000, "disk_full")]


def test_expired_and_never_recorded_times_are_not_wanted():
    found = explain_holes([(0, 50_000)], [], known(begins_ms=10_000, expired_before_ms=40_000))
    assert [(gap.start_ms, gap.end_ms, gap.reason_code, gap.is_wanted) for gap in found] == [
        (0, 10_000, "not_recorded_yet", False),
        (10_000, 40_000, "retention", False),
        (40_000, 50_000, "unknown", True),
    ]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"observed": "off"}, GapFact(NOW - HOUR, None, "recorder_away")),
        ({"observed": "recording"}, GapFact(NOW - HOUR, None, "recorder_away")),
        ({"observed": "waiting", "reason_code": "stream_stopped"}, GapFact(NOW - HOUR, None, "stream_stopped")),
        (
            {"decision": Decision(False, reason_code="stopped_by_person", by_name="operator")},
            GapFact(NOW - HOUR, None, "stopped_by_person", "operator", False),
        ),
    ],
)
def test_a_hole_up_to_now_is_explained_by_the_recorder_or_the_desired_state(facts, expected):
    assert explain_holes([(NOW - HOUR, NOW)], [], known(**facts)) == [expected]


def test_the_last_seconds_of_a_running_recording_are_no_gap():
    assert explain_holes([(NOW - 5000, NOW)], [], known()) == []
    assert explain_holes([(NOW - 5000, NOW)], [], known(observed="interrupted", reason_code="disk_full")) != []


def test_adjacent_gaps_of_the_same_reason_are_merged():
    gaps = [GapFact(5, 9, "refused"), GapFact(0, 5, "refused"), GapFact(9, 12, "refused", "operator")]
    assert join_gaps(gaps) == [GapFact(0, 9, "refused"), GapFact(9, 12, "refused", "operator")]


def test_ranges_are_merged_and_subtracted():
    assert merge_ranges([(5, 9), (0, 3), (3, 4), (8, 12)]) == [(0, 4), (5, 12)]
    assert merge_ranges([(0, 3), (5, 9)], within_ms=2) == [(0, 9)]
    assert cut_out([(0, 10), (20, 30)], [(2, 3), (8, 22), (25, 40), (-5, 0)]) == [(0, 2), (3, 8), (22, 25)]
    assert cut_out([(0, 10)], [(5, 20), (2, 12)]) == [(0, 2)]
    assert cut_out([], [(0, 1)]) == []


def test_footage_not_yet_indexed_is_no_gap_even_in_a_range_that_ends_before_now():
    assert explain_holes([(NOW - 3000, NOW - 500)], [], known(observed="recording")) == []
    assert explain_holes([(NOW - 3000, NOW - 500)], [], known(observed="interrupted")) != []
    assert explain_holes([(NOW - HOUR, NOW - 500)], [], known(observed="recording")) != []
