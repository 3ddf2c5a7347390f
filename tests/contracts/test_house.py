"""The rules of the house that a machine can see: imports, sizes, names, first lines, commands, secrets of this
machine."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.repository import ROOT, python_files, relative, tracked_files

ROOMS = ("gateway", "workers", "plugins")
MAX_FILE = 500
CODE_SUFFIXES = {".py", ".js", ".mjs", ".ts", ".tsx", ".css"}
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}


def test_imports_point_down():
    program = Path(sys.executable).with_name("lint-imports")
    if not program.exists():
        pytest.skip("import-linter is not installed: make test installs it")
    done = subprocess.run([program, "--no-logo"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def source_files() -> list[Path]:
    return [path for path in tracked_files() if path.suffix in CODE_SUFFIXES]


def test_no_file_is_so_long_that_it_must_be_split():
    #: What a generator wrote is not for people to split.
    long = {
        relative(path): lines
        for path in source_files()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_FILE
        and "generated" not in path.read_text(encoding="utf-8")[:300].lower()
    }
    assert long == {}


@pytest.mark.parametrize("path", python_files(*ROOMS, "tests", "bench", "deploy"), ids=relative)
def test_the_first_line_of_a_file_says_what_it_is_for(path: Path):
    text = path.read_text(encoding="utf-8")
    if not text.strip():
        assert path.name == "__init__.py"
        return
    assert ast.get_docstring(ast.parse(text)), f"{relative(path)} begins without a docstring"


def test_no_module_has_a_name_that_says_nothing():
    vague = [
        relative(path)
        for path in source_files()
        if VAGUE_NAMES & {part.lower() for part in (*path.relative_to(ROOT).parent.parts, path.stem)}
    ]
    assert vague == []


@pytest.mark.parametrize("path", python_files(*ROOMS), ids=relative)
def test_the_product_knows_no_plugin_by_name(path: Path):
    if relative(path).startswith("plugins/"):
        own = path.relative_to(ROOT).parts[1]
        others = [p.parent.name for p in (ROOT / "plugins").glob("*/__init__.py") if p.parent.name != own]
    else:
        others = [p.parent.name for p in (ROOT / "plugins").glob("*/__init__.py")]
    imported = re.findall(r"^\s*(?:from|import) plugins\.(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert not set(imported) & set(others)


@pytest.mark.parametrize("path", python_files("gateway", "workers"), ids=relative)
def test_no_text_of_the_product_names_a_plugin(path: Path):
    """Not even a string: an output declares a role where the product needs it."""
    names = [p.parent.name for p in (ROOT / "plugins").glob("*/__init__.py")]
    text = path.read_text(encoding="utf-8")
    assert [name for name in names if re.search(rf"\b{name}\b", text)] == []


def test_no_tracked_file_tells_of_the_machine_it_was_written_on():
    #: Written in pieces, so that this file does not find itself.
    signs = [
        re.compile(pattern)
        for pattern in (
            "/" + r"work/(main|plan|shared)\b",
            "/" + r"home/(?!user\b)[a-z][\w-]*/",
            "/" + "root/" + r"\.",
            r"--index-" + r"url|extra-index" + "-url|registry" + "=http",
            r"resolved\": \"https?://(?!registry\.npmjs\.org/)",
        )
    ]
    told = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        told += [f"{relative(path)}: {found[0]}" for sign in signs if (found := sign.search(text))]
    assert told == []


def test_every_document_that_a_file_names_is_in_the_repository():
    documents = {relative(path) for path in tracked_files() if path.suffix == ".md"}
    names = {name.rpartition("/")[2] for name in documents}
    missing = []
    for path in tracked_files():
        if path.suffix not in CODE_SUFFIXES | {"", ".md", ".sh", ".cfg", ".toml", ".example"}:
            continue
        for name in re.findall(r"[\w./-]+\.md\b", path.read_text(encoding="utf-8")):
            place = Path(os.path.normpath(path.parent / name))
            if not (place.is_file() or name in documents or name.strip("/") in names):
                missing.append(f"{relative(path)}: {name}")
    assert missing == []


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE", "Makefile", "Procfile", "setup.cfg"])
def test_the_files_that_everyone_looks_for_exist(name: str):
    assert (ROOT / name).is_file()


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_commands_that_people_are_told_exist(name: str):
    document = ROOT / name
    text = document.read_text(encoding="utf-8") if document.is_file() else ""
    code = re.findall(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    told = {found for pair in code for found in re.findall(r"(?:^|\s)make ([a-z-]+)", " ".join(pair), re.MULTILINE)}
    assert told <= make_targets(), f"{name} tells commands that the Makefile does not have"


def test_make_explains_each_of_its_commands():
    explained = set(re.findall(r"^([a-z-]+):.*## \S", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert make_targets() == explained
    assert {"help", "run", "test", "lint", "bench"} <= explained


def test_the_vas_commands_that_people_are_told_exist():
    from gateway.cli import main

    text = "\n".join(p.read_text(encoding="utf-8") for p in tracked_files() if p.suffix == ".md")
    told = set(re.findall(r"`vas ([a-z]+)", text))
    assert told <= set(main.commands), told - set(main.commands)


def test_every_file_that_the_map_of_the_code_names_exists():
    document = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = "|".join(sorted({relative(path).partition("/")[0] for path in tracked_files() if "/" in relative(path)}))
    named = set(re.findall(rf"`((?:{rooms})/[\w./-]*)`", document))
    assert len(named) > 50, "the map names files in backticks"
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_tests_stand_beside_the_room_that_they_test():
    """A folder of tests below tests/gateway, tests/workers or tests/plugins has the path of its room."""
    folders = {relative(path.parent).removeprefix("tests/") for path in python_files("tests")}
    misplaced = [name for name in folders if name.startswith(ROOMS) and not (ROOT / name).is_dir()]
    assert misplaced == []
