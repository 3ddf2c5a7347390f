"""The tables of all faults with their recovery and the footage that they cost, printed at the end of the run."""

from dataclasses import asdict, dataclass

import pytest

#: A test's findings travel with its report, also from pytest-xdist's workers to the process that prints.
_RECOVERY, _LOSS = "recovery after a fault", "footage lost by a fault"


@dataclass(frozen=True)
class Recovery:
    """One fault. `seconds` is None if the picture never stopped; `has_continued` is None if nobody watched."""

    fault: str
    seconds: float | None
    has_continued: bool | None
    budget_seconds: float | None = None


@dataclass(frozen=True)
class Loss:
    """One fault and its cost for a recording. `lost_seconds` is counted by missing frames.

    `back_seconds`: from the fault until later footage was in the index.
    """

    fault: str
    lost_seconds: float
    budget_seconds: float
    back_seconds: float
    reasons: tuple[str, ...] = ()


class RecoveryReport:
    """Takes the findings of one test; `FaultTables` prints all of them at the end."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def add(
        self, fault: str, seconds: float | None, has_continued: bool | None = None, budget_seconds: float | None = None
    ) -> None:
        """Note a recovery; also printed at once."""
        recovery = Recovery(fault, seconds, has_continued, budget_seconds)
        self._item.user_properties.append((_RECOVERY, asdict(recovery)))
        print(f"\n{fault}: {format_seconds(seconds)}")

    def add_loss(self, loss: Loss) -> None:
        """Note the footage that a fault cost; also printed at once."""
        self._item.user_properties.append((_LOSS, asdict(loss)))
        print(
            f"\n{loss.fault}: {loss.lost_seconds:.2f} s of footage lost, recorded again after {loss.back_seconds:.1f} s"
        )


class FaultTables:
    """A pytest plugin: collects the findings of the tests, and prints them as tables."""

    def __init__(self) -> None:
        self.recoveries: list[Recovery] = []
        self.losses: list[Loss] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            self.recoveries += [Recovery(**found) for name, found in report.user_properties if name == _RECOVERY]
            self.losses += [Loss(**found) for name, found in report.user_properties if name == _LOSS]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for title, lines in (("recovery after faults", self.lines()), ("footage lost by faults", self.loss_lines())):
            if len(lines) > 2:
                terminalreporter.section(title)
                for line in lines:
                    terminalreporter.write_line(line)

    def loss_lines(self) -> list[str]:
        """The table of lost footage in Markdown."""
        head = ["fault", "footage lost (s)", "budget (s)", "indexed again (s)", "gaps name"]
        return format_table(
            [head]
            + [
                [
                    loss.fault,
                    f"{loss.lost_seconds:.2f}",
                    f"{loss.budget_seconds:g}",
                    f"{loss.back_seconds:.1f}",
                    ", ".join(loss.reasons),
                ]
                for loss in self.losses
            ]
        )

    def lines(self) -> list[str]:
        """The table of recoveries in Markdown."""
        head = ["fault", "recovery (s)", "budget (s)", "viewer continued"]
        return format_table(
            [head]
            + [
                [
                    row.fault,
                    format_seconds(row.seconds),
                    "" if row.budget_seconds is None else f"{row.budget_seconds:g}",
                    {True: "yes", False: "NO", None: ""}[row.has_continued],
                ]
                for row in self.recoveries
            ]
        )


def format_table(table: list[list[str]]) -> list[str]:
    """Format rows of cells, the head first, as Markdown."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in table]
    lines = [f"| {' | '.join(row)} |" for row in padded]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def format_seconds(seconds: float | None) -> str:
    return "no break" if seconds is None else f"{seconds:.1f}"
