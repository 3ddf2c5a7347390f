"""Findings of `vas plugin check`: what is wrong with a plugin, where, and what to do."""

from dataclasses import asdict, dataclass
from typing import Any

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault (`error`: the plugin or a part of it does not work) or a `warning`. `file` and `line` where known."""

    level: str
    message: str
    remedy: str = ""
    file: str | None = None
    line: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @property
    def place(self) -> str:
        """`FILE:LINE: ` for texts; empty where it is unknown."""
        if self.file is None:
            return ""
        return f"{self.file}: " if self.line is None else f"{self.file}:{self.line}: "


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one plugin; `name` is empty for what concerns the project itself."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def is_usable(self) -> bool:
        """Whether nothing is wrong but warnings."""
        return all(finding.level != ERROR for finding in self.findings)
