"""Output of a benchmark's result: tables on the terminal, raw JSON, and docs/benchmarks.md between its markers."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .machine import ROOT, format_run

RESULTS = ROOT / "bench/results"
PAGE = ROOT / "docs/benchmarks.md"


@dataclass(frozen=True)
class Table:
    """One table of text cells. The first column is the title of the row."""

    title: str
    head: list[str]
    rows: list[list[str]]


@dataclass
class Result:
    """Result of one benchmark. `raw` is written to the JSON file unchanged."""

    name: str
    command: str
    run: dict[str, Any]
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)


def print_result(result: Result) -> None:
    """Print the tables with aligned columns, then the notes."""
    for table in result.tables:
        print(f"\n{table.title}")
        widths = [max(len(row[column]) for row in [table.head, *table.rows]) for column in range(len(table.head))]
        for row in [table.head, *table.rows]:
            cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            print("  " + "  ".join([row[0].ljust(widths[0]), *cells]))
    for note in result.notes:
        print(f"  {note}")


def save_raw(result: Result) -> Path:
    """Write bench/results/NAME-DATE.json; return its path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    stamp = re.sub(r"[^0-9T]", "", result.run["date"].split("+")[0])
    path = RESULTS / f"{result.name}-{stamp}.json"
    content = {"bench": result.name, "command": result.command, **result.run, "figures": result.raw}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def write_page(result: Result, page: Path = PAGE) -> None:
    """Replace the text between the markers of this benchmark. Raises ValueError when the page has no markers."""
    begin, end = f"<!-- bench:{result.name}:begin -->", f"<!-- bench:{result.name}:end -->"
    text = page.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        raise ValueError(f"{page.name} has no markers {begin} and {end}")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}\n{build_markdown(result)}{end}{tail}", encoding="utf-8")


def build_markdown(result: Result) -> str:
    """Build the Markdown of tables, notes, command, machine and versions."""
    lines: list[str] = []
    for table in result.tables:
        lines += [f"**{table.title}**", "", _row(table.head), _row(["---", *["---:"] * (len(table.head) - 1)])]
        lines += [_row(row) for row in table.rows] + [""]
    lines += [f"- {note}" for note in result.notes]
    lines += [f"- Command: `{result.command}`", *(f"- {line}" for line in format_run(result.run)), ""]
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
