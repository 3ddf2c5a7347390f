"""The order of test files, by which the workers of a run end at about the same time."""

import types

from tests.contracts.repository import ROOT
from tests.order import FILE_SECONDS, sort_longest_first


def items(*names: str) -> list:
    return [types.SimpleNamespace(nodeid=name) for name in names]


def test_the_longest_file_is_first_and_the_order_within_a_file_stays():
    long_file = max(FILE_SECONDS, key=FILE_SECONDS.get)
    tests = items("tests/a.py::one", f"{long_file}::two", "tests/b.py::x", f"{long_file}::one", "tests/b.py::w")
    sort_longest_first(tests)
    assert [item.nodeid for item in tests] == [
        f"{long_file}::two", f"{long_file}::one", "tests/b.py::x", "tests/b.py::w", "tests/a.py::one",
    ]  # fmt: skip


def test_files_of_the_same_length_are_not_mixed():
    tests = items("tests/a.py::one", "tests/b.py::one", "tests/a.py::two", "tests/b.py::two")
    sort_longest_first(tests)
    assert [item.nodeid for item in tests] == [
        "tests/a.py::one",
        "tests/a.py::two",
        "tests/b.py::one",
        "tests/b.py::two",
    ]


def test_every_listed_file_exists():
    assert [file for file in FILE_SECONDS if not (ROOT / file).is_file()] == []
