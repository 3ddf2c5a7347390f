"""Names of our own code in docstrings, comments and documents refer to something that exists."""

import ast
import io
import re
import tokenize
from collections import defaultdict
from functools import cache
from pathlib import Path

from tests.contracts.repository import ROOT, python_files, relative, tracked_files

ROOMS = ("gateway", "workers", "plugins", "tests", "bench", "deploy")
_DOTTED = re.compile(rf"(?<![\w./-])(?:{'|'.join(ROOMS)})(?:\.\w+)+(?![\w/])")
_FILE = re.compile(rf"(?<![\w./-])(?:{'|'.join(ROOMS)})/[\w./-]*\.py\b")
_MEMBER = re.compile(r"`([A-Z]\w+)\.(\w+)(?:\(\))?`")

#: The group of entry points by which plugins are found, which is no module.
_ENTRY_POINTS = {"gateway.plugins"}


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def prose_of(path: Path) -> str:
    """The docstrings and comments of a Python file."""
    found = []
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(ast.get_docstring(node) or "")
    source = io.StringIO(path.read_text(encoding="utf-8"))
    found += [token.string for token in tokenize.generate_tokens(source.readline) if token.type == tokenize.COMMENT]
    return "\n".join(found)


def texts() -> list[Path]:
    # The changelog and the decisions describe the past.
    documents = [path for path in tracked_files() if path.suffix == ".md" and "decisions" not in path.parts]
    return python_files(*ROOMS) + [path for path in documents if path.name != "CHANGELOG.md"]


def names_defined_by(nodes: list[ast.stmt]) -> dict[str, ast.ClassDef | None]:
    """Names that statements bind, with the class where one is bound."""
    names: dict[str, ast.ClassDef | None] = {}
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            names[node.name] = node
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names[node.name] = None
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name): None for alias in node.names}
        else:
            names |= {
                part.id: None
                for part in ast.walk(node)
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            }
    return names


def module_file(parts: list[str]) -> Path | None:
    place = ROOT.joinpath(*parts)
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def resolves(dotted: str) -> bool:
    """Whether a dotted name is a module, or a name that a module or one of its classes defines."""
    parts = dotted.split(".")
    if dotted in _ENTRY_POINTS or ROOT.joinpath(*parts).is_dir():
        return True
    length = next((n for n in range(len(parts), 0, -1) if module_file(parts[:n])), 0)
    if not length:
        return False
    names = names_defined_by(parse(module_file(parts[:length])).body)
    for part in parts[length:]:
        if part not in names:
            return False
        owner = names[part]
        names = names_defined_by(owner.body) if owner is not None else {}
    return True


@cache
def members_of_classes() -> dict[str, set[str]]:
    """By class name: all that any of our classes of this name defines or sets on `self`, inherited members included."""
    members: dict[str, set[str]] = defaultdict(set)
    bases: dict[str, set[str]] = defaultdict(set)
    for path in python_files(*ROOMS):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ClassDef):
                members[node.name] |= set(names_defined_by(node.body))
                members[node.name] |= {
                    part.attr
                    for part in ast.walk(node)
                    if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
                }
                bases[node.name] |= {base.id for base in node.bases if isinstance(base, ast.Name)}
    for name in list(members):
        waiting, seen = [name], set()
        while waiting:
            base = waiting.pop()
            if base not in seen:
                seen.add(base)
                members[name] |= members.get(base, set())
                waiting += bases.get(base, ())
    return members


def find_missing(text: str) -> list[str]:
    known = members_of_classes()
    missing = [name for name in _DOTTED.findall(text) if not resolves(name)]
    missing += [name for name in _FILE.findall(text) if not (ROOT / name).is_file()]
    missing += [f"{cls}.{name}" for cls, name in _MEMBER.findall(text) if cls in known and name not in known[cls]]
    return missing


def test_every_name_of_our_code_in_prose_exists():
    missing = []
    for path in texts():
        wrong = find_missing(path.read_text(encoding="utf-8"))
        if wrong and path.suffix == ".py":
            # Code may hold anything; taking a file apart is slow and done for these few only.
            wrong = find_missing(prose_of(path))
        missing += [f"{relative(path)}: {name}" for name in wrong]
    assert missing == []
