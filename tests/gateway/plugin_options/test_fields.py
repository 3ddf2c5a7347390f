"""Fields of options, and the limits of whatever is stored."""

import marshmallow as ma
import pytest

from gateway.fields import Choice, Count, Text
from gateway.plugin_options.fields import Duration, Secret, TimeWindow
from gateway.plugin_options.json_limits import MAX_JSON, find_excess


@pytest.mark.parametrize("value", [{"from": "22:00", "to": "06:00"}, {"from": "00:00", "to": "24:00"}])
def test_a_time_window_is_two_times_of_day(value):
    assert TimeWindow().deserialize(value) == value


@pytest.mark.parametrize(
    "value",
    [
        7,
        [],
        {"from": "22:00"},
        {"from": "22:00", "to": "25:00"},
        {"from": "22:00", "to": 6},
        {"from": "6:00", "to": "08:00"},
        {"from": "06:00", "to": "06:00"},
        {"from": "06:00", "to": "08:00", "on": "monday"},
    ],
)
def test_other_time_windows_are_refused(value):
    with pytest.raises(ma.ValidationError):
        TimeWindow().deserialize(value)


def test_a_duration_is_whole_seconds_within_limits():
    assert Duration(low=5).deserialize(5) == 5
    for value in (4, 5.5, "5", True):
        with pytest.raises(ma.ValidationError):
            Duration(low=5).deserialize(value, "pause", {"pause": value})


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        (Text(high=3, validate=ma.validate.Regexp("a")), "abc", ("abcd", "b")),
        (Count(low=1, high=9, validate=[lambda value: value % 2 == 0 or _refuse()]), 4, (3, 12)),
        (Choice(("a", "b"), validate=lambda value: value == "a" or _refuse()), "a", ("b", "c")),
        (Secret(high=3, validate=ma.validate.Regexp("a")), "abc", ("abcd", "b")),
    ],
    ids=["Text", "Count", "Choice", "Secret"],
)
def test_a_field_may_have_checks_of_its_author_besides_its_own(field, good, bad):
    assert field.deserialize(good, "name", {"name": good}) == good
    for value in bad:
        with pytest.raises(ma.ValidationError):
            field.deserialize(value, "name", {"name": value})


def _refuse():
    raise ma.ValidationError("refused")


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (nested(100_000), "nested deeper"),
        (float("nan"), "NaN"),
        (10**400, "beyond"),
        (-(2.0**60), "beyond"),
        ("x" * MAX_JSON, "at most 65536 characters"),
    ],
)
def test_what_is_no_short_json_is_refused(value, part):
    assert part in find_excess({"a": value})


def test_short_json_is_accepted():
    assert find_excess({"a": nested(10), "b": [1, 2.5, None, True, "x"]}) is None
