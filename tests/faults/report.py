"""The table of all faults with their recovery, printed at the end of the run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recovery:
    """One fault. `seconds` is None where the picture never broke off; `has_continued` is None where nobody watched."""

    fault: str
    seconds: float | None
    has_continued: bool | None
    budget_seconds: float | None = None


class RecoveryReport:
    """Collects recoveries and spells them as a table."""

    def __init__(self) -> None:
        self.rows: list[Recovery] = []

    def add(
        self, fault: str, seconds: float | None, has_continued: bool | None = None, budget_seconds: float | None = None
    ) -> None:
        """Note a recovery; also printed at once."""
        self.rows.append(Recovery(fault, seconds, has_continued, budget_seconds))
        print(f"\n{fault}: {spell_seconds(seconds)}")

    def lines(self) -> list[str]:
        """The table in Markdown."""
        head = ["fault", "recovery (s)", "budget (s)", "viewer continued"]
        table = [head] + [
            [row.fault, spell_seconds(row.seconds), "" if row.budget_seconds is None else f"{row.budget_seconds:g}",
             {True: "yes", False: "NO", None: ""}[row.has_continued]]
            for row in self.rows
        ]
        widths = [max(len(row[column]) for row in table) for column in range(len(head))]
        padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in table]
        lines = [f"| {' | '.join(row)} |" for row in padded]
        return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def spell_seconds(seconds: float | None) -> str:
    return "no break" if seconds is None else f"{seconds:.1f}"
