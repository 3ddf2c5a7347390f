"""The examples for authors of plugins: their own tests, as an author runs them, without network and installation."""

import os
import re
import subprocess
import sys
import tomllib

import pytest

from tests.contracts.repository import ROOT

EXAMPLES = sorted(path.parent for path in (ROOT / "docs/plugins/examples").glob("*/pyproject.toml"))
#: One process for all of them: what they import is the same.
RUN_ALL = """
import os, pytest, sys
for path in sys.argv[1:]:
    os.chdir(path)
    print(f"== {path}", flush=True)
    print("code", int(pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", path, path])), flush=True)
"""


@pytest.fixture(scope="module")
def outputs():
    """What the tests of all examples print, by the name of the example."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CI"))}
    env |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", RUN_ALL, *map(str, EXAMPLES)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    parts = done.stdout.split("== ")[1:]
    return {path.name: part for path, part in zip(EXAMPLES, parts, strict=True)}


def test_there_are_four():
    assert [path.name for path in EXAMPLES] == ["folder_archive", "motion_count", "rtp_destination", "webhook"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_tests_of_an_example_pass(outputs, path):
    output = outputs[path.name]
    assert output.rstrip().endswith("code 0"), output
    assert re.search(r"\d+ passed", output)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_imports_only_the_promised_names(path):
    project = tomllib.loads((path / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["gateway.plugins"] == {path.name: f"vas_{path.name}"}
    for file in path.rglob("*.py"):
        found = re.findall(r"^\s*(?:from|import) ((?:gateway|workers|plugins)[\w.]*)", file.read_text(), re.MULTILINE)
        assert set(found) <= {"gateway.plugin_api", "gateway.plugin_api.web"}, file
    assert (path / "README.md").read_text().startswith(f"# {path.name}\n")
