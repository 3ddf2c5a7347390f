"""What plugins may use changes only as the version of the plugin API allows."""

import pytest

from gateway.plugin_api import API_VERSION
from tests.contracts.plugin_api import RECORD, NotAllowed, Record, describe_api, extends

RECORDED = Record.parse(RECORD.read_text(encoding="utf-8"))
RELEASED = Record(
    {
        "class Part()": "1.0",
        "field Part.run: int": "1.0",
        "class Consumption(ABC)": "1.0",
        "abstract method Consumption.take(part: Part, init_segment: bytes) -> None": "1.0",
        "function decode(part: Part) -> list[Frame]": "1.1",
        "hook on_segment(device_id: str) -> None": "1.0",
    },
    released="1.1",
)


def test_what_plugins_may_use_is_what_is_recorded():
    """A line that is gone or differs breaks plugins of others; a new one is a promise.

    Where it is intended: `python -m tests.contracts.plugin_api`, and a line in the changelog.
    """
    present = set(describe_api())
    assert present - set(RECORDED.lines) == set(), "new: record it with `python -m tests.contracts.plugin_api`"
    assert set(RECORDED.lines) - present == set(), "gone or changed"


def test_the_record_is_one_that_the_version_allows():
    assert RECORDED.update(describe_api(), API_VERSION) == RECORDED
    newest = max(tuple(map(int, version.split("."))) for version in RECORDED.lines.values())
    assert newest <= tuple(map(int, API_VERSION.split(".")))


def test_the_record_survives_reading_and_writing():
    assert Record.parse(RELEASED.format()) == RELEASED
    assert Record.parse(Record({"class A()": "1.0"}).format()) == Record({"class A()": "1.0"})
    assert RECORDED.format() == RECORD.read_text(encoding="utf-8")


def test_what_is_new_needs_a_version_that_was_not_released():
    present = [*RELEASED.lines, "field Part.size: int = 0"]
    with pytest.raises(NotAllowed, match=r"version 1\.1 is released: raise API_VERSION"):
        RELEASED.update(present, "1.1")
    updated = RELEASED.update(present, "1.2")
    assert updated.lines["field Part.size: int = 0"] == "1.2"
    assert updated.lines["field Part.run: int"] == "1.0"


@pytest.mark.parametrize(
    ("gone", "new"),
    [
        ("field Part.run: int", None),
        ("field Part.run: int", "field Part.run: str"),
        ("function decode(part: Part) -> list[Frame]", "function decode(part: Part, init: bytes) -> list[Frame]"),
        ("function decode(part: Part) -> list[Frame]", "function decode(part: Part) -> None"),
        ("hook on_segment(device_id: str) -> None", "hook on_segment(segment: SegmentFact) -> None"),
        (
            "abstract method Consumption.take(part: Part, init_segment: bytes) -> None",
            "abstract method Consumption.take(part: Part, init_segment: bytes, late: bool = False) -> None",
        ),
        (None, "field Part.colour: str"),
        (None, "abstract method Consumption.rest() -> None"),
    ],
)
def test_what_was_released_breaks_with_a_new_major_version_only(gone, new):
    present = (set(RELEASED.lines) - {gone}) | ({new} if new else set())
    with pytest.raises(NotAllowed, match="only a new major version"):
        RELEASED.update(present, "1.2")
    assert set(RELEASED.update(present, "2.0").lines) == present


def test_what_was_not_released_may_still_change():
    draft = RELEASED.update([*RELEASED.lines, "field Part.size: int = 0"], "1.2")
    assert "field Part.size: float = 0" in draft.update([*RELEASED.lines, "field Part.size: float = 0"], "1.2").lines
    assert Record({"class A()": "1.0"}).update(["class B()"], "1.0") == Record({"class B()": "1.0"})


@pytest.mark.parametrize(
    ("old", "new", "is_extended"),
    [
        ("function f(a: int) -> None", "function f(a: int, b: int = 0) -> None", True),
        ("function f(a: int) -> None", "function f(a: int, *, b: int = 0) -> None", True),
        ("function f(a: int) -> None", "function f(b: int = 0, a: int) -> None", False),
        ("function f(a: int, *, c: int) -> None", "function f(a: int, *, b: int = 0, c: int) -> None", True),
        ("function f(a: tuple[int, str]) -> None", "function f(a: tuple[int, str], b: int) -> None", False),
        ("function f(a: int = 1) -> None", "function f(a: int = 2) -> None", False),
        ("hook on_a(a: int) -> None", "hook on_a(b: int, a: int) -> None", True),
        ("class A(B)", "class A(C)", False),
        ("field A.b: int", "", False),
    ],
)
def test_optional_parameters_and_those_of_hooks_may_be_added(old: str, new: str, is_extended: bool):
    assert extends(old, new) is is_extended
