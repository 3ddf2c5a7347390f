"""Every reason that the code gives is one that people can read."""

import ast

import pytest

from gateway.states import REASONS
from tests.contracts.repository import ROOT, python_files, relative

#: Functions whose first argument, or argument of this name, is a reason's code.
_BY_POSITION = {"reason_for", "Stopped"}


def codes_in(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and text of each reason code that is written out."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        candidates = [node.args[0]] if name in _BY_POSITION and node.args else []
        if name in {"request_stop", "request_start", "transition"}:
            candidates += [word.value for word in node.keywords if word.arg == "reason"]
        for candidate in candidates:
            for part in ast.walk(candidate):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    found.append((part.lineno, part.value))
    return found


def sets_of_reasons(tree: ast.AST) -> list[tuple[int, str]]:
    """The members of sets whose name ends in `_REASONS`, and of `PROBE_AFTER`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            # A dictionary is a table of reasons of its own, with their words.
            is_table = isinstance(node.value, ast.Dict | ast.DictComp)
            if (name.endswith("_REASONS") and not is_table) or name == "PROBE_AFTER":
                found += [
                    (n.lineno, n.value) for n in ast.walk(node.value) if isinstance(getattr(n, "value", None), str)
                ]
    return found


@pytest.mark.parametrize(
    "path",
    [p for p in python_files("workers", "plugins", "gateway") if "api" not in p.relative_to(ROOT).parts],
    ids=relative,
)
def test_every_reason_in_the_code_is_in_the_table(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for line, code in codes_in(tree) + sets_of_reasons(tree):
        assert code in REASONS, f"{relative(path)}:{line} gives the reason '{code}', which people cannot read"


def test_the_contract_sees_the_reasons_that_the_code_gives():
    seen = set()
    for path in python_files("workers"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        seen |= {code for _, code in codes_in(tree) + sets_of_reasons(tree)}
    assert {"stalled", "no_video", "source_changed", "device_deleted", "ffmpeg_missing", "refused"} <= seen


def test_every_reason_in_the_table_is_given_somewhere():
    texts = [
        path.read_text(encoding="utf-8")
        for path in python_files("workers", "plugins", "gateway")
        if path.name != "states.py"
    ]
    #: Kept for rows of the database and for other outputs.
    unused = [code for code in REASONS if not any(f'"{code}"' in text for text in texts)]
    assert set(unused) <= {"output_failed", "takeover", "unknown"}, unused
