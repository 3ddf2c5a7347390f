"""Measurements of tests, printed at the end of a run, also those from pytest-xdist's workers."""

import pytest

#: The name under which measurements travel with the test's report.
_MEASURED = "measured"


def note_finding(item: pytest.Item, text: str) -> None:
    """Keep a line for the end of the run; also printed at once."""
    item.user_properties.append((_MEASURED, text))
    print(f"\n{text}")


class Findings:
    """A pytest plugin: collects the lines, and prints them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            self.lines += [str(text) for name, text in report.user_properties if name == _MEASURED]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.lines:
            terminalreporter.section("measured")
            for line in self.lines:
                terminalreporter.write_line(line)
