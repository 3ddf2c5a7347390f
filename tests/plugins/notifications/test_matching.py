"""Which happenings a rule reports."""

import pytest

from plugins.notifications.happenings import ENDED
from plugins.notifications.matching import Conditions, QuietHours, is_cooling
from tests.plugins.notifications.happenings import AT_MS, DEVICE, lost, person

OTHER = "5f3f5a0e-6d4e-4b53-8b51-3f6a1f0c2f12"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, True),
        ({"kinds": ["detection", "state"]}, True),
        ({"kinds": ["state"]}, False),
        ({"labels": ["person"]}, True),
        ({"labels": ["car"]}, False),
        ({"zones": ["drive"]}, True),
        ({"zones": ["door"]}, False),
        ({"min_score": 0.87}, True),
        ({"min_score": 0.88}, False),
        ({"devices": [DEVICE]}, True),
        ({"devices": [OTHER]}, False),
        ({"devices": [OTHER], "tags": ["outside"]}, True),
        ({"tags": ["inside"]}, False),
        ({"states": ["failed"]}, False),
        ({"moment": "ended"}, False),
    ],
)
def test_each_condition_narrows_and_an_empty_one_allows_everything(conditions: dict, expected: bool):
    assert Conditions.from_dict(conditions).match(person()) is expected


def test_with_states_and_labels_either_is_reported():
    rule = Conditions.from_dict({"states": ["failed"], "labels": ["person"]})
    assert not rule.match(lost())
    assert rule.match(lost(state="failed"))
    assert rule.match(person())
    assert not Conditions.from_dict({"labels": ["person"]}).match(lost())


def test_a_rule_for_devices_reports_nothing_without_a_device():
    health = lost(kind="health", device_id=None)
    assert Conditions.from_dict({"kinds": ["health"]}).match(health)
    assert not Conditions.from_dict({"tags": ["outside"]}).match(health)


def test_a_score_is_needed_where_a_lowest_one_is_set():
    assert not Conditions.from_dict({"min_score": 0.1}).match(person(score=None))


def test_the_end_of_an_event_is_reported_to_rules_for_ends_alone():
    gone = person(moment=ENDED, end_ms=AT_MS + 4000)
    assert Conditions.from_dict({"moment": "ended"}).match(gone)
    assert not Conditions().match(gone)


def test_quiet_hours_follow_the_local_time_of_the_rule():
    plan = {"sunday": [("11:00", "12:00")]}
    assert QuietHours("Europe/Berlin", plan).is_quiet(AT_MS)
    assert not QuietHours("UTC", plan).is_quiet(AT_MS)
    assert not QuietHours("Europe/Berlin", plan).is_quiet(AT_MS + 3_600_000)
    assert not QuietHours().is_quiet(AT_MS)


def test_quiet_hours_go_over_midnight():
    plan = {"saturday": [("22:00", "11:30")]}
    assert QuietHours("Europe/Berlin", plan).is_quiet(AT_MS)


@pytest.mark.parametrize(
    ("last", "seconds", "expected"),
    [(None, 60, False), (AT_MS - 59_999, 60, True), (AT_MS - 60_000, 60, False), (AT_MS, 0, False)],
)
def test_the_cooldown_ends_after_its_seconds(last: int | None, seconds: int, expected: bool):
    assert is_cooling(last, AT_MS, seconds) is expected


def test_a_clock_that_was_set_back_does_not_prolong_a_cooldown():
    assert not is_cooling(AT_MS + 3_600_000, AT_MS, 60)
